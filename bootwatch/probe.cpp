#include "bootwatch/probe.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vml::boot {

namespace {

const DhcpMessage* message_of(const Probe& probe, const Packet& packet) {
    const auto* message = std::get_if<DhcpMessage>(&packet.body);
    return message != nullptr && message->xid == probe.question.xid &&
                   message->chaddr == probe.question.chaddr
               ? message
               : nullptr;
}

std::string named_file_text(const DhcpMessage& message) {
    if (message.bootfile.empty()) {
        return message.root_path.empty() ? ", no file" : fmt::format(", root path {}", message.root_path);
    }
    return fmt::format(
        ", file {}{}", message.bootfile,
        message.next_server.is_zero() ? "" : fmt::format(" on {}", to_string(message.next_server)));
}

std::string or_none(const std::string& text) {
    return text.empty() ? "none" : text;
}

std::string arch_text(const std::optional<std::uint16_t>& arch) {
    return arch ? fmt::format("{}", *arch) : "none";
}

std::vector<std::uint8_t> codes_beyond(const std::vector<std::uint8_t>& all,
                                       const std::vector<std::uint8_t>& known) {
    constexpr std::array<std::uint8_t, 3> by_value{60, 77, 93};  // difference_text compares what they say
    std::vector<std::uint8_t> more;
    for (const std::uint8_t code : all) {
        if (std::find(by_value.begin(), by_value.end(), code) == by_value.end() &&
            std::find(known.begin(), known.end(), code) == known.end() &&
            std::find(more.begin(), more.end(), code) == more.end()) {
            more.push_back(code);
        }
    }
    return more;
}

// Each is as it is, whoever is right: servers may share a pool, or stand in for each other.
void add_meaning(const Probe& probe, std::vector<std::string>& lines) {
    std::vector<std::string> addresses;
    std::vector<std::string> named;
    for (const Offer& offer : probe.offers) {
        if (!offer.proxy()) {
            addresses.push_back(to_string(offer.sender));
        }
        if (!offer.message.bootfile.empty()) {
            named.push_back(fmt::format("{} by {}", offer.message.bootfile, to_string(offer.sender)));
        }
    }
    if (addresses.empty()) {
        lines.emplace_back("nobody offers an address: a client needs a DHCP server beside ProxyDHCP");
    } else if (addresses.size() > 1) {
        lines.push_back(fmt::format("{} servers offer an address, and a client takes one of them: {}",
                                    addresses.size(), fmt::join(addresses, ", ")));
    }
    if (named.size() > 1) {
        lines.push_back(fmt::format("{} servers name a file: {}", named.size(), fmt::join(named, ", ")));
    }
}

}  // namespace

bool belongs_to(const Probe& probe, const Packet& packet) {
    return message_of(probe, packet) != nullptr;
}

bool add_answer(Probe& probe, double at, const Packet& packet) {
    const DhcpMessage* message = message_of(probe, packet);
    if (message == nullptr || !message->from_server || message->kind != DhcpKind::offer ||
        probe.offers.size() >= most_offers) {
        return false;
    }
    // A relay passes on what several servers offer.
    const auto same = [&](const Offer& old) {
        return old.sender == packet.from.address && old.message.server_id == message->server_id;
    };
    if (std::any_of(probe.offers.begin(), probe.offers.end(), same)) {
        return false;
    }
    probe.offers.push_back({at, *message, packet.from.address});
    return true;
}

bool has_address(const Probe& probe) {
    return std::any_of(probe.offers.begin(), probe.offers.end(),
                       [](const Offer& offer) { return !offer.proxy(); });
}

std::string answer_text(const Offer& offer) {
    const DhcpMessage& message = offer.message;
    return fmt::format("{} offers {}{} (options {})", to_string(offer.sender),
                       offer.proxy() ? "no address, as ProxyDHCP" : to_string(message.yours),
                       named_file_text(message), fmt::join(message.options, ", "));
}

std::vector<std::string> answer_lines(const Probe& probe) {
    std::vector<std::string> lines;
    for (const Offer& offer : probe.offers) {
        lines.push_back(answer_text(offer));
    }
    if (!lines.empty()) {
        add_meaning(probe, lines);
    }
    return lines;
}

std::string difference_text(const Probe& probe, const DhcpTalk& guest) {
    const DhcpMessage& question = probe.question;
    std::vector<std::string> parts;
    const auto compare = [&](int code, const std::string& theirs, const std::string& ours) {
        if (theirs != ours) {
            parts.push_back(fmt::format("option {} is {}, not {}", code, theirs, ours));
        }
    };
    compare(60, or_none(guest.vendor_class), or_none(question.vendor_class));
    compare(77, or_none(guest.user_class), or_none(question.user_class));
    compare(93, arch_text(guest.client_arch), arch_text(question.client_arch));
    const auto tell = [&](std::string_view verb, const std::vector<std::uint8_t>& codes,
                          std::string_view end) {
        if (!codes.empty()) {
            parts.push_back(fmt::format("it {} option{} {}{}", verb, codes.size() == 1 ? "" : "s",
                                        fmt::join(codes, ", "), end));
        }
    };
    tell("has", codes_beyond(guest.options, question.options), " too");
    tell("lacks", codes_beyond(question.options, guest.options), "");
    return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace vml::boot
