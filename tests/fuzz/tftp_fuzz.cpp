// Frames from a guest's link to the TFTP server: each is led by a byte with its length, and one with the
// seconds since the last one.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "netserve/tftp_server.h"
#include "netserve/udp_frame.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml::serve;

using Tftp = TftpServer<UdpEnd>;

constexpr std::size_t file_size = 70000;
constexpr std::size_t most_block = 1468;

TftpFile open_file(const std::string& name) {
    require(!name.empty() && name.front() != '/' && name.find('\0') == std::string::npos);
    if (name == "no") {
        return {0, {}, ENOENT};
    }
    return {file_size,
            [](std::uint64_t offset, std::size_t count) -> std::optional<std::string> {
                require(offset <= file_size && count <= file_size - offset);
                return std::string(count, 'x');
            },
            0};
}

void check(const std::vector<std::string>& payloads) {
    require(payloads.size() <= TftpTransfer::most_window);
    for (const std::string& payload : payloads) {
        require(payload.size() >= 4 && payload.size() <= most_block + 4);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input{reinterpret_cast<const char*>(data), size};
    Tftp server{{open_file, most_block, [](const std::string& line) { require(is_utf8(line)); }}};
    Tftp::Time now{};
    while (input.size() > 2) {
        const std::size_t length =
            std::min<std::size_t>(static_cast<std::uint8_t>(input[0]), input.size() - 2);
        now += std::chrono::seconds{static_cast<std::uint8_t>(input[1])};
        for (const auto& sending : server.repeat(now)) {
            check(sending.payloads);
        }
        const std::string_view frame = input.substr(2, length);
        if (const auto read = read_udp4(frame)) {
            check(server.take({read->ends.from, read->ends.from_port}, read->payload, now));
        }
        require(server.transfers() <= Tftp::most_transfers);
        require(server.next_repeat().has_value() == (server.transfers() > 0));
        input.remove_prefix(2 + length);
    }
    return 0;
}
