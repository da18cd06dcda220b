#include "launcher/events/boot_news.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"

namespace vml::events {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_looked_at = 16;
constexpr std::size_t most_remembered = 64;

Event dhcp(unsigned boot, const boot::DhcpTalk& talk, std::string_view type, double at) {
    return {Kind::dhcp,
            {{"boot", boot},
             {"nic", talk.nic},
             {"client", boot::name_of(talk.client)},
             {"type", type},
             {"at", boot::rounded(at)}}};
}

Event dhcp(unsigned boot, const boot::DhcpTalk& talk, std::string_view type, const boot::Offer& offer) {
    Event event = dhcp(boot, talk, type, offer.at);
    event.fields.update(boot::offer_as_json(offer));
    return event;
}

Event console(unsigned boot, std::string_view sign, double at, std::string_view text,
              const ordered_json& more = ordered_json::object()) {
    Event event{Kind::console, {{"boot", boot}, {"sign", sign}, {"at", boot::rounded(at)}, {"text", text}}};
    event.fields.update(more);
    return event;
}

bool is_over(boot::FetchState state) {
    return state == boot::FetchState::done || state == boot::FetchState::failed;
}

// How many at the end of a list are new, of which `seen` were seen in all, and `told` are told.
template <typename Item>
std::size_t new_of(const std::vector<Item>& items, std::uint64_t left_out, std::uint64_t& told) {
    const std::uint64_t seen = items.size() + left_out;
    const std::uint64_t fresh = seen - std::min(seen, std::exchange(told, seen));
    return static_cast<std::size_t>(std::min<std::uint64_t>(fresh, items.size()));
}

}  // namespace

void BootNews::begin(const boot::Boot& boot) {
    ++boot_;
    began_ = boot.began;
    fetches_.clear();
    talks_.clear();
    console_ = {};
    news_.push_back(boot_begins(boot_, boot.began));
}

std::vector<Event> BootNews::look(double at, const boot::Boot& boot,
                                  const std::vector<boot::Fetch>& fetches) {
    if (began_ != boot.began) {
        begin(boot);
    }
    looked_at_ = at;
    looked_on_ = !fetches.empty() && fetches.back().state == boot::FetchState::receiving ? fetches.size() : 0;
    for (const boot::DhcpTalk& talk : boot.dhcp) {
        look_at_talk(at, talk);
    }
    look_at_console(at, boot);
    const std::size_t count = std::min(fetches.size(), most_looked_at);
    for (auto fetch = std::prev(fetches.end(), static_cast<std::ptrdiff_t>(count)); fetch != fetches.end();
         ++fetch) {
        look_at_fetch(at, *fetch, false);
    }
    return std::exchange(news_, {});
}

bool BootNews::can_wait(double at, const std::vector<boot::Fetch>& fetches) const {
    return looked_on_ != 0 && looked_on_ == fetches.size() &&
           fetches.back().state == boot::FetchState::receiving && at - looked_at_ < longest_wait_s;
}

std::vector<Event> BootNews::last_look(double at, const boot::Boot& boot,
                                       const std::vector<boot::Fetch>& fetches) {
    std::vector<Event> news = look(at, boot, fetches);
    for (const boot::Fetch& fetch : fetches) {
        if (told_of(fetch) != nullptr) {
            look_at_fetch(at, fetch, true);
        }
    }
    const std::vector<Event> rest = std::exchange(news_, {});
    news.insert(news.end(), rest.begin(), rest.end());
    return news;
}

