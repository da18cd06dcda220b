#include "bootwatch/weight.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "bootwatch/ipxe_error.h"

namespace vml::boot {

namespace {

// Of a text in a report: "&quot;", "\u0007" and "/<wbr>" are the longest that becomes of a character,
// "\ufffd" (3 bytes) of a byte that is no UTF-8.
std::size_t text_weight(std::string_view text) {
    constexpr std::size_t escaped = 6;
    constexpr std::size_t replaced = 3;
    constexpr unsigned char first_printable = 0x20;
    constexpr char del = 0x7f;
    constexpr unsigned char first_beyond_ascii = 0x80;
    std::size_t weight = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool grows = byte < first_printable || c == del || c == '"' || c == '&' || c == '<' ||
                           c == '>' || c == '/' || c == '?' || c == '\\';
        weight += grows ? escaped : byte < first_beyond_ascii ? 1 : replaced;
    }
    return weight;
}

// Of one in a waterfall, which shows no more of it than there is room for, and all of it in its tooltip.
std::size_t bar_text_weight(std::string_view text) {
    constexpr std::size_t room = 690;  // 115 letters, escaped
    const std::size_t weight = text_weight(text);
    return weight + std::min(weight, room);
}

template <typename Items, typename Weight>
std::size_t sum_of(const Items& items, Weight weight) {
    return std::transform_reduce(items.begin(), items.end(), std::size_t{0}, std::plus<>{}, weight);
}

// The keys, the tags and what is drawn, without the texts.
constexpr std::size_t boot_frame = 4600;
constexpr std::size_t bar_frame = 700;
constexpr std::size_t mark_frame = 180;
constexpr std::size_t offer_frame = 620;
constexpr std::size_t option_frame = 24;
constexpr std::size_t talk_frame = 1900;
constexpr std::size_t probe_frame = 1300;
constexpr std::size_t fetch_frame = 785;
constexpr std::size_t lookup_frame = 140;
constexpr std::size_t complaint_frame = 150;
constexpr std::size_t line_frame = 60;

std::size_t weight(const Mark& mark) {
    return mark_frame + text_weight(mark.detail);
}

std::size_t weight(const Offer& offer) {
    const DhcpMessage& message = offer.message;
    return std::max(offer_frame, sizeof(Offer)) + option_frame * message.options.size() +
           sizeof(Address) * (message.routers.size() + message.dns_servers.size()) +
           text_weight(message.bootfile) + text_weight(message.server_name) + text_weight(message.root_path) +
           message.message.size() + message.vendor_class.size() + message.user_class.size();
}

std::size_t weight(const DhcpTalk& talk) {
    const auto of_offer = [](const Offer& offer) { return weight(offer); };
    return talk_frame + (talk.ack ? weight(*talk.ack) : 0) + (talk.own ? weight(*talk.own) : 0) +
           sum_of(talk.offers, of_offer) + sum_of(talk.naks, of_offer);
}

std::size_t weight(const Probe& probe) {
    return probe_frame + text_weight(probe.question.vendor_class) + text_weight(probe.question.user_class) +
           sum_of(probe.offers, [](const Offer& offer) { return weight(offer); });
}

std::size_t weight(const Fetch& fetch) {
    constexpr std::size_t note = 100;  // beside the words or the location
    const std::size_t words = text_weight(fetch.words);
    const std::size_t location = text_weight(fetch.location);
    const std::size_t json = fetch_frame + text_weight(fetch.url) + words + location;
    const std::size_t page = bar_frame + 2 * note + bar_text_weight(base_name(fetch.url)) +
                             std::max(bar_text_weight(fetch.words), bar_text_weight(fetch.location));
    const std::size_t memory =
        sizeof(Fetch) + fetch.text.size() + fetch.url.size() + fetch.words.size() + fetch.location.size();
    return std::max({json, page, memory});
}

std::size_t weight(const IpxeComplaint& complaint) {
    return complaint_frame + text_weight(complaint.line) + text_weight(explain_ipxe_error(complaint.number));
}

// What the page draws, beside the talks and the fetches.
std::size_t drawn_weight(const Boot& boot) {
    std::size_t weight = boot.outcome == Outcome::none ? 0 : bar_frame + bar_text_weight(boot.outcome_text);
    for (const Stage stage : {Stage::firmware, Stage::option_rom, Stage::kernel, Stage::os, Stage::agent}) {
        const auto first = std::find_if(boot.marks.begin(), boot.marks.end(),
                                        [&](const Mark& mark) { return mark.proves && mark.stage == stage; });
        weight += first == boot.marks.end() ? 0 : bar_frame + bar_text_weight(first->detail);
    }
    return weight;
}

// What a boot cannot do without.
void keep_the_stages(Boot& boot) {
    constexpr std::size_t longest = 40;
    std::vector<Mark> firsts;
    for (Mark& mark : boot.marks) {
        const bool known = std::any_of(firsts.begin(), firsts.end(),
                                       [&](const Mark& first) { return first.stage == mark.stage; });
        if (mark.proves && !known) {
            mark.detail = cut_to(mark.detail, longest);
            firsts.push_back(std::move(mark));
        }
    }
    boot.left_out.marks += boot.marks.size() - firsts.size();
    boot.marks = std::move(firsts);
    for (DhcpTalk& talk : boot.dhcp) {
        boot.left_out.offers += talk.offers.size() + (talk.ack ? 1 : 0) + (talk.own ? 1 : 0);
        boot.left_out.refusals += talk.naks.size();
        talk.offers.clear();
        talk.naks.clear();
        talk.ack.reset();
        talk.own.reset();
    }
    if (boot.probe) {
        keep_ends(boot.probe->offers, 0, boot.left_out.offers);
    }
    keep_ends(boot.dhcp, 1, boot.left_out.talks);
    keep_ends(boot.fetches, 0, boot.left_out.fetches);
    keep_ends(boot.lookups, 0, boot.left_out.lookups);
    keep_ends(boot.complaints, 0, boot.left_out.complaints);
    keep_ends(boot.firmware_errors, 0, boot.left_out.firmware_errors);
    keep_ends(boot.unanswered, 0, boot.left_out.unanswered);
    for (std::string* text :
         {&boot.ipxe_word, &boot.ipxe_usage, &boot.loader_error, &boot.stub_error, &boot.outcome_text}) {
        *text = cut_to(*text, longest);
    }
    for (std::optional<std::string>* text : {&boot.firmware, &boot.ipxe}) {
        *text = *text ? std::optional{cut_to(**text, longest)} : std::nullopt;
    }
    boot.console.keep(0);
    boot.ipv6.bootfile = cut_to(boot.ipv6.bootfile, longest);
}

std::size_t longest_list(const Boot& boot) {
    return std::max({boot.marks.size(), boot.dhcp.size(), boot.fetches.size(), boot.lookups.size(),
                     boot.complaints.size(), boot.firmware_errors.size(), boot.unanswered.size(),
                     most_offers + most_refusals});
}

void keep_ends_of_all(Boot& boot, std::size_t most) {
    for (const std::string_view name : stage_names()) {
        keep_marks(boot, *stage_named(name), most);
    }
    for (DhcpTalk& talk : boot.dhcp) {
        keep_ends(talk.offers, most, boot.left_out.offers);
        keep_ends(talk.naks, most, boot.left_out.refusals);
    }
    if (boot.probe) {
        keep_ends(boot.probe->offers, most, boot.left_out.offers);
    }
    keep_ends(boot.dhcp, most, boot.left_out.talks);
    keep_ends(boot.fetches, most, boot.left_out.fetches);
    keep_ends(boot.lookups, most, boot.left_out.lookups);
    keep_ends(boot.complaints, most, boot.left_out.complaints);
    keep_ends(boot.firmware_errors, most, boot.left_out.firmware_errors);
    keep_ends(boot.unanswered, most, boot.left_out.unanswered);
    boot.console.keep(most);
}

// How many items of each list, when so many were too heavy: little by little, what is a little too heavy
// loses little.
std::size_t fewer(std::size_t items, std::size_t weight, std::size_t most) {
    const double share = static_cast<double>(most) / static_cast<double>(weight);
    const auto left = static_cast<std::size_t>(static_cast<double>(items) * std::clamp(share, 0.5, 0.9));
    return std::min(left, items - 1);
}

// Gives what it weighs then.
std::size_t lighten(Boot& boot, std::size_t weight, std::size_t most) {
    for (std::size_t items = longest_list(boot); items > 1 && weight > most;) {
        items = fewer(items, weight, most);
        keep_ends_of_all(boot, items);
        weight = weight_of(boot);
    }
    if (weight > most) {
        keep_the_stages(boot);
        weight = weight_of(boot);
    }
    return weight;
}

// What the heaviest may weigh, so that all of them weigh no more than `most`.
std::size_t level_of(std::vector<std::size_t> weights, std::size_t most) {
    std::sort(weights.begin(), weights.end());
    std::size_t left = weights.size();
    for (const std::size_t weight : weights) {
        if (weight > most / left) {
            return most / left;
        }
        most -= weight;
        --left;
    }
    return std::numeric_limits<std::size_t>::max();
}

}  // namespace

