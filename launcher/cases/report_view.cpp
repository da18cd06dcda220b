#include "launcher/cases/report_view.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace vml::cases {

namespace {

using nlohmann::json;

const json& value_at(const json& object, const char* key) {
    static const json nothing;
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found == object.end() ? nothing : *found;
}

// "//boot.ipxe" and "/boot.ipxe" are one file of TFTP's.
std::string without_double_slashes(std::string_view url) {
    constexpr std::string_view behind_scheme = "://";
    const std::size_t scheme = url.find(behind_scheme);
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + behind_scheme.size();
    std::string text{url.substr(0, begin)};
    for (const char c : url.substr(begin)) {
        if (c != '/' || !text.ends_with('/') || text.size() == begin) {
            text += c;
        }
    }
    return text;
}

std::string bracketed(const std::string& address) {
    return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

// Does this offer name the file? A name that is no URL is TFTP's, at the next server or else at the one that
// offers (RFC 2131, 4.3.1; iPXE likewise).
bool names(const json& offer, const std::string& url) {
    const std::string file = text_at(offer, "file");
    if (file.empty() || is_url(file)) {
        return !file.empty() && file == url;
    }
    for (const char* key : {"next_server", "server_name", "server"}) {
        if (const std::string host = text_at(offer, key); !host.empty()) {
            return without_double_slashes(fmt::format("tftp://{}/{}", bracketed(host), file)) ==
                   without_double_slashes(url);
        }
    }
    return false;
}

void add_namer(std::vector<SeenFile::Namer>& namers, NamedBy by, std::string server) {
    const bool known = std::any_of(namers.begin(), namers.end(), [&](const SeenFile::Namer& namer) {
        return namer.by == by && namer.server == server;
    });
    if (!known) {
        namers.push_back({by, std::move(server)});
    }
}

// Of the servers of addresses that one counts which the guest took.
void add_offers(const json& talk, double before, const std::string& url,
                std::vector<SeenFile::Namer>& namers) {
    const auto add = [&](const json& offer, NamedBy by) {
        if (offer.is_object() && time_at(offer, "at").value_or(before) <= before && names(offer, url)) {
            add_namer(namers, by, text_at(offer, "server"));
        }
    };
    add(value_at(talk, "acknowledged"), NamedBy::dhcp);
    add(value_at(talk, "own_offer"), NamedBy::vm_launch);
    for (const json& offer : objects_at(talk, "offers")) {
        if (flag_at(offer, "proxy")) {
            add(offer, NamedBy::proxydhcp);
        }
    }
}

bool is_script_before(const json& fetch, double before) {
    return text_at(fetch, "content") == "ipxe-script" && text_at(fetch, "state") == "done" &&
           time_at(fetch, "ended").value_or(before) <= before;
}

bool any_left_out(const std::vector<json>& boots, const char* key) {
    return std::any_of(boots.begin(), boots.end(), [&](const json& boot) {
        return number_at<std::uint64_t>(value_at(boot, "left_out"), key).value_or(0) > 0;
    });
}

SeenFile seen_file(const json& boot, const json& fetch) {
    const std::string url = text_at(fetch, "url");
    const double began = time_at(fetch, "began").value_or(0);
    SeenFile file{url,
                  text_at(fetch, "server"),
                  flag_at(fetch, "by_vm_launch"),
                  text_at(fetch, "state") == "done",
                  number_at<std::uint64_t>(fetch, "bytes").value_or(0),
                  {}};
    // Frames of a long file are not all seen; where it came whole, its size was told.
    if (file.whole) {
        file.bytes =
            std::max(file.bytes, number_at<std::uint64_t>(fetch, "expected_bytes").value_or(file.bytes));
    }
    for (const json& talk : objects_at(boot, "dhcp")) {
        add_offers(talk, began, url, file.namers);
    }
    const std::vector<json> fetches = objects_at(boot, "fetches");
    if (file.namers.empty() && std::any_of(fetches.begin(), fetches.end(), [&](const json& other) {
            return is_script_before(other, began);
        })) {
        file.namers.push_back({NamedBy::script, ""});
    }
    return file;
}

}  // namespace

std::vector<json> objects_at(const json& object, const char* key) {
    std::vector<json> objects;
    const json& list = value_at(object, key);
    if (list.is_array()) {
        std::copy_if(list.begin(), list.end(), std::back_inserter(objects),
                     [](const json& item) { return item.is_object(); });
    }
    return objects;
}

std::optional<double> time_at(const json& object, const char* key) {
    const json& value = value_at(object, key);
    return value.is_number() ? std::optional{value.get<double>()} : std::nullopt;
}

std::optional<boot::Stage> furthest_stage(const json& report) {
    std::optional<boot::Stage> furthest;
    for (const json& boot : objects_at(report, "boots")) {
        for (const json& mark : objects_at(boot, "stages")) {
            const auto stage = boot::stage_named(text_at(mark, "stage"));
            if (stage && flag_at(mark, "reached") && (!furthest || *stage > *furthest)) {
                furthest = stage;
            }
        }
    }
    return furthest;
}

bool reached(const json& report, boot::Stage stage) {
    for (const json& boot : objects_at(report, "boots")) {
        for (const json& mark : objects_at(boot, "stages")) {
            if (flag_at(mark, "reached") && text_at(mark, "stage") == boot::name_of(stage)) {
                return true;
            }
        }
    }
    return false;
}

std::optional<std::string> why_files_are_unknown(const json& report) {
    const std::vector<json> nics = objects_at(report, "nics");
    const std::vector<json> boots = objects_at(report, "boots");
    if (boots.empty()) {
        return "the guest never ran";
    }
    if (nics.empty() ||
        !std::all_of(nics.begin(), nics.end(), [](const json& nic) { return flag_at(nic, "watched"); })) {
        return "the guest's packets could not be watched";
    }
    if (const auto lost = number_at<std::uint64_t>(report, "lost_frames"); lost && *lost > 0) {
        return fmt::format("{} of the guest's packets came too fast to be looked at", *lost);
    }
    return any_left_out(boots, "boots") ? std::optional{"there were more boots than a report has room for"}
           : any_left_out(boots, "fetches")
               ? std::optional{"there were more fetches than a report has room for"}
               : std::nullopt;
}

std::optional<std::string> why_namers_are_unknown(const json& report) {
    const std::vector<json> boots = objects_at(report, "boots");
    if (any_left_out(boots, "dhcp") || any_left_out(boots, "offers")) {
        return "there were more offers than a report has room for";
    }
    return why_files_are_unknown(report);
}

bool asks_for_size(const json& fetch) {
    const std::string protocol = text_at(fetch, "protocol");
    return protocol == "tftp-size" || protocol == "http-head";
}

std::vector<SeenFile> fetched_files(const json& report) {
    std::vector<SeenFile> files;
    for (const json& boot : objects_at(report, "boots")) {
        for (const json& fetch : objects_at(boot, "fetches")) {
            if (!asks_for_size(fetch)) {
                files.push_back(seen_file(boot, fetch));
            }
        }
    }
    return files;
}

}  // namespace vml::cases
