// Fetches by TFTP (RFC 1350, 2347 to 2349).
#include <utility>

#include <fmt/format.h>

#include "bootwatch/fetches.h"

namespace vml::boot {

namespace {

constexpr std::uint16_t tftp_port = 69;

FetchFault fault_of_tftp(std::uint16_t code) {
    constexpr std::uint16_t file_not_found = 1;
    constexpr std::uint16_t access_violation = 2;
    return code == file_not_found     ? FetchFault::not_found
           : code == access_violation ? FetchFault::access_denied
                                      : FetchFault::other_error;
}
}  // namespace

std::optional<std::size_t> Fetches::tftp_request(double at, const Packet& packet,
                                                 const TftpRequest& request) {
    const std::string url =
        cut_to(fmt::format("tftp://{}/{}", host_text(packet.to, tftp_port),
                           request.file.starts_with('/') ? request.file.substr(1) : request.file),
               longest_url);
    // The same file asked for again, from whatever port, while nobody has given it yet: a repetition.
    const auto earlier = latest_of(fetches_, [&](const Fetch& fetch) {
        const bool unanswered = fetch.state == FetchState::asked || fetch.fault == FetchFault::refused;
        return unanswered && fetch.url == url;
    });
    if (earlier) {
        ++fetches_[*earlier].repeats;
        fetches_[*earlier].latest = at;
    }
    const std::optional<std::size_t> index =
        earlier ? earlier : begin(at, {.protocol = "tftp", .url = url, .server = packet.to});
    // Of too many sessions, the one goes of which nothing came for longest.
    make_room_for(packet.from.port, tftp_, most_sessions,
                  [this](const TftpSession& session) { return fetches_[session.fetch].latest; });
    tftp_[packet.from.port] = {.fetch = *index, .server_port = packet.to.port};
    return earlier ? std::nullopt : index;
}

void Fetches::tftp_options(double at, std::uint16_t port, const TftpOptions& options) {
    const auto session = tftp_.find(port);
    if (session == tftp_.end() || session->second.over) {
        return;
    }
    Fetch& fetch = fetches_[session->second.fetch];
    fetch.latest = at;
    note_answer(fetch, at);
    if (options.block_size && *options.block_size > 0) {
        session->second.block_size = *options.block_size;
    }
    if (options.file_size) {
        fetch.expected = options.file_size;
    }
}
std::optional<std::size_t> Fetches::tftp_data(double at, std::uint16_t port, const TftpData& data) {
    const auto found = tftp_.find(port);
    if (found == tftp_.end() || found->second.over || fetches_[found->second.fetch].ended) {
        return std::nullopt;
    }
    TftpSession& session = found->second;
    Fetch& fetch = fetches_[session.fetch];
    const bool first = fetch.state == FetchState::asked;
    // Block numbers wrap at 16 bits; a block sent again is behind the highest one.
    const auto ahead = static_cast<std::int16_t>(data.block - static_cast<std::uint16_t>(session.blocks));
    if (ahead > 0) {
        session.blocks += static_cast<std::uint64_t>(ahead);
        fetch.received = (session.blocks - 1) * session.block_size + data.size;
    }
    // What a file is shows in its first 518 bytes, which are more than one block where none was negotiated.
    if (ahead == 1 && wants_more(fetch, session.head.size()) &&
        session.head.size() == (session.blocks - 1) * session.block_size) {
        session.head += data.head.substr(0, longest_script - session.head.size());
        look_into(fetch, session.head);
    }
    fetch.state = FetchState::receiving;
    note_answer(fetch, at);
    fetch.latest = ahead > 0 ? at : fetch.latest;
    if (data.size < session.block_size) {
        session.over = true;
        session.head = {};
        return end(session.fetch, at, FetchState::done, FetchFault::none);
    }
    return first ? std::optional{session.fetch} : std::nullopt;
}

std::optional<std::size_t> Fetches::tftp_error(double at, bool from_guest, std::uint16_t port,
                                               const TftpError& error) {
    const auto found = tftp_.find(port);
    if (found == tftp_.end() || std::exchange(found->second.over, true)) {
        return std::nullopt;
    }
    Fetch& fetch = fetches_[found->second.fetch];
    if (from_guest && fetch.state == FetchState::asked) {
        // PXE clients ask for the size first, and break off once they know it: no fetch at all.
        fetch.protocol = "tftp-size";
        return end(found->second.fetch, at, FetchState::done, FetchFault::none);
    }
    if (!from_guest) {
        note_answer(fetch, at);
    }
    fetch.words = cut_to(error.message, longest_words);
    return end(found->second.fetch, at, FetchState::failed,
               from_guest ? FetchFault::given_up : fault_of_tftp(error.code));
}

std::optional<std::size_t> Fetches::unreachable(double at, const Unreachable& message) {
    if (message.udp) {
        const auto found = tftp_.find(message.sender.port);
        if (found != tftp_.end() && !found->second.over && found->second.server_port == message.target.port) {
            fetches_[found->second.fetch].words =
                fmt::format("ICMP destination unreachable, code {}", message.code);
            found->second.over = true;
            return end(found->second.fetch, at, FetchState::failed, FetchFault::refused);
        }
    }
    return std::nullopt;
}

}  // namespace vml::boot
