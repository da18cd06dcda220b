// Packets of one guest → what it fetched, from where, how fast, and what went wrong. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/bounds.h"
#include "bootwatch/chain_rounds.h"
#include "bootwatch/content.h"
#include "bootwatch/packet.h"

namespace vml::boot {

enum class FetchState {
    asked,      // the request was sent
    receiving,  // bytes are coming
    done,
    failed,
};

enum class FetchFault {
    none,
    not_found,      // TFTP error 1, HTTP 404 and 410
    access_denied,  // TFTP error 2, HTTP 401 and 403
    refused,        // nobody listens there: TCP reset, ICMP port unreachable
    no_answer,      // the request was repeated, and nobody answered
    server_error,   // HTTP 5xx
    client_error,   // other HTTP 4xx
    other_error,    // another TFTP error
    truncated,      // the server ended the connection before all bytes had come
    tls_alert,      // the TLS handshake failed
    given_up,       // the guest ended it before all bytes had come
};

// "not-found": in the report.
[[nodiscard]] std::string_view name_of(FetchFault fault);

// Times are in seconds since the machine began to run.
struct Fetch {
    std::string protocol;  // "tftp", "http", "https", "iscsi"; "tcp": nothing that is known
    std::string url;       // "tftp://10.0.2.2/boot.ipxe"
    Endpoint server;
    double began = 0;
    double latest = 0;                 // when something last happened
    std::optional<double> ended{};     // done or failed
    std::optional<double> answered{};  // when the first byte of the server's answer came
    std::uint64_t received = 0;        // bytes of the file
    std::optional<std::uint64_t> expected{};
    unsigned repeats = 0;         // how often the request was sent again
    unsigned ranges = 0;          // pieces that were asked for (RFC 9110, 14), as for a SAN boot: one fetch
    std::optional<int> status{};  // HTTP's
    std::string location{};       // where HTTP redirects to
    FetchState state = FetchState::asked;
    FetchFault fault = FetchFault::none;
    std::string words{};  // the server's own words for its error
    bool by_console =
        false;  // its packets were not seen: iPXE's console told of it, and not how large it was
    Content content = Content::unknown;
    std::string text{};     // of a script or another text: its beginning, as far as it was seen without a gap
    bool bare = false;      // a connection, over which nothing was asked so far
    bool accepted = false;  // by the server, where it is a connection

    bool operator==(const Fetch&) const = default;
};

// Something of the server's answer came.
inline void note_answer(Fetch& fetch, double at) {
    fetch.answered = fetch.answered.value_or(at);
}

// Does it only ask for the size, and fetch nothing?
[[nodiscard]] bool is_probe(const Fetch& fetch);

// Was it asked for over a connection that the server took, and has nothing come since?
[[nodiscard]] bool awaits_answer(const Fetch& fetch);
// Did the guest lose patience with such a server?
[[nodiscard]] bool is_given_up_unanswered(const Fetch& fetch);

// A server's address in a URL, with its port where that is not the protocol's usual one.
[[nodiscard]] std::string host_text(const Endpoint& server, std::uint16_t usual_port);

// The last part of a URL's path, or the whole URL where that is empty.
[[nodiscard]] std::string_view base_name(std::string_view url);

// Are more of its first bytes of use than were seen?
[[nodiscard]] bool wants_more(const Fetch& fetch, std::size_t seen);

// Bytes a second; 0 while that cannot be told.
[[nodiscard]] double speed_of(const Fetch& fetch);

struct Lookup {
    std::string name;
    double at = 0;
    bool answered = false;
    bool found = false;
    std::uint8_t rcode = 0;

    bool operator==(const Lookup&) const = default;
};

// The place of the latest of these that is like this.
template <typename Like>
[[nodiscard]] std::optional<std::size_t> latest_of(const std::vector<Fetch>& fetches, const Like& is_like) {
    const auto latest = std::find_if(fetches.rbegin(), fetches.rend(), is_like);
    return latest == fetches.rend()
               ? std::nullopt
               : std::optional{static_cast<std::size_t>(std::distance(latest, fetches.rend())) - 1};
}

class Fetches {
  public:
    // Notes a packet, sent by the guest or to it. Gives the index of the fetch that it began, answered or
    // ended, if any: progress alone is no news.
    std::optional<std::size_t> see(double at, bool from_guest, const Packet& packet);

    // iPXE says on its console that it has the file of this name or URL: so the latest fetch is over, should
    // its last packets not have been seen; or there is one of which, behind a large file, no packet was.
    // Gives its index, if there was news.
    std::optional<std::size_t> said_to_be_done(double at, std::string_view name);
    // The same of one that failed, with iPXE's error number.
    std::optional<std::size_t> said_to_have_failed(double at, std::string_view name, std::uint32_t number);

