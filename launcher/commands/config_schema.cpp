#include "launcher/commands/config_schema.h"

#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "launcher/commands/help_parts.h"

namespace vml {

namespace {

using nlohmann::ordered_json;

std::vector<std::string> all_of(std::vector<std::string> words, const std::vector<std::string>& aliases) {
    words.insert(words.end(), aliases.begin(), aliases.end());
    return words;
}

std::vector<std::string> words_of_row(const OptionRow& row) {
    return all_of(row.choices, row.aliases == nullptr ? std::vector<std::string>{} : row.aliases());
}

// One value, without what says what it is for.
ordered_json value_schema(const OptionRow& row) {
    const ordered_json number{{"type", "integer"}, {"minimum", 0}};
    switch (row.kind) {
        case ValueKind::boolean: {
            ordered_json words{true, false};
            for (const std::string& word : all_of(choice_names<bool>(), hidden_names<bool>())) {
                words.push_back(word);
            }
            return {{"enum", words}};
        }
        case ValueKind::choice:
            return {{"enum", words_of_row(row)}};
        case ValueKind::number:
        case ValueKind::duration:
        case ValueKind::amount:
            if (row.repeated) {
                break;
            }
            return {{"anyOf", {number, {{"type", "string"}, {"minLength", 1}}}}};
        case ValueKind::choices:
        case ValueKind::text:
        case ValueKind::file:
        case ValueKind::folder:
        case ValueKind::bridge:
        case ValueKind::link:
            break;
    }
    ordered_json schema = row.repeated || row.kind == ValueKind::choices
                              ? ordered_json{{"type", "string"}}
                              : ordered_json{{"type", {"string", "integer"}}, {"minimum", 0}};
    if (row.suggested != nullptr) {
        schema["examples"] = row.suggested();
    }
    return schema;
}

// Of a list in the file; a text has the same with commas between.
ordered_json item_schema(const OptionRow& row) {
    return row.kind == ValueKind::choices ? ordered_json{{"enum", words_of_row(row)}}
                                          : ordered_json{{"type", "string"}};
}

// Where the table's default is a value, and not a sentence.
std::optional<ordered_json> default_of(const OptionRow& row) {
    if (row.kind == ValueKind::boolean && (row.fallback == "on" || row.fallback == "off")) {
        return row.fallback == "on";
    }
    if (row.kind == ValueKind::choice) {
        const auto found = std::find(row.choices.begin(), row.choices.end(), row.fallback);
        return found == row.choices.end() ? std::nullopt : std::optional<ordered_json>{*found};
    }
    const auto number = whole_number<unsigned>(row.fallback);
    return number ? std::optional<ordered_json>{*number} : std::nullopt;
}

ordered_json setting_schema(const OptionRow& row) {
    ordered_json schema{{"description", fmt::format("{}. Default: {}.", row.help, row.fallback)}};
    if (row.repeated || row.is_list) {
        ordered_json list{{"type", "array"}, {"items", item_schema(row)}};
        if (row.kind == ValueKind::choices) {
            list["minItems"] = 1;
        }
        schema["anyOf"] = {value_schema(row), list};
    } else {
        schema.update(value_schema(row));
    }
    if (const auto value = default_of(row)) {
        schema["default"] = *value;
    }
    if (row.is_secret) {
        schema["writeOnly"] = true;
    }
    return schema;
}

}  // namespace

std::string config_schema() {
    ordered_json properties{{"$schema", {{"type", "string"}, {"description", "Where this schema is."}}}};
    for (const OptionGroup group : option_groups) {
        for (const OptionRow& row : option_table()) {
            if (row.group == group) {
                properties[std::string{row.flag}] = setting_schema(row);
            }
        }
    }
    const ordered_json schema{
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "vm-launch --config"},
        {"description", "The settings of a VM; keys are the long options without dashes."},
        {"type", "object"},
        {"additionalProperties", false},
        {"properties", std::move(properties)}};
    return schema.dump(2) + "\n";
}

}  // namespace vml
