// TFTP's packets as bytes (RFC 1350, 2347). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vml::serve {

// An option of a request, its name in lower case, and of the answer to it (RFC 2347).
using TftpOptionList = std::vector<std::pair<std::string, std::string>>;

struct TftpRead {
    std::string file;
    std::string mode;  // in lower case
    TftpOptionList options;
    bool operator==(const TftpRead&) const = default;
};
struct TftpWrite {};
struct TftpAcknowledged {
    std::uint16_t block = 0;
};
// The client ends the transfer.
struct TftpAbort {};
using TftpMessage = std::variant<TftpRead, TftpWrite, TftpAcknowledged, TftpAbort>;

// RFC 1350, 5; RFC 2347.
enum class TftpErrorCode : std::uint16_t {
    undefined = 0,
    not_found = 1,
    access = 2,
    illegal = 4,
    options = 8,
};

// What a client sends. Nothing where it is none of it: too short, a text without its end, an opcode that no
// client sends.
[[nodiscard]] std::optional<TftpMessage> tftp_message(std::string_view payload);

[[nodiscard]] std::string tftp_options(const TftpOptionList& options);  // OACK
[[nodiscard]] std::string tftp_data(std::uint16_t block, std::string_view bytes);
[[nodiscard]] std::string tftp_error(TftpErrorCode code, std::string_view text);

}  // namespace vml::serve
