#include "netserve/tftp_message.h"

#include <algorithm>

#include "base/bytes.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

enum TftpOpcode : std::uint16_t { read = 1, write = 2, data = 3, acknowledged = 4, error = 5, options = 6 };
constexpr std::size_t opcode_size = 2;

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return lower;
}

// Texts, each with a NUL at its end. What comes after the last NUL is none.
std::vector<std::string_view> texts_in(std::string_view bytes) {
    std::vector<std::string_view> texts;
    for (std::size_t end = bytes.find('\0'); end != std::string_view::npos; end = bytes.find('\0')) {
        texts.push_back(bytes.substr(0, end));
        bytes.remove_prefix(end + 1);
    }
    return texts;
}

std::optional<TftpMessage> read_request(std::string_view bytes) {
    const std::vector<std::string_view> texts = texts_in(bytes);
    if (texts.size() < 2) {
        return std::nullopt;
    }
    TftpRead request{std::string{texts[0]}, lower_case(texts[1]), {}};
    for (std::size_t i = 2; i + 1 < texts.size(); i += 2) {
        request.options.emplace_back(lower_case(texts[i]), texts[i + 1]);
    }
    return request;
}

}  // namespace

std::optional<TftpMessage> tftp_message(std::string_view payload) {
    const Bytes bytes = bytes_of(payload);
    if (!bytes.has(0, opcode_size)) {
        return std::nullopt;
    }
    switch (bytes.be16(0)) {
        case read:
            return read_request(payload.substr(opcode_size));
        case write:
            return TftpWrite{};
        case acknowledged:
            return bytes.has(opcode_size, 2) ? std::optional<TftpMessage>{TftpAcknowledged{bytes.be16(2)}}
                                             : std::nullopt;
        case error:
            return TftpAbort{};
        default:
            return std::nullopt;
    }
}

std::string tftp_options(const TftpOptionList& options) {
    std::string text = be16(TftpOpcode::options);
    for (const auto& [name, value] : options) {
        (text += name) += '\0';
        (text += value) += '\0';
    }
    return text;
}

std::string tftp_data(std::uint16_t block, std::string_view bytes) {
    return (be16(TftpOpcode::data) + be16(block)).append(bytes);
}

std::string tftp_error(TftpErrorCode code, std::string_view text) {
    return (be16(TftpOpcode::error) + be16(static_cast<std::uint16_t>(code))).append(text) + '\0';
}

}  // namespace vml::serve
