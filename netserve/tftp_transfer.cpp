#include "netserve/tftp_transfer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace vml::serve {

namespace {

// RFC 2348; a larger one than the link takes would come in fragments.
constexpr std::size_t least_block = 8;
// RFC 1350 names no times. Doubled each time, as RFC 1123, 4.2.3.2 asks for; a client that has said nothing
// for so long is gone. GRUB is quiet while its menu waits.
constexpr std::chrono::seconds first_wait{1};
constexpr std::chrono::seconds longest_wait{8};
constexpr std::chrono::seconds patience{60};

}  // namespace

TftpTransfer::TftpTransfer(TftpRead request, TftpFile file, std::size_t most_block, Time now)
    : request_{std::move(request)}, file_{std::move(file)}, wait_{first_wait, false, {}, now} {
    accept_options(most_block);
    wait_.until = now + wait_.time;
}

// An option that is none, or not known, is left out of the answer (RFC 2347): it counts as not asked for.
void TftpTransfer::accept_options(std::size_t most_block) {
    constexpr std::uint64_t longest_asked_s = 255;  // RFC 2349
    for (const auto& [name, value] : request_.options) {
        const std::optional<std::uint64_t> asked = whole_number<std::uint64_t>(value);
        const std::uint64_t number = asked.value_or(0);
        const bool known = std::any_of(accepted_.begin(), accepted_.end(),
                                       [&, &name = name](const auto& old) { return old.first == name; });
        if (known) {
            continue;
        }
        if (name == "blksize" && number >= least_block) {
            block_size_ = std::min<std::uint64_t>(number, most_block);
            accepted_.emplace_back(name, std::to_string(block_size_));
        } else if (name == "tsize" && asked) {
            accepted_.emplace_back(name, std::to_string(file_.size));
        } else if (name == "windowsize" && number > 0) {
            window_size_ = std::min(number, most_window);
            accepted_.emplace_back(name, std::to_string(window_size_));
        } else if (name == "timeout" && number > 0 && number <= longest_asked_s) {
            wait_.time = std::chrono::seconds{number};
            wait_.fixed = true;
            accepted_.emplace_back(name, value);
        }
    }
    next_ = accepted_.empty() ? 1 : 0;
}

std::vector<std::string> TftpTransfer::first() {
    return accepted_.empty() ? window() : std::vector{tftp_options(accepted_)};
}

// Numbers come round after 65535 (RFC 1350 knows no larger file; all servers go on with 0). An old one's
// repetition is no reason to send anything: both sides would go on in pairs for the rest of the file.
std::vector<std::string> TftpTransfer::acknowledged(std::uint16_t block, Time now) {
    const std::uint64_t sent = next_ == 0 ? 1 : window_size_;
    const auto ahead = static_cast<std::uint16_t>(block - static_cast<std::uint16_t>(next_));
    const std::uint64_t last = file_.size / block_size_ + 1;  // shorter than a whole one, or empty
    if (ahead >= sent || next_ + ahead > last) {
        return {};
    }
    next_ += ahead + 1U;
    wait_.heard = now;
    wait_.time = wait_.fixed ? wait_.time : first_wait;
    wait_.until = now + wait_.time;
    over_ = next_ > last;
    return over_ ? std::vector<std::string>{} : window();
}

std::vector<std::string> TftpTransfer::again(Time now) {
    if (now - wait_.heard >= patience) {
        over_ = true;
        return {};
    }
    wait_.time = wait_.fixed ? wait_.time : std::min(wait_.time * 2, longest_wait);
    wait_.until = now + wait_.time;
    return next_ == 0 ? first() : window();
}

std::string TftpTransfer::terms() const {
    return fmt::format("{} bytes a block{}", block_size_,
                       window_size_ > 1 ? fmt::format(", {} at once", window_size_) : "");
}

std::vector<std::string> TftpTransfer::window() {
    std::vector<std::string> blocks;
    const std::uint64_t last = file_.size / block_size_ + 1;
    for (std::uint64_t number = next_; number < next_ + window_size_ && number <= last && !over_; ++number) {
        blocks.push_back(block(number));
    }
    return blocks;
}

// What a block lacks would end the file for the client: so a file that got shorter is an error.
std::string TftpTransfer::block(std::uint64_t number) {
    const std::uint64_t offset = (number - 1) * block_size_;
    const std::uint64_t count = std::min<std::uint64_t>(block_size_, file_.size - offset);
    const auto bytes = file_.read(offset, static_cast<std::size_t>(count));
    if (!bytes || bytes->size() != count) {
        over_ = true;
        return tftp_error(TftpErrorCode::undefined, "cannot read the file");
    }
    return tftp_data(static_cast<std::uint16_t>(number), *bytes);
}

}  // namespace vml::serve