    [[nodiscard]] const std::vector<Fetch>& all() const { return fetches_; }
    [[nodiscard]] const std::vector<Lookup>& lookups() const { return lookups_; }

    // What is no more in these lists; nothing else.
    [[nodiscard]] const LeftOut& left_out() const { return left_out_; }

    // A DHCP server acknowledged an address to the guest.
    void gets_address(double at) { rounds_.address(at); }
    [[nodiscard]] unsigned chain_rounds() const { return rounds_.most(); }

    static constexpr std::size_t most_fetches = most_fetched + most_bare;
    static constexpr std::size_t most_sessions = 64;  // of TFTP; of TCP twice as many

  private:
    // What is going on at one port of the guest.
    struct TftpSession {
        std::size_t fetch = 0;
        std::uint64_t block_size = 512;  // RFC 1350, 2
        std::uint64_t blocks = 0;        // received, as a number that does not wrap
        bool over = false;
        std::uint16_t server_port = 69;  // that was asked
        std::string head{};              // the file's first bytes
    };
    struct TcpSession {
        std::optional<std::size_t> fetch;
        double latest = 0;  // when something last came over it
        bool accepted = false;
        bool secret = false;  // TLS
        bool asked = false;   // by HTTP
        bool head_only = false;
        bool ranged = false;
        bool chunked = false;                     // RFC 9112, 7.1
        std::optional<std::uint64_t> expected{};  // bytes of this response's body
        std::uint64_t received = 0;
        std::string header{};                     // of the response, as long as it is not whole
        std::optional<std::uint32_t> body_begin;  // sequence number
        std::uint32_t request = 0;                // sequence number of the latest request
        std::uint32_t highest = 0;                // sequence number past the last byte from the server
        std::string head{};                       // the body's first bytes, as they came
    };

    using TcpKey = std::pair<std::uint16_t, Endpoint>;  // the guest's port, the server

    TcpSession& new_session(const TcpKey& key, double at);
    [[nodiscard]] std::string missed(std::string_view name) const;
    std::optional<std::size_t> begin_missed(double at, std::string_view name);
    std::optional<std::size_t> begin(double at, Fetch fetch);
    std::optional<std::size_t> end(std::size_t index, double at, FetchState state, FetchFault fault);

    void make_room(bool bare);
    void drop(std::size_t index);
    void asks(TcpSession& session);
    // Of the file's first bytes, without a gap.
    void look_into(Fetch& fetch, std::string_view head);
    std::optional<std::size_t> tftp_request(double at, const Packet& packet, const TftpRequest& request);
    std::optional<std::size_t> tftp_data(double at, std::uint16_t port, const TftpData& data);
    std::optional<std::size_t> tftp_error(double at, bool from_guest, std::uint16_t port,
                                          const TftpError& error);
    void tftp_options(double at, std::uint16_t port, const TftpOptions& options);
    std::optional<std::size_t> unreachable(double at, const Unreachable& message);

    std::optional<std::size_t> from_guest(double at, const Packet& packet, const TcpSegment& segment);
    std::optional<std::size_t> from_server(double at, const Packet& packet, const TcpSegment& segment);
    std::optional<std::size_t> http_request(double at, const Packet& packet, TcpSession& session,
                                            const TcpSegment& segment);
    void iscsi_login(const Packet& packet, TcpSession& session, std::string_view head);
    std::optional<std::size_t> tls_hello(double at, const Packet& packet, TcpSession& session,
                                         std::string_view head);
    std::optional<std::size_t> tls_alert(double at, TcpSession& session, std::string_view head);
    void ask_on_this_connection(double at, const Packet& packet, TcpSession& session, const std::string& url,
                                bool range);
    static void read_header(Fetch& fetch, TcpSession& session, std::string_view header);
    void look_into_body(TcpSession& session, bool whole);
    std::optional<std::size_t> response_over(double at, TcpSession& session, FetchState state,
                                             FetchFault fault);
    std::optional<std::size_t> http_response(double at, TcpSession& session, const TcpSegment& segment);
    std::optional<std::size_t> body_bytes(double at, TcpSession& session, const TcpSegment& segment);
    std::optional<std::size_t> tcp_ended(double at, TcpSession& session, bool by_guest, bool reset);
    std::optional<std::size_t> look_up(double at, bool from_guest, const DnsMessage& message);

    std::vector<Fetch> fetches_;
    std::vector<Lookup> lookups_;
    std::map<std::uint16_t, TftpSession> tftp_;  // by the guest's port
    std::map<TcpKey, TcpSession> tcp_;
    std::size_t bare_ = 0;  // how many of the fetches are bare connections
    std::size_t text_kept_ = 0;
    ChainRounds rounds_;
    LeftOut left_out_;
};

}  // namespace vml::boot
