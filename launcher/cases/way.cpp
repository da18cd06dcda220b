#include "launcher/cases/way.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "bootwatch/record.h"
#include "launcher/cases/judge.h"
#include "launcher/cases/report_view.h"

namespace vml::cases {

namespace {

using nlohmann::json;

struct First {
    std::string url;
    double began = 0;
    bool by_six = false;
};

bool has_reached(const json& boot, boot::Stage stage) {
    const std::vector<json> marks = objects_at(boot, "stages");
    return std::any_of(marks.begin(), marks.end(), [&](const json& mark) {
        const auto reached = boot::stage_named(text_at(mark, "stage"));
        return flag_at(mark, "reached") && reached && *reached >= stage;
    });
}

// What came whole goes before what did not.
std::optional<First> first_fetch(const json& boot) {
    std::optional<First> first;
    bool whole = false;
    for (const json& fetch : objects_at(boot, "fetches")) {
        const bool done = text_at(fetch, "state") == "done";
        if (!asks_for_size(fetch) && (!first || (done && !whole))) {
            whole = done;
            first = First{text_at(fetch, "url"), time_at(fetch, "began").value_or(0),
                          text_at(fetch, "server").find(':') != std::string::npos};
        }
    }
    return first;
}

// "iPXE", "firmware", "other", who looked last for an address before; "" where nobody was seen.
std::string asker(const json& boot, const First& first) {
    const auto six = boot.find("ipv6");
    if (first.by_six && six != boot.end() && six->is_object() && !text_at(*six, "client").empty()) {
        return text_at(*six, "client");
    }
    std::string client;
    for (const json& talk : objects_at(boot, "dhcp")) {
        if (time_at(talk, "began").value_or(0) <= first.began) {
            client = text_at(talk, "client");
        }
    }
    return client;
}

std::string scheme_of(std::string_view url) {
    return std::string{url.substr(0, url.find("://"))};
}

std::string client_words(std::string_view client) {
    return client.empty()                              ? "somebody who was not seen to look for an address"
           : client == name_of(boot::Client::firmware) ? "the firmware"
           : client == name_of(boot::Client::other)    ? "neither the firmware nor iPXE"
                                                       : printable(client);
}

std::string path_words(std::string_view scheme, bool by_six) {
    std::string upper{scheme};
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
    return fmt::format("{} over IPv{}", printable(upper), by_six ? 6 : 4);
}

std::string wanted_words(const Way& way) {
    const std::string client = client_words(name_of(way.client));
    return way.path
               ? fmt::format("{} was to fetch by {}", client, path_words(way.path->scheme, way.path->by_six))
               : fmt::format("{} was to fetch", client);
}

bool is_path(const Way::Path& path, const First& first) {
    const std::string scheme = scheme_of(first.url);
    return path.by_six == first.by_six && (scheme == path.scheme || scheme == path.scheme + "s");
}

std::optional<std::string> why_another_way(const Way& way, const json& boot, const First& first) {
    const std::string client = asker(boot, first);
    if (client == name_of(way.client) && (!way.path || is_path(*way.path, first))) {
        return std::nullopt;
    }
    return fmt::format("it went another way: {} fetched {} first ({}), where {}", client_words(client),
                       printable(first.url), path_words(scheme_of(first.url), first.by_six),
                       wanted_words(way));
}

// An iPXE that has the NIC anew looks for an address, after that program came.
std::optional<std::string> why_not_chained(const std::string& program, const json& boot) {
    std::optional<double> came;
    for (const json& fetch : objects_at(boot, "fetches")) {
        if (text_at(fetch, "state") == "done" && !asks_for_size(fetch) &&
            fits("*/" + program, text_at(fetch, "url"))) {
            came = came.value_or(time_at(fetch, "ended").value_or(0));
        }
    }
    if (!came) {
        return fmt::format("it went another way: the NIC's own iPXE booted, and {} was not fetched", program);
    }
    const std::vector<json> talks = objects_at(boot, "dhcp");
    const bool asked = std::any_of(talks.begin(), talks.end(), [&](const json& talk) {
        return text_at(talk, "client") == name_of(boot::Client::ipxe) &&
               time_at(talk, "began").value_or(0) >= *came;
    });
    return asked ? std::nullopt
                 : std::optional{fmt::format(
                       "it went another way: {} came, and no iPXE looked for an address after it", program)};
}

// Who looked for an address, where nothing was fetched yet.
std::optional<std::string> why_another_client(const Way& way, const json& boot) {
    const std::vector<json> talks = objects_at(boot, "dhcp");
    if (talks.empty() || text_at(talks.front(), "client") == name_of(way.client)) {
        return std::nullopt;
    }
    return fmt::format("it went another way: {} looked for an address first, where {}",
                       client_words(text_at(talks.front(), "client")), wanted_words(way));
}

void add(std::optional<std::string> reason, std::vector<std::string>& reasons) {
    if (reason && std::find(reasons.begin(), reasons.end(), *reason) == reasons.end()) {
        reasons.push_back(*std::move(reason));
    }
}

void judge_fetches(const Expectation& expect, const json& report, const json& boot, const First& first,
                   std::vector<std::string>& reasons) {
    if (expect.way) {
        add(why_another_way(*expect.way, boot, first), reasons);
        if (!expect.way->chained.empty() && has_reached(boot, boot::Stage::kernel)) {
            add(why_not_chained(expect.way->chained, boot), reasons);
        }
    }
    // DHCPv6 has no ProxyDHCP: the server that gives the address names the file.
    if (expect.named_by && !first.by_six) {
        Expectation file;
        file.fetched.push_back({first.url, {}, expect.named_by});
        for (std::string& reason : unmet_files(file, report)) {
            add(std::move(reason), reasons);
        }
    }
}

}  // namespace

std::vector<std::string> unmet_way(const Expectation& expect, const json& report) {
    std::vector<std::string> reasons;
    if (!expect.way && !expect.named_by) {
        return reasons;
    }
    const std::vector<json> boots = objects_at(report, "boots");
    bool fetched = false;
    bool went_on = false;
    for (const json& boot : boots) {
        went_on = went_on || has_reached(boot, boot::Stage::script);
        if (const auto first = first_fetch(boot)) {
            fetched = true;
            judge_fetches(expect, report, boot, *first, reasons);
        }
    }
    if (!fetched && went_on) {
        const auto unknown = why_files_are_unknown(report);
        reasons.push_back(unknown ? fmt::format("the way it went: not seen: {}", *unknown)
                                  : "it went another way: nothing was fetched from the network");
    } else if (!fetched && expect.way && !boots.empty()) {
        add(why_another_client(*expect.way, boots.front()), reasons);
    }
    return reasons;
}

}  // namespace vml::cases
