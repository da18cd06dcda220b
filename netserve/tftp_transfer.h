// A file that is read by TFTP: the server's side of one transfer, datagram in, datagrams out (RFC 1350, 2347;
// blksize 2348, tsize 2349, windowsize 7440). Pure: whoever has a socket and a clock drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vml::serve {

struct TftpRead {
    std::string name;
    std::size_t block = 512;  // bytes
    std::size_t window = 1;   // blocks that are sent before one is acknowledged
    bool octet = true;        // as the file is
    bool wants_size = false;
    std::vector<std::string> agreed{};  // the options that are answered, as the client wrote them, in order
    bool operator==(const TftpRead&) const = default;
};

// Of a read request. `most` bytes fit into a datagram that is not taken to pieces. Nothing: it is none.
[[nodiscard]] std::optional<TftpRead> read_tftp(std::string_view datagram, std::size_t most);

// RFC 1350, appendix I.
enum class TftpError : std::uint16_t { other = 0, no_file = 1, no_access = 2, bad_operation = 4 };
[[nodiscard]] std::string tftp_error(TftpError code, std::string_view text);

class TftpTransfer {
  public:
    // So much of the file, from there on; less where it has become shorter.
    using ReadAt = std::function<std::string(std::uint64_t offset, std::size_t count)>;

    // `size`: of the file, in bytes.
    TftpTransfer(TftpRead read, std::uint64_t size, ReadAt read_at);

    // What is sent at first, for what has come from the client, and when nothing has come for too long.
    [[nodiscard]] std::vector<std::string> begin();
    [[nodiscard]] std::vector<std::string> hear(std::string_view datagram);
    [[nodiscard]] std::vector<std::string> repeat();

    // The client has all, or has given up.
    [[nodiscard]] bool is_over() const { return over_; }

  private:
    [[nodiscard]] std::string agreement() const;
    [[nodiscard]] std::vector<std::string> next_blocks();

    TftpRead read_;
    std::uint64_t size_;
    ReadAt read_at_;
    std::uint64_t blocks_;            // there are so many; the last one is shorter than the others
    std::uint64_t acknowledged_ = 0;  // so many of them
    std::uint64_t sent_ = 0;          // likewise
    bool agreeing_;                   // the options are not acknowledged yet
    bool over_ = false;
};

}  // namespace vml::serve
