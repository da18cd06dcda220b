#include "launcher/cases/matrix.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "launcher/cases/default_matrix.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"
#include "launcher/settings/values.h"

namespace vml::cases {

namespace {

void refuse(std::vector<Fault>& faults, std::string what, std::string hint) {
    faults.push_back({std::move(what), "", std::move(hint), ExitCode::settings});
}

std::vector<std::string> flags_of_axes() {
    std::vector<std::string> flags{std::string{way_axis}, std::string{offer_axis}};
    for (const OptionRow& row : option_table()) {
        if (!row.is_secret && !is_tests_own(row.flag)) {
            flags.emplace_back(row.flag);
        }
    }
    return flags;
}

// Why this setting is no axis.
std::optional<std::string> why_no_axis(const OptionRow& row) {
    if (is_tests_own(row.flag)) {
        return "test sets it itself, for each VM";
    }
    if (row.is_secret) {
        return "a secret would stand in every result: give it by itself";
    }
    return std::nullopt;
}

using CheckValue = std::function<void(const std::string& value)>;

void check_setting(const OptionRow& row, const std::string& value, const std::string& origin,
                   std::vector<Fault>& faults) {
    try {
        Settings scratch;
        row.assign(scratch, value);
    } catch (const ValueError& error) {
        refuse(faults, fmt::format("{} {}: {}", origin, row.flag, error.what()), error.hint());
    }
}

void check_bundle(const std::string& axis, const std::string& value, const std::string& origin,
                  std::vector<Fault>& faults) {
    std::vector<std::string> names;
    for (const Bundle& bundle : *bundles_of(axis)) {
        names.emplace_back(bundle.name);
    }
    if (std::find(names.begin(), names.end(), value) == names.end()) {
        refuse(faults, fmt::format("{} {}: invalid value '{}'", origin, axis, printable(value)),
               did_you_mean(value, names, fmt::format("expected {}", fmt::join(names, ", "))));
    }
}

void check_values(const Axis& axis, const std::string& origin, const CheckValue& check,
                  std::vector<Fault>& faults) {
    if (axis.values.empty()) {
        refuse(faults, fmt::format("{} {}: no value is named", origin, axis.flag),
               fmt::format("for example {}=a,b", axis.flag));
    }
    for (auto value = axis.values.begin(); value != axis.values.end(); ++value) {
        if (std::find(axis.values.begin(), value, *value) != value) {
            refuse(faults, fmt::format("{} {}: '{}' is there twice", origin, axis.flag, printable(*value)),
                   "");
        } else {
            check(*value);
        }
    }
}

}  // namespace

bool is_tests_own(std::string_view flag) {
    constexpr auto own = std::to_array<std::string_view>(
        {"name", "report", "events", "console", "no-console", "console-raw", "log-format", "log-level"});
    return std::find(own.begin(), own.end(), flag) != own.end();
}

void add_axis(std::string_view flag, std::vector<std::string> values, const std::string& origin,
              std::vector<Axis>& axes, std::vector<Fault>& faults) {
    const OptionRow* row = find_option(flag);
    const bool is_bundle = bundles_of(flag) != nullptr;
    if (row == nullptr && !is_bundle) {
        refuse(faults, fmt::format("{}: unknown setting '{}'", origin, printable(flag)),
               did_you_mean(flag, flags_of_axes(), "it is a setting's flag without dashes"));
        return;
    }
    if (const auto why = is_bundle ? std::nullopt : why_no_axis(*row)) {
        refuse(faults, fmt::format("{}: {} does not go into a matrix", origin, flag), *why);
        return;
    }
    if (std::any_of(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.flag == flag; })) {
        refuse(faults, fmt::format("{}: {} is in the matrix already", origin, flag),
               fmt::format("name all its values at once: {}=a,b", flag));
        return;
    }
    Axis made{std::string{flag}, std::move(values)};
    check_values(
        made, origin,
        [&](const std::string& value) {
            is_bundle ? check_bundle(made.flag, value, origin, faults)
                      : check_setting(*row, value, origin, faults);
        },
        faults);
    axes.push_back(std::move(made));
}

namespace {

void add_axis_of_word(std::string_view word, std::vector<Axis>& axes, std::vector<Fault>& faults) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
        refuse(faults, fmt::format("--matrix: '{}' names no values", printable(word)),
               "for example --matrix firmware=legacy,uefi; --matrix default is a matrix by itself");
        return;
    }
    add_axis(trimmed(word.substr(0, equals)), split_list(word.substr(equals + 1)), "--matrix", axes, faults);
}

}  // namespace

std::vector<Axis> axes_of_words(const std::vector<std::string>& words, std::vector<Fault>& faults) {
    std::vector<Axis> axes;
    bool with_default = false;
    for (const std::string& word : words) {
        if (trimmed(word) == default_word) {
            with_default = true;
        } else {
            add_axis_of_word(word, axes, faults);
        }
    }
    return with_default ? narrowed_default(std::move(axes)) : axes;
}

std::optional<std::vector<Combination>> combinations(const std::vector<Axis>& axes, std::size_t most) {
    std::size_t count = 1;
    for (const Axis& axis : axes) {
        if (axis.values.size() > most || count * axis.values.size() > most) {
            return std::nullopt;
        }
        count *= axis.values.size();
    }
    std::vector<Combination> all{{}};
    for (const Axis& axis : axes) {
        std::vector<Combination> longer;
        for (const Combination& combination : all) {
            for (const std::string& value : axis.values) {
                longer.push_back(combination);
                longer.back().push_back(value);
            }
        }
        all = std::move(longer);
    }
    return count <= most ? std::optional{std::move(all)} : std::nullopt;
}

std::string name_of(const std::vector<Axis>& axes, const Combination& combination) {
    std::string name;
    for (std::size_t i = 0; i < axes.size() && i < combination.size(); ++i) {
        name += fmt::format("{}{}={}", name.empty() ? "" : " ", axes[i].flag, printable(combination[i]));
    }
    return name;
}

}  // namespace vml::cases