void BootNews::look_at_talk(double at, const boot::DhcpTalk& talk) {
    auto told = std::find_if(talks_.begin(), talks_.end(), [&](const ToldTalk& each) {
        return each.began == talk.began && each.nic == talk.nic;
    });
    if (told == talks_.end()) {
        if (talks_.size() >= most_remembered) {
            talks_.erase(talks_.begin());
        }
        talks_.push_back({.began = talk.began, .nic = talk.nic});
        told = std::prev(talks_.end());
    }
    const auto say = [&](std::string_view type, const auto& what) {
        news_.push_back(dhcp(boot_, talk, type, what));
    };
    const auto count = [&](std::string_view type, unsigned now, unsigned& before) {
        if (std::exchange(before, now) != now) {
            say(type, at);
        }
    };
    const auto list = [&](std::string_view type, const std::vector<boot::Offer>& now, std::size_t& before) {
        for (std::size_t next = std::exchange(before, now.size()); next < now.size(); ++next) {
            say(type, now[next]);
        }
    };
    const auto one = [&](std::string_view type, const std::optional<boot::Offer>& now,
                         std::optional<double>& before) {
        if (now && before != now->at) {
            before = now->at;
            say(type, *now);
        }
    };
    count("discover", talk.discovers, told->discovers);
    list("offer", talk.offers, told->offers);
    one("own-offer", talk.own, told->own);
    count("request", talk.requests, told->requests);
    one("ack", talk.ack, told->ack);
    list("nak", talk.naks, told->naks);
    count("decline", talk.declines, told->declines);
    count("boot-server-request", talk.boot_server_requests, told->boot_server_requests);
    if (talk.boot_server_answered && !std::exchange(told->boot_server_answered, true)) {
        say("boot-server-answer", at);
    }
}

void BootNews::look_at_console(double at, const boot::Boot& boot) {
    if (boot.ipxe && console_.ipxe != boot.ipxe) {
        console_.ipxe = boot.ipxe;
        news_.push_back(console(boot_, "ipxe", at, *boot.ipxe));
    }
    const std::size_t complaints = new_of(boot.complaints, boot.left_out.complaints, console_.complaints);
    for (auto said = std::prev(boot.complaints.end(), static_cast<std::ptrdiff_t>(complaints));
         said != boot.complaints.end(); ++said) {
        news_.push_back(console(boot_, "ipxe-error", said->at, said->line,
                                {{"number", fmt::format("{:08x}", said->number)},
                                 {"meaning", boot::explain_ipxe_error(said->number)}}));
    }
    const std::size_t errors =
        new_of(boot.firmware_errors, boot.left_out.firmware_errors, console_.firmware_errors);
    for (auto said = std::prev(boot.firmware_errors.end(), static_cast<std::ptrdiff_t>(errors));
         said != boot.firmware_errors.end(); ++said) {
        news_.push_back(console(boot_, "firmware-error", at, *said));
    }
    if (!boot.loader_error.empty() && console_.loader_error != boot.loader_error) {
        console_.loader_error = boot.loader_error;
        news_.push_back(console(boot_, "loader-error", boot.loader_error_at, boot.loader_error));
    }
    if (!boot.stub_error.empty() && console_.stub_error != boot.stub_error) {
        console_.stub_error = boot.stub_error;
        news_.push_back(console(boot_, "stub-error", at, boot.stub_error));
    }
    if (console_.outcome != boot.outcome && boot.outcome != boot::Outcome::none) {
        news_.push_back(console(boot_, "outcome", boot.outcome_at, boot.outcome_text,
                                {{"turn", boot::name_of(boot.outcome)}}));
    }
    console_.outcome = boot.outcome;
}

BootNews::ToldFetch* BootNews::told_of(const boot::Fetch& fetch) {
    const auto told = std::find_if(fetches_.begin(), fetches_.end(), [&](const ToldFetch& each) {
        return each.began == fetch.began && each.url == fetch.url;
    });
    return told == fetches_.end() ? nullptr : &*told;
}

void BootNews::look_at_fetch(double at, const boot::Fetch& fetch, bool last) {
    if (fetch.bare && !is_over(fetch.state)) {
        return;  // it may yet be asked for something
    }
    ToldFetch* told = told_of(fetch);
    const auto is_news = [&](const ToldFetch& before) {
        const bool ends = is_over(fetch.state) && !before.over;
        const bool changed = before.state != fetch.state || before.received != fetch.received;
        return changed && (ends || last || at - before.at >= progress_every_s);
    };
    if (told != nullptr && !is_news(*told)) {
        return;
    }
    if (told == nullptr) {
        if (fetches_.size() >= most_remembered) {
            fetches_.pop_front();
        }
        told = &fetches_.emplace_back(ToldFetch{.began = fetch.began, .url = fetch.url});
    }
    told->state = fetch.state;
    told->received = fetch.received;
    told->at = at;
    told->over = told->over || is_over(fetch.state);
    news_.push_back(events::fetch(boot_, fetch));
}

}  // namespace vml::events
