// Where the VMs of a test write their reports. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vml {

// The folder that the user names, made where there is none; or one that goes with the object, in `temporary`.
class ReportFolder {
  public:
    // Throws Error (ExitCode::host; ExitCode::settings where its name has a comma).
    ReportFolder(const std::optional<std::filesystem::path>& wanted, const std::string& temporary);
    ~ReportFolder();
    ReportFolder(const ReportFolder&) = delete;
    ReportFolder& operator=(const ReportFolder&) = delete;
    ReportFolder(ReportFolder&&) = delete;
    ReportFolder& operator=(ReportFolder&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] bool keeps() const { return keeps_; }

  private:
    std::filesystem::path path_;
    bool keeps_;
};

// Empties the file, or makes it: what stands in the way is told before anything runs. `origin` is the flag
// that names it. Throws Error (ExitCode::host).
void claim_result_file(const std::filesystem::path& path, std::string_view origin);
// Throws Error (ExitCode::report).
void write_result_file(const std::filesystem::path& path, std::string_view text);

}  // namespace vml
