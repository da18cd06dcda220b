#include "launcher/run/qemu_words.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

namespace {

constexpr std::string_view lock_refused = R"(Failed to get "write" lock)";
constexpr std::string_view shared_lock_refused = R"(Failed to get shared "write" lock)";
constexpr std::string_view descriptor_set = "/dev/fdset/";

bool speaks_of_a_lock(const std::string& line) {
    return line.find(lock_refused) != std::string::npos ||
           line.find(shared_lock_refused) != std::string::npos;
}

// The file behind "[/dev/fdset/103]" or "filename=/dev/fdset/103".
std::optional<std::filesystem::path> file_in(const std::string& line,
                                             const std::vector<NamedDescriptor>& files) {
    const std::size_t at = line.find(descriptor_set);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const auto number = leading_number<int>(std::string_view{line}.substr(at + descriptor_set.size()));
    const auto found =
        std::find_if(files.begin(), files.end(), [number](const auto& file) { return file.first == number; });
    return found == files.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace

std::optional<Fault> explain_qemu_words(const std::vector<std::string>& lines,
                                        const std::vector<NamedDescriptor>& files) {
    if (std::none_of(lines.begin(), lines.end(), speaks_of_a_lock)) {
        return std::nullopt;
    }
    for (const std::string& line : lines) {
        if (const auto file = file_in(line, files)) {
            return Fault{
                fmt::format("{} is in use by another VM", file->string()),
                "QEMU locks a disk image that it writes to, and somebody holds the lock: two writers "
                "would destroy the image",
                fmt::format("stop the other one (`vm-launch status`, or fuser {}), or give this VM an "
                            "image of its own",
                            file->string()),
                ExitCode::qemu};
        }
    }
    return std::nullopt;
}

}  // namespace vml
