// One file on its way to one client by TFTP: RFC 1350 with the options of RFC 2347 to 2349 and 7440. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "netserve/tftp_message.h"

namespace vml::serve {

// A file that is read in pieces.
struct TftpFile {
    std::uint64_t size = 0;  // bytes
    // So many bytes from there on, less at the file's end; nothing where it cannot be read.
    std::function<std::optional<std::string>(std::uint64_t offset, std::size_t count)> read;
    int error = 0;  // errno of opening it; then there is no more of it
};

class TftpTransfer {
  public:
    using Time = std::chrono::steady_clock::time_point;

    // `most_block`: what the link takes, in bytes.
    TftpTransfer(TftpRead request, TftpFile file, std::size_t most_block, Time now);

    // What is to be sent, in this order: at first, to the block that the client has acknowledged, and when
    // nothing has come by the time that is due.
    [[nodiscard]] std::vector<std::string> first();
    [[nodiscard]] std::vector<std::string> acknowledged(std::uint16_t block, Time now);
    [[nodiscard]] std::vector<std::string> again(Time now);

    [[nodiscard]] Time due() const { return wait_.until; }
    [[nodiscard]] Time heard() const { return wait_.heard; }
    // The client has all, or cannot get the rest.
    [[nodiscard]] bool is_over() const { return over_; }
    // The client has answered nothing yet, and may ask the same again.
    [[nodiscard]] bool is_untouched() const { return next_ == (accepted_.empty() ? 1U : 0U); }
    [[nodiscard]] const TftpRead& request() const { return request_; }
    // For the log: "1468 bytes a block".
    [[nodiscard]] std::string terms() const;

    static constexpr std::size_t usual_block = 512;  // bytes; RFC 1350, 2
    // Blocks on their way at once; a NIC of QEMU's has room for 256 frames.
    static constexpr std::uint64_t most_window = 16;

  private:
    // For the client's answer.
    struct Wait {
        std::chrono::seconds time{};
        bool fixed = false;  // the client has said how long
        Time until{};
        Time heard{};  // from the client
    };

    void accept_options(std::size_t most_block);
    [[nodiscard]] std::vector<std::string> window();
    [[nodiscard]] std::string block(std::uint64_t number);

    TftpRead request_;
    TftpFile file_;
    TftpOptionList accepted_;
    std::size_t block_size_ = usual_block;
    std::uint64_t window_size_ = 1;
    std::uint64_t next_ = 0;  // the block that the client waits for, from 1; 0: it waits for the options
    Wait wait_;
    bool over_ = false;
};

}  // namespace vml::serve
