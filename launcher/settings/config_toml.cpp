#include "launcher/settings/config_toml.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.h"

namespace vml {

namespace {

using nlohmann::json;

constexpr std::size_t most_dots = 256;  // of a line; no setting is a table within a table

// toml++ bounds how deep values nest (TOML_MAX_NESTED_VALUES, 256), but not how many tables a dotted key or a
// table's header makes. Neither goes over a line's end. Dots within quotes are not looked at.
std::optional<std::size_t> line_that_nests_too_deep(std::string_view text) {
    std::size_t line = 1;
    std::size_t dots = 0;
    char quote = 0;
    for (const char each : text) {
        if (each == '\n') {
            ++line;
            dots = 0;
            quote = 0;
        } else if (quote != 0) {
            quote = each == quote && quote != '#' ? char{0} : quote;
        } else if (each == '"' || each == '\'' || each == '#') {
            quote = each;  // a comment goes on to the line's end
        } else if (each == '.' && ++dots > most_dots) {
            return line;
        }
    }
    return std::nullopt;
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than values nest, and a line's keys
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
    if (const auto line = line_that_nests_too_deep(text)) {
        return TomlFault{fmt::format("line {}: keys nest too deep", *line)};
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
