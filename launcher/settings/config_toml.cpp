#include "launcher/settings/config_toml.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.h"

namespace vml {

namespace {

using nlohmann::json;

// toml++ bounds how deep values nest (TOML_MAX_NESTED_VALUES, 256), but not how many tables a dotted key or a
// table's header makes. Each has a dot of its own, wherever else dots may be; no setting is a table.
constexpr std::ptrdiff_t most_dots = 4096;

// NOLINTNEXTLINE(misc-no-recursion): no deeper than values nest, and dots are
json json_of_node(const toml::node& node) {
    if (const auto* table = node.as_table()) {
        json object = json::object();
        for (const auto& [key, value] : *table) {
            object[std::string{key.str()}] = json_of_node(value);
        }
        return object;
    }
    if (const auto* array = node.as_array()) {
        json list = json::array();
        for (const toml::node& value : *array) {
            list.push_back(json_of_node(value));
        }
        return list;
    }
    if (const auto* text = node.as_string()) {
        return text->get();
    }
    if (const auto* number = node.as_integer()) {
        const std::int64_t value = number->get();
        return value < 0 ? json(value) : json(static_cast<std::uint64_t>(value));
    }
    if (const auto* number = node.as_floating_point()) {
        return number->get();
    }
    if (const auto* flag = node.as_boolean()) {
        return flag->get();
    }
    return json::binary({});
}

}  // namespace

std::variant<json, TomlFault> json_of_toml(std::string_view text) {
    if (std::count(text.begin(), text.end(), '.') > most_dots) {
        return TomlFault{fmt::format("its keys may nest too deep: it has more than {} dots", most_dots)};
    }
    try {
        return json_of_node(toml::parse(text));
    } catch (const toml::parse_error& error) {
        const toml::source_position& at = error.source().begin;
        return TomlFault{
            fmt::format("line {}, column {}: {}", at.line, at.column, visible(error.description()))};
    }
}

}  // namespace vml
