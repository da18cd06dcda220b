#include "netserve/tftp_server.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/overloaded.h"

namespace vml::serve {

namespace {

std::string shown_name(std::string_view name) {
    constexpr std::size_t longest_shown = 200;
    return bytes_of(name).text(0, longest_shown);
}

bool is_same(const TftpRead& one, const TftpRead& other) {
    return one.file == other.file && one.mode == other.mode && one.options == other.options;
}

}  // namespace

std::string tftp_name(std::string_view asked) {
    std::string name{asked.substr(std::min(asked.find_first_not_of("/\\"), asked.size()))};
    std::replace(name.begin(), name.end(), '\\', '/');
    return name;
}

std::vector<std::string> TftpServer::take(const UdpEnd& client, std::string_view payload, Time now) {
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
    std::erase_if(transfers_, [](const auto& transfer) { return transfer.second.is_over(); });
    return answer;
}

std::vector<TftpServer::Sending> TftpServer::repeat(Time now) {
    std::vector<Sending> all;
    for (auto& [client, transfer] : transfers_) {
        if (transfer.due() <= now) {
            all.push_back({client, transfer.again(now)});
        }
    }
    std::erase_if(transfers_, [](const auto& transfer) { return transfer.second.is_over(); });
    return all;
}

std::optional<TftpServer::Time> TftpServer::next_repeat() const {
    std::optional<Time> next;
    for (const auto& [client, transfer] : transfers_) {
        next = std::min(next.value_or(transfer.due()), transfer.due());
    }
    return next;
}

// A request that comes again has met its answer on the way, or lost it.
std::vector<std::string> TftpServer::begin(const UdpEnd& client, TftpRead request, Time now) {
    if (const auto known = transfers_.find(client); known != transfers_.end()) {
        if (is_same(known->second.request(), request) && known->second.is_untouched()) {
            return known->second.first();
        }
        transfers_.erase(known);
    }
    if (request.mode != "octet") {
        return refuse(request, TftpErrorCode::undefined, "binary mode (octet) alone is served");
    }
    const std::string name = tftp_name(request.file);
    if (name.empty()) {
        return refuse(request, TftpErrorCode::not_found, "no file");
    }
    TftpFile file = config_.open(name);
    if (file.error != 0) {
        return refuse(request, file.error == ENOENT ? TftpErrorCode::not_found : TftpErrorCode::access,
                      errno_text(file.error));
    }
    make_room();
    const std::uint64_t size = file.size;
    auto& transfer = transfers_
                         .insert_or_assign(client, TftpTransfer{std::move(request), std::move(file),
                                                                config_.most_block, now})
                         .first->second;
    config_.on_request(fmt::format("tftp: {}: {} bytes, {}", shown_name(name), size, transfer.terms()));
    return transfer.first();
}

std::vector<std::string> TftpServer::refuse(const TftpRead& request, TftpErrorCode code,
                                            std::string_view why) const {
    config_.on_request(fmt::format("tftp: {}: refused: {}", shown_name(request.file), why));
    return {tftp_error(code, why)};
}

void TftpServer::make_room() {
    if (transfers_.size() >= most_transfers) {
        transfers_.erase(std::min_element(
            transfers_.begin(), transfers_.end(),
            [](const auto& a, const auto& b) { return a.second.heard() < b.second.heard(); }));
    }
}

}  // namespace vml::serve
