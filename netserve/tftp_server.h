// A TFTP server for reading, to one guest, as datagrams in and datagrams out. Pure but for what `open` does.
//
// It answers from the port where it is asked: the client's port tells its transfers apart (RFC 1350, 4, lets
// a server choose a port for each, and clients take what comes from the first).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "netserve/tftp_transfer.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

inline constexpr std::uint16_t tftp_port = 69;

// The name of a file in what is served: without the slash that makes it absolute, and with slashes for
// backslashes. What is above the folder, `open` has to refuse.
[[nodiscard]] std::string tftp_name(std::string_view asked);

class TftpServer {
  public:
    using Time = TftpTransfer::Time;
    struct Config {
        std::function<TftpFile(const std::string& name)> open;
        std::size_t most_block = TftpTransfer::usual_block;  // bytes that a frame of the link has room for
        // A line for each request, for the debug level.
        std::function<void(const std::string& line)> on_request;
    };
    // To one client, in this order.
    struct Sending {
        UdpEnd client;
        std::vector<std::string> payloads;
    };

    explicit TftpServer(Config config) : config_{std::move(config)} {}

    // What is due for a datagram of this client's.
    [[nodiscard]] std::vector<std::string> take(const UdpEnd& client, std::string_view payload, Time now);
    // What has been answered by nobody, once more.
    [[nodiscard]] std::vector<Sending> repeat(Time now);
    // When that is to be asked for; never, where nothing is on its way.
    [[nodiscard]] std::optional<Time> next_repeat() const;
    [[nodiscard]] std::size_t transfers() const { return transfers_.size(); }

    // At once; a guest's client has one or two, and who has more loses the one that is quiet for the longest.
    static constexpr std::size_t most_transfers = 8;

  private:
    using Transfers = std::map<UdpEnd, TftpTransfer>;

    [[nodiscard]] std::vector<std::string> begin(const UdpEnd& client, TftpRead request, Time now);
    [[nodiscard]] std::vector<std::string> refuse(const TftpRead& request, TftpErrorCode code,
                                                  std::string_view why) const;
    void make_room();

    Config config_;
    Transfers transfers_;
};

}  // namespace vml::serve
