// A TFTP server for reading, as datagrams in and datagrams out, for any way by which they come and go: frames
// on a guest's tap (launcher/watch/tap_tftp.h) and a UDP socket (socket_tftp.h). Pure but for what `open`
// does.
//
// It answers from the port where it is asked: the client's address and port tell its transfers apart
// (RFC 1350, 4, lets a server choose a port for each, and clients take what comes from the first).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/overloaded.h"
#include "netserve/tftp_transfer.h"

namespace vml::serve {

inline constexpr std::uint16_t tftp_port = 69;

// The name of a file in what is served: without the slash that makes it absolute, and with slashes for
// backslashes. What is above the folder, `open` has to refuse.
[[nodiscard]] std::string tftp_name(std::string_view asked);

struct TftpConfig {
    std::function<TftpFile(const std::string& name)> open;
    std::size_t most_block = TftpTransfer::usual_block;  // bytes that a frame of the link has room for
    // A line for each request, for the debug level.
    std::function<void(const std::string& line)> on_request;
};

// What a request begins: a transfer, or that there is none.
struct TftpBeginning {
    std::optional<TftpTransfer> transfer;
    std::string refusal;  // the datagram, where there is none
};
[[nodiscard]] TftpBeginning tftp_beginning(const TftpConfig& config, TftpRead request,
                                           TftpTransfer::Time now);

// `Client`: its address and port, which have an order.
template <typename Client>
class TftpServer {
  public:
    using Time = TftpTransfer::Time;
    // To one client, in this order.
    struct Sending {
        Client client;
        std::vector<std::string> payloads;
    };

    explicit TftpServer(TftpConfig config) : config_{std::move(config)} {}

    // What is due for a datagram of this client's.
    [[nodiscard]] std::vector<std::string> take(const Client& client, std::string_view payload, Time now);
    // What has been answered by nobody, once more.
    [[nodiscard]] std::vector<Sending> repeat(Time now);
    // When that is to be asked for; never, where nothing is on its way.
    [[nodiscard]] std::optional<Time> next_repeat() const;
    [[nodiscard]] std::size_t transfers() const { return transfers_.size(); }

    // At once; a guest's client has one or two, and who has more loses the one that is quiet for the longest.
    static constexpr std::size_t most_transfers = 8;

  private:
    [[nodiscard]] std::vector<std::string> begin(const Client& client, TftpRead request, Time now);
    void make_room();
    void drop_finished() {
        std::erase_if(transfers_, [](const auto& transfer) { return transfer.second.is_over(); });
    }

    TftpConfig config_;
    std::map<Client, TftpTransfer> transfers_;
};

template <typename Client>
std::vector<std::string> TftpServer<Client>::take(const Client& client, std::string_view payload, Time now) {
    std::optional<TftpMessage> message = tftp_message(payload);
    const auto known = transfers_.find(client);
    if (!message) {
        return known == transfers_.end() ? std::vector{tftp_error(TftpErrorCode::illegal, "no TFTP request")}
                                         : std::vector<std::string>{};
    }
    std::vector<std::string> answer = std::visit(
        Overloaded{[&](TftpRead& request) { return begin(client, std::move(request), now); },
                   [&](const TftpWrite&) {
                       return std::vector{tftp_error(TftpErrorCode::access, "nothing is written here")};
                   },
                   // Of one that is over it is the last one's repetition.
                   [&](const TftpAcknowledged& acknowledged) {
                       return known == transfers_.end() ? std::vector<std::string>{}
                                                        : known->second.acknowledged(acknowledged.block, now);
                   },
                   [&](const TftpAbort&) {
                       transfers_.erase(client);
                       return std::vector<std::string>{};
                   }},
        *message);
    drop_finished();
    return answer;
}

template <typename Client>
std::vector<typename TftpServer<Client>::Sending> TftpServer<Client>::repeat(Time now) {
    std::vector<Sending> all;
    for (auto& [client, transfer] : transfers_) {
        if (transfer.due() <= now) {
            all.push_back({client, transfer.again(now)});
        }
    }
    drop_finished();
    return all;
}

template <typename Client>
std::optional<TftpTransfer::Time> TftpServer<Client>::next_repeat() const {
    std::optional<Time> next;
    for (const auto& [client, transfer] : transfers_) {
        next = std::min(next.value_or(transfer.due()), transfer.due());
    }
    return next;
}

// A request that comes again has met its answer on the way, or lost it.
template <typename Client>
std::vector<std::string> TftpServer<Client>::begin(const Client& client, TftpRead request, Time now) {
    if (const auto known = transfers_.find(client); known != transfers_.end()) {
        if (known->second.request() == request && known->second.is_untouched()) {
            return known->second.first();
        }
        transfers_.erase(known);
    }
    TftpBeginning beginning = tftp_beginning(config_, std::move(request), now);
    if (!beginning.transfer) {
        return {std::move(beginning.refusal)};
    }
    make_room();
    return transfers_.insert_or_assign(client, *std::move(beginning.transfer)).first->second.first();
}

template <typename Client>
void TftpServer<Client>::make_room() {
    if (transfers_.size() >= most_transfers) {
        transfers_.erase(std::min_element(
            transfers_.begin(), transfers_.end(),
            [](const auto& a, const auto& b) { return a.second.heard() < b.second.heard(); }));
    }
}

}  // namespace vml::serve
