#include "bootwatch/ipxe_error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace vml::boot {

namespace {

using namespace std::string_view_literals;

// iPXE src/include/errno.h: its own numbering of POSIX's errors, in the order of their names, from 1.
constexpr std::array posix_texts{
    "argument list too long"sv,
    "permission denied"sv,
    "address in use"sv,
    "address not available"sv,
    "address family not supported"sv,
    "try again"sv,
    "connection already in progress"sv,
    "bad descriptor"sv,
    "bad message"sv,
    "device busy"sv,
    "cancelled"sv,
    "no child processes"sv,
    "connection aborted"sv,
    "connection refused"sv,
    "connection reset"sv,
    "deadlock"sv,
    "destination address required"sv,
    "argument out of domain"sv,
    "quota exceeded"sv,
    "file exists"sv,
    "bad address"sv,
    "file too large"sv,
    "host unreachable"sv,
    "identifier removed"sv,
    "illegal byte sequence"sv,
    "in progress"sv,
    "interrupted"sv,
    "invalid argument"sv,
    "input/output error"sv,
    "already connected"sv,
    "is a directory"sv,
    "too many links"sv,
    "too many open files"sv,
    "too many links"sv,
    "message too long"sv,
    "multihop"sv,
    "name too long"sv,
    "network down"sv,
    "network reset"sv,
    "network unreachable"sv,
    "too many open files"sv,
    "no buffer space"sv,
    "no data"sv,
    "no such device"sv,
    "no such file"sv,
    "no program in a known format"sv,
    "no locks"sv,
    "no link"sv,
    "not enough memory"sv,
    "no message"sv,
    "option not available"sv,
    "no space left"sv,
    "no stream resources"sv,
    "not a stream"sv,
    "not implemented"sv,
    "not connected"sv,
    "not a directory"sv,
    "directory not empty"sv,
    "not a socket"sv,
    "not supported"sv,
    "inappropriate control"sv,
    "no such device or address"sv,
    "operation not supported"sv,
    "overflow"sv,
    "operation not permitted"sv,
    "broken pipe"sv,
    "protocol error"sv,
    "protocol not supported"sv,
    "wrong protocol type"sv,
    "result too large"sv,
    "read-only"sv,
    "illegal seek"sv,
    "no such process"sv,
    "stale"sv,
    "timer expired"sv,
    "timed out"sv,
};

constexpr std::uint8_t posix_enoexec = 0x2E;

struct FileRow {
    std::uint16_t file;
    std::string_view name;
};

// iPXE src/include/ipxe/errfile.h: category in bits 15 to 13, the file's number in bits 23 to 16; shown here
// as bits 23 to 8 with the low five bits cleared.
constexpr std::array files{
    FileRow{0x0160, "ARP"},
    FileRow{0x0560, "IPv4"},
    FileRow{0x0660, "IPv6"},
    FileRow{0x0760, "IPv6 discovery"},
    FileRow{0x0860, "the network device"},
    FileRow{0x0A60, "TCP"},
    FileRow{0x0C60, "HTTP"},
    FileRow{0x0D60, "iSCSI"},
    FileRow{0x1060, "DHCP"},
    FileRow{0x1160, "DNS"},
    FileRow{0x1260, "TFTP"},
    FileRow{0x3460, "NFS"},
    FileRow{0x3760, "the neighbour cache"},
    FileRow{0x3B60, "DHCPv6"},
    FileRow{0x0080, "the image"},
    FileRow{0x0180, "the ELF loader"},
    FileRow{0x0280, "the script"},
    FileRow{0x0480, "the EFI loader"},
    FileRow{0x03E0, "the automatic boot"},
    FileRow{0x04E0, "DHCP"},
    FileRow{0x05E0, "the image list"},
    FileRow{0x0DE0, "TLS"},
    FileRow{0x0EE0, "the network interface"},
    FileRow{0x16E0, "the certificate check"},
    FileRow{0x2BE0, "the signature check"},
    FileRow{0x2EE0, "the certificate check"},
};

struct SpecialRow {
    std::uint8_t posix;
    std::uint16_t file;
    std::uint8_t which;
    std::string_view text;
};

// The errors that have an entry of their own in iPXE's source files, and those that need more words.
constexpr std::array specials{
    SpecialRow{0x04, 0x0EE0, 1, "no DHCP server and no router gave an address"},
    SpecialRow{0x2D, 0x03E0, 1, "DHCP named no file and no script to boot"},
    SpecialRow{0x2D, 0x1260, 0, "the TFTP server has no such file"},
    SpecialRow{0x02, 0x1260, 0, "the TFTP server denies access to the file"},
    SpecialRow{0x4C, 0x1260, 0, "the TFTP server does not answer"},
    SpecialRow{0x2D, 0x0C60, 1, "HTTP 404: the server has no such file"},
    SpecialRow{0x41, 0x0C60, 1, "HTTP 403: the server denies access"},
    SpecialRow{0x02, 0x0C60, 1, "HTTP 401: the server wants a user and a password"},
    SpecialRow{0x1D, 0x0C60, 1, "the HTTP server's answer is none that iPXE knows"},
    SpecialRow{0x1D, 0x0C60, 2, "the HTTP server sent fewer bytes than it had announced"},
    SpecialRow{0x1D, 0x0C60, 4, "the HTTP server refused the request (4xx)"},
    SpecialRow{0x1D, 0x0C60, 5, "the HTTP server failed (5xx)"},
    SpecialRow{0x3E, 0x1160, 1, "DNS knows no such name"},
    SpecialRow{0x3E, 0x1160, 2, "DHCP named no DNS server"},
    SpecialRow{0x4C, 0x1160, 0, "the DNS server does not answer"},
    SpecialRow{0x4C, 0x0A60, 0, "the server does not answer over TCP"},
    SpecialRow{0x0E, 0x0A60, 0, "the server refused the connection: nobody listens at that port"},
    SpecialRow{0x0F, 0x0A60, 0, "the server reset the connection"},
    SpecialRow{0x28, 0x0A60, 0, "there is no route to the server"},
    SpecialRow{0x4C, 0x1060, 0, "no DHCP server answered"},
    SpecialRow{0x2E, 0x0080, 0, "this iPXE knows no program or script in what was fetched"},
};

std::string_view file_name(std::uint16_t file) {
    const auto* row =
        std::find_if(files.begin(), files.end(), [&](const FileRow& r) { return r.file == file; });
    return row == files.end() ? std::string_view{} : row->name;
}

}  // namespace

