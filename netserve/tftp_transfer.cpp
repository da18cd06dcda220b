#include "netserve/tftp_transfer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

// RFC 1350, 5, and RFC 2347 (6).
enum TftpCode : std::uint16_t {
    tftp_read = 1,
    tftp_data = 3,
    tftp_acknowledge = 4,
    tftp_fail = 5,
    tftp_agree = 6
};

constexpr std::size_t most_in_window = 64;

// The words of a request, each of which ends with a NUL; nothing: one does not end.
std::optional<std::vector<std::string>> words_of_request(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = text.find('\0');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return words;
}

// An option that is not known, or has no value that it may have, is as if it were not there (RFC 2347).
void agree_on(const std::string& name, const std::string& text, std::size_t most, TftpRead& read) {
    constexpr std::size_t least_block = 8;  // RFC 2348
    const std::string option = lower(name);
    const std::size_t value = whole_number<std::uint32_t>(text).value_or(0);
    if (option == "tsize") {
        read.wants_size = true;
    } else if (option == "blksize" && value >= least_block) {
        read.block = std::min(value, most);
    } else if (option == "windowsize" && value >= 1) {
        read.window = std::min(value, most_in_window);
    } else {
        return;
    }
    read.agreed.push_back(name);
}

}  // namespace

std::optional<TftpRead> read_tftp(std::string_view datagram, std::size_t most) {
    const auto words = bytes_of(datagram).be16(0) == tftp_read && datagram.size() > 2
                           ? words_of_request(datagram.substr(2))
                           : std::nullopt;
    if (!words || words->size() < 2 || words->front().empty()) {
        return std::nullopt;
    }
    TftpRead read{words->front()};
    read.octet = lower(words->at(1)) == "octet";
    for (std::size_t i = 2; i + 1 < words->size(); i += 2) {
        agree_on(words->at(i), words->at(i + 1), most, read);
    }
    return read;
}

std::string tftp_error(TftpError code, std::string_view text) {
    return be16(tftp_fail) + be16(static_cast<std::uint16_t>(code)) + std::string{text} + '\0';
}

TftpTransfer::TftpTransfer(TftpRead read, std::uint64_t size, ReadAt read_at)
    : read_{std::move(read)},
      size_{size},
      read_at_{std::move(read_at)},
      blocks_{size / read_.block + 1},
      agreeing_{!read_.agreed.empty()} {}

std::vector<std::string> TftpTransfer::begin() {
    return agreeing_ ? std::vector{agreement()} : next_blocks();
}

std::vector<std::string> TftpTransfer::hear(std::string_view datagram) {
    const Bytes bytes = bytes_of(datagram);
    if (bytes.be16(0) == tftp_fail) {
        over_ = true;
    }
    if (over_ || bytes.be16(0) != tftp_acknowledge || datagram.size() < 4) {
        return {};
    }
    // Blocks are counted by 16 bits, over and over again.
    const std::uint64_t further = static_cast<std::uint16_t>(bytes.be16(2) - acknowledged_);
    if (agreeing_ ? bytes.be16(2) != 0 : further > sent_ - acknowledged_) {
        return {};
    }
    // What was acknowledged before comes again where the first block of a window was lost (RFC 7440); where
    // blocks go one by one, an answer to it would double all that follow.
    if (!agreeing_ && further == 0 && read_.window == 1) {
        return {};
    }
    agreeing_ = false;
    acknowledged_ += further;
    over_ = acknowledged_ == blocks_;
    return over_ ? std::vector<std::string>{} : next_blocks();
}

std::vector<std::string> TftpTransfer::repeat() {
    return over_ ? std::vector<std::string>{} : begin();
}

std::string TftpTransfer::agreement() const {
    std::string text = be16(tftp_agree);
    for (const std::string& name : read_.agreed) {
        const std::string option = lower(name);
        const std::uint64_t value = option == "tsize"     ? size_
                                    : option == "blksize" ? read_.block
                                                          : read_.window;
        text += fmt::format("{}{}{}{}", name, '\0', value, '\0');
    }
    return text;
}

std::vector<std::string> TftpTransfer::next_blocks() {
    std::vector<std::string> blocks;
    sent_ = acknowledged_;
    while (blocks.size() < read_.window && sent_ < blocks_) {
        const std::uint64_t offset = sent_ * read_.block;
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(read_.block, size_ - offset));
        const std::string content = read_at_(offset, count);
        if (content.size() != count) {
            over_ = true;
            return {tftp_error(TftpError::other, "the file has changed")};
        }
        ++sent_;
        blocks.push_back(be16(tftp_data) + be16(sent_ & 0xFFFFU) + content);
    }
    return blocks;
}

}  // namespace vml::serve
