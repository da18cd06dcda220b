#include "launcher/settings/config_file.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/shell.h"
#include "base/text.h"
#include "launcher/settings/config_toml.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"

namespace vml {

namespace {

using nlohmann::json;

// A list becomes the comma list of the command line, so that no item of it has a comma; one of QEMU's words,
// the words that a shell would split.
std::optional<std::string> list_text(const json& list, bool shell_words) {
    std::vector<std::string> parts;
    for (const json& element : list) {
        if (!element.is_string()) {
            return std::nullopt;
        }
        const auto text = element.get<std::string>();
        parts.push_back(shell_words ? shell_quoted(text) : text);
    }
    return fmt::format("{}", fmt::join(parts, shell_words ? " " : ","));
}

std::optional<std::string> text_of(const json& value, bool shell_words) {
    if (value.is_boolean()) {
        return value.get<bool>() ? "1" : "0";
    }
    if (value.is_number_unsigned()) {
        return std::to_string(value.get<std::uint64_t>());
    }
    if (value.is_string()) {
        return value.get<std::string>();
    }
    return value.is_array() ? list_text(value, shell_words) : std::nullopt;
}

// Words as a boolean has may be among a choice's; a name or a number `true` is a mistake.
bool may_be_boolean(const OptionRow& row) {
    return row.kind == ValueKind::boolean || row.kind == ValueKind::choice;
}

// In a message, what a row's value may be.
std::string kinds_for(const OptionRow& row) {
    return fmt::format("a string{} or a whole number from 0{}", may_be_boolean(row) ? ", a boolean" : "",
                       row.is_list ? ", or a list of strings" : "");
}

std::optional<std::string> item_with_comma(const json& value) {
    for (const json& item : value.is_array() ? value : json::array()) {
        if (item.is_string() && item.get<std::string>().find(',') != std::string::npos) {
            return item.get<std::string>();
        }
    }
    return std::nullopt;
}

// In a message, what a value is that nothing takes.
std::string_view kind_of(const json& value) {
    switch (value.type()) {
        case json::value_t::number_integer:
            return "a negative number";
        case json::value_t::number_float:
            return "a fraction";
        case json::value_t::array:
            return "a list with something else in it";
        case json::value_t::object:
            return "a table";
        case json::value_t::binary:
            return "a date";
        default:
            return value.type_name();
    }
}

// What was read last is left out: it may be a password.
std::string why_no_json(const json::exception& error) {
    const std::string why = error.what();
    return why.substr(0, why.find("; last read"));
}

// A list of which each item is written as its flag takes it.
std::vector<Raw> items_of(const json& value, const Raw& key, std::string_view example, Layer& layer) {
    std::vector<Raw> items;
    for (const json& item : value.is_array() ? value : json::array({value})) {
        if (item.is_string()) {
            items.push_back({item.get<std::string>(), key.origin});
        } else {
            layer.fault(fmt::format("{}: expected a string, not {}", key.origin, kind_of(item)), "",
                        fmt::format("for example \"{}\"", example));
        }
    }
    return items;
}

void unknown_key(const Raw& key, Layer& layer) {
    std::vector<std::string> keys;
    for (const OptionRow& row : option_table()) {
        keys.emplace_back(row.flag);
    }
    const std::optional<std::string> guess = nearest(key.text, keys);
    layer.fault(fmt::format("{}: unknown setting", key.origin), "",
                guess ? fmt::format("did you mean {}?", *guess) : "keys are the long options without dashes");
}

void take_value(const Raw& key, const json& value, Layer& layer) {
    if (find_option(key.text) == nullptr) {
        unknown_key(key, layer);
    } else if (key.text == "nic") {
        for (Raw& nic : items_of(value, key, "mode=bridge,bridge=br0", layer)) {
            layer.nics.push_back({std::move(nic), {}});
        }
    } else if (key.text == "disk") {
        layer.disks = items_of(value, key, "/images/disk.qcow2", layer);
    } else if (key.text == "dhcp-option") {
        layer.dhcp_options = items_of(value, key, "209=grub.cfg", layer);
    } else if (key.text == "extra-disk") {
        layer.extra_disks = items_of(value, key, "10G", layer);
    } else if (value.is_boolean() && !may_be_boolean(*find_option(key.text))) {
        layer.fault(fmt::format("{}: expected a value, not a boolean", key.origin), "", "");
    } else if (value.is_array() && !find_option(key.text)->is_list) {
        layer.fault(fmt::format("{}: expected a value, not a list", key.origin), "", "");
    } else if (const auto item = item_with_comma(value); item && key.text != "extra-args") {
        layer.fault(
            fmt::format("{}: '{}' has a comma, which parts one item from the next", key.origin, *item), "",
            "");
    } else if (const auto text = text_of(value, key.text == "extra-args")) {
        layer.values.try_emplace(key.text, Raw{*text, key.origin});
    } else {
        layer.fault(fmt::format("{}: expected {}, not {}", key.origin, kinds_for(*find_option(key.text)),
                                kind_of(value)),
                    "", "");
    }
}

// JSON takes the last value of a key that is there twice (RFC 8259, 4); here it is a mistake.
json parsed_json(std::string_view text, const Raw& file, Layer& layer) {
    std::vector<std::set<std::string>> keys;  // of each object that is open
    return json::parse(text, [&](int, json::parse_event_t event, const json& parsed) {
        if (event == json::parse_event_t::object_start) {
            keys.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            keys.pop_back();
        } else if (event == json::parse_event_t::key &&
                   !keys.back().insert(parsed.get<std::string>()).second) {
            layer.fault(
                fmt::format("'{}' in {}: it is there twice", printable(parsed.get<std::string>()), file.text),
                "", "leave one of them out");
        }
        return true;
    });
}

bool is_toml(const Raw& file) {
    return file.text.ends_with(".toml");
}

json toml_document(std::string_view text, const Raw& file, Layer& layer) {
    auto config = json_of_toml(text);
    if (const auto* fault = std::get_if<TomlFault>(&config)) {
        layer.fault(fmt::format("{}: {} is not valid TOML", file.origin, file.text), fault->why, "");
        return nullptr;
    }
    return std::get<json>(std::move(config));
}

json json_document(std::string_view text, const Raw& file, Layer& layer) {
    try {
        return parsed_json(text, file, layer);
    } catch (const json::exception& error) {
        layer.fault(fmt::format("{}: {} is not valid JSON", file.origin, file.text), why_no_json(error),
                    "TOML is read where the file's name ends with .toml");
        return nullptr;
    }
}

}  // namespace

json config_document(std::string_view text, const Raw& file, Layer& faults) {
    const std::size_t before = faults.faults.size();
    json document = is_toml(file) ? toml_document(text, file, faults) : json_document(text, file, faults);
    if (!document.is_object() && faults.faults.size() == before) {
        faults.fault(fmt::format("{}: {} is not a JSON object", file.origin, file.text), "",
                     R"(for example {"ipxe": true, "boot-order": ["network", "hd"]})");
    }
    return document;
}

Layer object_layer(const json& object, std::string_view place) {
    Layer layer;
    for (const auto& [key, value] : object.items()) {
        take_value({key, fmt::format("'{}' in {}", key, place)}, value, layer);
    }
    return layer;
}

Layer config_layer(std::string_view text, const Raw& file) {
    Layer layer;
    json document = config_document(text, file, layer);
    if (!document.is_object()) {
        return layer;
    }
    document.erase("$schema");  // for an editor
    Layer settings = object_layer(document, file.text);
    settings.faults.insert(settings.faults.begin(), layer.faults.begin(), layer.faults.end());
    return settings;
}

}  // namespace vml
