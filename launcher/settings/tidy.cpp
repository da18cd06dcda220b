#include "launcher/settings/tidy.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "base/url.h"
#include "launcher/settings/option_table.h"

namespace vml {

namespace {

// No-break space, zero-width space, byte order mark.
constexpr std::array<std::string_view, 3> unseen{"\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf"};

std::string_view without_blanks(std::string_view text) {
    std::size_t before = 0;
    do {
        before = text.size();
        text = trimmed(text);
        for (const std::string_view mark : unseen) {
            text.remove_prefix(text.starts_with(mark) ? mark.size() : 0);
            text.remove_suffix(text.ends_with(mark) ? mark.size() : 0);
        }
    } while (text.size() != before);
    return text;
}

bool is_quoted(std::string_view text) {
    return text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back() &&
           text.substr(1, text.size() - 2).find(text.front()) == std::string_view::npos;
}

// As a line of a message shows it.
std::string shown(std::string_view text) {
    std::string result = visible(text);
    for (const std::string_view mark : unseen) {
        for (std::size_t at = result.find(mark); at != std::string::npos; at = result.find(mark)) {
            result.replace(at, mark.size(),
                           "\\u" + std::string{mark == unseen[0]   ? "00a0"
                                               : mark == unseen[1] ? "200b"
                                                                   : "feff"});
        }
    }
    return result;
}

bool has_control_character(std::string_view text) {
    return visible(text, "\t") != text;
}

const Raw* script_of(const Layer& layer) {
    const auto found = layer.values.find("script");
    return found == layer.values.end() ? nullptr : &found->second;
}

bool tidy_secret(Raw& raw, Layer& layer, std::vector<std::string>& warnings) {
    const std::size_t end = raw.text.find_last_not_of("\r\n") + 1;
    if (end < raw.text.size()) {  // of the file that it was read from
        raw.text.resize(end);
        warnings.push_back(fmt::format("{}: line ends after the value were cut", raw.origin));
    }
    const bool good = !has_control_character(raw.text);
    if (!good) {
        layer.fault(fmt::format("{}: a line end or another control character is in it", raw.origin), "",
                    "give it on one line");
    }
    return good;
}

// False where the value cannot be one.
bool tidy_value(Raw& raw, Layer& layer, std::vector<std::string>& warnings) {
    if (std::string words = cut_surroundings(raw); !words.empty()) {
        warnings.push_back(std::move(words));
    }
    if (!has_control_character(raw.text)) {
        return true;
    }
    const bool script = &raw == script_of(layer) && raw.text.find('\n') != std::string::npos;
    layer.fault(fmt::format("{}: invalid value '{}': a line end or another control character is in it",
                            raw.origin, visible(raw.text)),
                "",
                script ? "a script's own text begins with #!ipxe; else name one file or URL, on one line"
                       : "give one value, on one line");
    return false;
}

void tidy_nic(RawNic& nic, Layer& layer, std::vector<std::string>& warnings) {
    if (nic.whole && !tidy_value(*nic.whole, layer, warnings)) {
        nic.whole.reset();
    }
    std::erase_if(nic.keys, [&](auto& key) { return !tidy_value(key.second, layer, warnings); });
}

}  // namespace

std::string_view within_surroundings(std::string_view text) {
    const std::string_view kept = without_blanks(text);
    return is_quoted(kept) ? without_blanks(kept.substr(1, kept.size() - 2)) : kept;
}

bool is_user_data_text(std::string_view text) {
    const std::string_view kept = without_blanks(text);
    return kept.starts_with("#cloud-config") || kept.starts_with("#!");
}

bool is_script_text(std::string_view text) {
    const std::string_view kept = without_blanks(text);
    return kept.starts_with("#!ipxe") || kept.starts_with("#!gpxe");
}

bool is_script_file(std::string_view script) {
    return script != "-" && !is_url(script) && !is_script_text(script);
}

std::string cut_surroundings(Raw& raw) {
    const bool quoted = is_quoted(without_blanks(raw.text));
    const std::string_view kept = within_surroundings(raw.text);
    if (kept.size() == raw.text.size()) {
        return {};
    }
    std::string words =
        fmt::format("{}: {} around the value were cut: '{}'", raw.origin,
                    quoted ? "quotes (which belong to a shell)" : "blanks or line ends", shown(raw.text));
    raw.text = std::string{kept};
    return words;
}

std::vector<std::string> tidy(Layer& layer) {
    std::vector<std::string> warnings;
    for (auto value = layer.values.begin(); value != layer.values.end();) {
        const OptionRow& row = *find_option(value->first);
        const bool kept = row.has_lines ||
                          (value->first == "user-data" &&
                           is_user_data_text(value->second.text)) ||  // refused as what it is
                          (value->first == "script" && is_script_text(value->second.text));
        const bool good = kept || (row.is_secret ? tidy_secret(value->second, layer, warnings)
                                                 : tidy_value(value->second, layer, warnings));
        value = good ? std::next(value) : layer.values.erase(value);
    }
    for (RawNic& nic : layer.nics) {
        tidy_nic(nic, layer, warnings);
    }
    for (std::vector<Raw>* list : {&layer.disks, &layer.devices, &layer.extra_disks, &layer.dhcp_options}) {
        std::erase_if(*list, [&](Raw& value) { return !tidy_value(value, layer, warnings); });
    }
    return warnings;
}

}  // namespace vml
