#include "launcher/run/record_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/types.h>

#include "launcher/settings/run_options.h"
#include "launcher/start/files.h"
#include "netsetup/capture.h"

namespace vml {

namespace {

// As it was when the run began, and from then on by the clock that nobody sets: no frame is earlier than the
// one before it.
class WallClock {
  public:
    [[nodiscard]] std::uint64_t now_ns() const {
        const auto passed = std::chrono::steady_clock::now() - steady_;
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds{began_.time_since_epoch() + passed}.count());
    }

  private:
    std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
    std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
};

struct RecordFile {
    OwnedFd fd;
    off_t size = 0;

    int add(std::string_view bytes) {
        const int error = write_whole(fd.get(), bytes, size);
        size += static_cast<off_t>(bytes.size());
        return error;
    }
};

}  // namespace

std::optional<FrameRecord::Config> record_for(const std::vector<std::filesystem::path>& reports,
                                              VmFiles& files, const std::string& vm) {
    const auto wanted = std::find_if(reports.begin(), reports.end(), [](const auto& report) {
        return kind_of_report(report) == ReportKind::packets;
    });
    if (wanted == reports.end()) {
        return std::nullopt;
    }
    BegunReport begun = files.begin_report(static_cast<std::size_t>(wanted - reports.begin()));
    if (begun.error != 0) {
        throw failed(fmt::format("cannot write the report {}", wanted->string()), begun.error,
                     begun.error == EBUSY ? "another run is writing it: name a file for each"
                                          : "check the folder and its mode",
                     ExitCode::host);
    }
    const auto file = std::make_shared<RecordFile>(RecordFile{std::move(begun.fd)});
    return FrameRecord::Config{vm, net::capture_length,
                               [file](std::string_view bytes) { return file->add(bytes); },
                               [clock = WallClock{}] { return clock.now_ns(); }};
}

}  // namespace vml
