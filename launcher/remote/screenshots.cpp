#include "launcher/remote/screenshots.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace vml {

namespace {

using nlohmann::json;

constexpr const char* cannot_take = "cannot take a screenshot";
// A picture of 8K by 8K pixels; QEMU, which writes it, is not to be believed blindly.
constexpr std::size_t largest_picture = std::size_t{48} << 20;

}  // namespace

Screenshots::Screenshots(ScreenshotFile file, Qmp qmp) : file_{std::move(file)}, qmp_{std::move(qmp)} {}

void Screenshots::take(const control::Exchange& exchange) {
    if (!file_) {
        exchange.refuse({cannot_take, "the VM has no screen", "start it with --graphics vnc (GRAPHICS=vnc)",
                         ExitCode::failed});
        return;
    }
    if (std::exchange(taking_, true)) {
        exchange.refuse({cannot_take, "another one is being taken", "try again", ExitCode::failed});
        return;
    }
    // QEMU's descriptor has the same offset, and it does not empty the file by itself.
    std::ignore = ::ftruncate(file_.writable.get(), 0);
    ::lseek(file_.writable.get(), 0, SEEK_SET);
    qmp_({"screendump", {{"filename", fmt::format("/dev/fdset/{}", file_.fdset)}, {"format", "png"}}},
         [this, exchange](const qmp::Result& result) {
             taking_ = false;
             if (const auto* failure = std::get_if<qmp::Failure>(&result)) {
                 exchange.refuse(
                     {cannot_take, failure->description, "is QEMU about to end?", ExitCode::failed});
             } else {
                 exchange.answer(json::object(), picture());
             }
         });
}

std::string Screenshots::picture() const {
    std::string bytes;
    std::array<char, 65536> chunk{};
    while (bytes.size() < largest_picture) {
        const ssize_t count =
            ::pread(file_.readable.get(), chunk.data(), chunk.size(), static_cast<off_t>(bytes.size()));
        if (count <= 0) {
            break;
        }
        bytes.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return bytes;
}

}  // namespace vml