void keep_marks(Boot& boot, Stage stage, std::size_t most) {
    if (boot.marks.size() <= most) {
        return;
    }
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < boot.marks.size(); ++i) {
        if (boot.marks[i].stage == stage) {
            places.push_back(i);
        }
    }
    const auto proof = std::find_if(places.begin(), places.end(),
                                    [&](std::size_t place) { return boot.marks[place].proves; });
    if (proof != places.end()) {
        places.erase(proof);
        --most;
    }
    if (places.size() <= most) {
        return;
    }
    const std::size_t surplus = places.size() - most;
    boot.left_out.marks += surplus;
    const auto first = std::next(places.begin(), static_cast<std::ptrdiff_t>(most / 2));
    for (auto place = std::next(first, static_cast<std::ptrdiff_t>(surplus)); place != first;) {
        boot.marks.erase(std::next(boot.marks.begin(), static_cast<std::ptrdiff_t>(*--place)));
    }
}

std::size_t weight_of(const Boot& boot) {
    std::size_t weight_of_texts =
        text_weight(boot.ipxe.value_or("")) + text_weight(boot.firmware.value_or("")) +
        sum_of(boot.console.lines(), [](const std::string& line) { return line_frame + text_weight(line); });
    for (const std::string* text : {&boot.ipxe_word, &boot.ipxe_usage, &boot.loader_error, &boot.stub_error,
                                    &boot.outcome_text, &boot.ipv6.bootfile}) {
        weight_of_texts += text_weight(*text);
    }
    const auto of_item = [](const auto& item) { return weight(item); };
    return boot_frame + weight_of_texts + drawn_weight(boot) + (boot.probe ? weight(*boot.probe) : 0) +
           sum_of(boot.marks, of_item) + sum_of(boot.dhcp, of_item) + sum_of(boot.fetches, of_item) +
           sum_of(boot.complaints, of_item) +
           sum_of(boot.lookups,
                  [](const Lookup& lookup) { return lookup_frame + text_weight(lookup.name); }) +
           sum_of(boot.firmware_errors,
                  [](const std::string& line) { return line_frame + text_weight(line); }) +
           boot.unanswered.size() * line_frame;
}

std::size_t weight_of(const std::vector<Boot>& boots) {
    return sum_of(boots, [](const Boot& boot) { return weight_of(boot); });
}

void lighten(std::vector<Boot>& boots, std::size_t most) {
    std::vector<std::size_t> weights;
    std::transform(boots.begin(), boots.end(), std::back_inserter(weights),
                   [](const Boot& boot) { return weight_of(boot); });
    if (std::reduce(weights.begin(), weights.end()) <= most) {
        return;
    }
    const std::size_t latest = weights.back();
    weights.pop_back();
    const std::size_t level = level_of(weights, most - std::min(most / 2, latest));
    std::size_t left = most;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        for (Fetch& fetch : boots[i].fetches) {
            fetch.text = {};
        }
        left -= std::min(left, lighten(boots[i], weights[i], level));
    }
    lighten(boots.back(), latest, left);
}

}  // namespace vml::boot