IpxeError split_ipxe_error(std::uint32_t number) {
    return {static_cast<std::uint8_t>((number >> 24U) & 0x7FU),
            static_cast<std::uint16_t>((number >> 8U) & 0xFFE0U),
            static_cast<std::uint8_t>((number >> 8U) & 0x1FU), static_cast<std::uint8_t>(number)};
}

std::string explain_ipxe_error(std::uint32_t number) {
    const IpxeError error = split_ipxe_error(number);
    const auto* special = std::find_if(specials.begin(), specials.end(), [&](const SpecialRow& row) {
        return row.posix == error.posix && row.file == error.file && row.which == error.which;
    });
    if (special != specials.end()) {
        return std::string{special->text};
    }
    const bool known = error.posix > 0 && error.posix <= posix_texts.size();
    const std::string_view text = known ? posix_texts.at(error.posix - 1U) : "an error"sv;
    const std::string_view where = file_name(error.file);
    return where.empty() ? fmt::format("{}", text) : fmt::format("{}, says {}", text, where);
}

std::optional<std::uint32_t> ipxe_error_in(std::string_view line) {
    constexpr std::size_t digits = 8;
    for (const std::string_view before : {"://ipxe.org/"sv, "Error 0x"sv}) {
        const std::size_t at = line.find(before);
        if (at == std::string_view::npos) {
            continue;
        }
        const std::string_view text = line.substr(at + before.size(), digits);
        constexpr int hexadecimal = 16;
        const auto number = whole_number<std::uint32_t>(text, hexadecimal);
        if (text.size() == digits && number) {
            return number;
        }
    }
    return std::nullopt;
}

bool is_exec_format(std::uint32_t number) {
    return split_ipxe_error(number).posix == posix_enoexec;
}

// iPXE src/core/exec.c (execv: ENOEXEC; iseq: ERANGE; isset: ENOENT), src/image/script.c (goto: ENOENT),
// src/core/parseopt.c; the files' numbers as its errors show them.
std::optional<ScriptFailure> script_failure(std::uint32_t number) {
    enum : std::uint16_t { exec = 0x0220, script = 0x0280, parseopt = 0x1620 };
    enum : std::uint8_t { enoent = 0x2D, erange = 0x46 };
    const IpxeError error = split_ipxe_error(number);
    if (error.file == parseopt) {
        return ScriptFailure::wrong_usage;
    }
    if (error.file == script && error.posix == enoent) {
        return ScriptFailure::no_label;
    }
    if (error.file != exec) {
        return std::nullopt;
    }
    if (error.posix == posix_enoexec) {
        return ScriptFailure::unknown_command;
    }
    return error.posix == erange   ? std::optional{ScriptFailure::not_equal}
           : error.posix == enoent ? std::optional{ScriptFailure::not_set}
                                   : std::nullopt;
}

bool is_unknown_image(std::uint32_t number) {
    constexpr std::uint16_t image = 0x0080;
    return is_exec_format(number) && split_ipxe_error(number).file == image;
}

bool is_nothing_to_boot(std::uint32_t number) {
    const IpxeError error = split_ipxe_error(number);
    return error.posix == 0x2D && error.file == 0x03E0;
}

bool is_no_memory(std::uint32_t number) {
    enum : std::uint8_t { not_enough_memory = 0x31, no_space_left = 0x34 };
    const std::uint8_t posix = split_ipxe_error(number).posix;
    return posix == not_enough_memory || posix == no_space_left;
}

bool is_of_iscsi(std::uint32_t number) {
    constexpr std::uint16_t iscsi = 0x0D60;
    return split_ipxe_error(number).file == iscsi;
}

// src/core/open.c, xfer_open_uri: ENOTSUP
bool is_no_protocol(std::uint32_t number) {
    const IpxeError error = split_ipxe_error(number);
    return error.posix == 0x3C && error.file == 0x0920;
}

bool is_no_address(std::uint32_t number) {
    const IpxeError error = split_ipxe_error(number);
    return error.posix == 0x04 && error.file == 0x0EE0;
}

}  // namespace vml::boot
