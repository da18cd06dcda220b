#include "netserve/tftp_server.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"

namespace vml::serve {

namespace {

std::string shown_name(std::string_view name) {
    constexpr std::size_t longest_shown = 200;
    return bytes_of(name).text(0, longest_shown);
}

TftpBeginning refused(const TftpConfig& config, const TftpRead& request, TftpErrorCode code,
                      std::string_view why) {
    config.on_request(fmt::format("tftp: {}: refused: {}", shown_name(request.file), why));
    return {std::nullopt, tftp_error(code, why)};
}

}  // namespace

std::string tftp_name(std::string_view asked) {
    std::string name{asked.substr(std::min(asked.find_first_not_of("/\\"), asked.size()))};
    std::replace(name.begin(), name.end(), '\\', '/');
    return name;
}

TftpBeginning tftp_beginning(const TftpConfig& config, TftpRead request, TftpTransfer::Time now) {
    if (request.mode != "octet") {
        return refused(config, request, TftpErrorCode::undefined, "binary mode (octet) alone is served");
    }
    const std::string name = tftp_name(request.file);
    if (name.empty()) {
        return refused(config, request, TftpErrorCode::not_found, "no file");
    }
    TftpFile file = config.open(name);
    if (file.error != 0) {
        const bool missing = file.error == ENOENT || file.error == ENOTDIR;
        return refused(config, request, missing ? TftpErrorCode::not_found : TftpErrorCode::access,
                       errno_text(file.error));
    }
    const std::string shown = shown_name(name);
    const std::uint64_t size = file.size;
    TftpTransfer transfer{std::move(request), std::move(file), config.most_block, now};
    config.on_request(fmt::format("tftp: {}: {} bytes, {}", shown, size, transfer.terms()));
    return {std::move(transfer), {}};
}

}  // namespace vml::serve
