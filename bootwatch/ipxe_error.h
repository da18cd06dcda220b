// iPXE's error numbers, explained without the network: its messages name a page of https://ipxe.org and no
// more. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vml::boot {

// What a number is made of (iPXE src/include/errno.h): bits 30 to 24 a POSIX error, 23 to 13 the source file,
// 12 to 8 which of the file's errors, 7 to 0 a PXE error (PXE specification 2.1, appendix A).
struct IpxeError {
    std::uint8_t posix = 0;
    std::uint16_t file =
        0;  // bits 23 to 13, unshifted and in place: 0x1260 is tftp (src/include/ipxe/errfile.h)
    std::uint8_t which = 0;
    std::uint8_t pxe = 0;

    bool operator==(const IpxeError&) const = default;
};

[[nodiscard]] IpxeError split_ipxe_error(std::uint32_t number);

// "HTTP 404: the server has no such file", or the parts in words where this error has no entry of its own.
[[nodiscard]] std::string explain_ipxe_error(std::uint32_t number);

// The number in "… (http://ipxe.org/2d12603b)" or "… (https://ipxe.org/2d12603b)" or "Error 0x2d12603b".
[[nodiscard]] std::optional<std::uint32_t> ipxe_error_in(std::string_view line);

// Did iPXE refuse to run what it fetched?
[[nodiscard]] bool is_exec_format(std::uint32_t number);
// What ended a script, where it was one of the script's own lines.
enum class ScriptFailure { unknown_command, no_label, not_equal, not_set, wrong_usage };
[[nodiscard]] std::optional<ScriptFailure> script_failure(std::uint32_t number);
// Did it know no program and no script in what it fetched?
[[nodiscard]] bool is_unknown_image(std::uint32_t number);
// Did it find nothing to run at all?
[[nodiscard]] bool is_nothing_to_boot(std::uint32_t number);
// Was what it fetched too large for the memory?
[[nodiscard]] bool is_no_memory(std::uint32_t number);
// Is it one of its iSCSI code's?
[[nodiscard]] bool is_of_iscsi(std::uint32_t number);
// Has it no protocol of the URL's scheme?
[[nodiscard]] bool is_no_protocol(std::uint32_t number);
// Did none of its ways to get an address work?
[[nodiscard]] bool is_no_address(std::uint32_t number);

}  // namespace vml::boot
