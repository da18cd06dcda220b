#include "launcher/cases/expectation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/pattern.h"
#include "base/text.h"
#include "launcher/settings/suggest.h"

namespace vml::cases {

namespace {

using nlohmann::json;

// What a value of a key was expected to be, and is not.
struct Misfit : std::runtime_error {
    using runtime_error::runtime_error;
};

std::string text_value(const json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        throw Misfit{"a string"};
    }
    return value.get<std::string>();
}

boot::Stage stage_value(const json& value) {
    const auto stage =
        value.is_string() ? boot::stage_named(value.get_ref<const std::string&>()) : std::nullopt;
    if (!stage) {
        const auto names = boot::stage_names();
        throw Misfit{"a stage: " + listed({names.begin(), names.end()})};
    }
    return *stage;
}

int code_value(const json& value) {
    constexpr std::uint64_t most = 255;  // of a process
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
        throw Misfit{"an exit code, 0 to 255"};
    }
    return value.get<int>();
}

double seconds_value(const json& value) {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
        throw Misfit{"seconds, above 0"};
    }
    return value.get<double>();
}

std::uint64_t bytes_value(const json& value) {
    if (!value.is_number_unsigned()) {
        throw Misfit{"a number of bytes"};
    }
    return value.get<std::uint64_t>();
}

std::string pattern_value(const json& value) {
    std::string text = text_value(value);
    if (trimmed(text) != text) {  // "--until=console:" takes blanks around it away
        throw Misfit{"a regular expression with no blank around it: [ ] is one"};
    }
    const auto compiled = Pattern::compile(text);
    if (const auto* wrong = std::get_if<std::string>(&compiled)) {
        throw Misfit{fmt::format("a regular expression ({})", printable(*wrong))};
    }
    return text;
}

NamedBy named_by_value(const json& value) {
    const auto by =
        value.is_string() ? choice_named<NamedBy>(value.get_ref<const std::string&>()) : std::nullopt;
    if (!by) {
        throw Misfit{"dhcp, proxydhcp, vm-launch or script"};
    }
    return *by;
}

template <typename Target>
struct Key {
    std::string_view name;
    void (*take)(Target& target, const json& value);
};

// The object's values in their places; what is wrong with each is a fault.
template <typename Target, std::size_t count>
void take_keys(Target& target, const json& object, const std::array<Key<Target>, count>& keys,
               const std::string& place, std::vector<Fault>& faults) {
    for (const auto& [name, value] : object.items()) {
        const auto found = std::find_if(keys.begin(), keys.end(),
                                        [&, &wanted = name](const auto& key) { return key.name == wanted; });
        if (found == keys.end()) {
            std::vector<std::string> known;
            known.reserve(keys.size());
            for (const auto& key : keys) {
                known.emplace_back(key.name);
            }
            faults.push_back(unknown_key_fault(name, place, known));
            continue;
        }
        try {
            found->take(target, value);
        } catch (const Misfit& misfit) {
            faults.push_back({fmt::format("'{}' in {}: expected {}", found->name, place, misfit.what()), "",
                              "", ExitCode::settings});
        }
    }
}

constexpr std::array<Key<ExpectedFile>, 4> file_keys{
    {{"url", [](ExpectedFile& file, const json& value) { file.url = text_value(value); }},
     {"from", [](ExpectedFile& file, const json& value) { file.from = text_value(value); }},
     {"by", [](ExpectedFile& file, const json& value) { file.by = named_by_value(value); }},
     {"offered", [](ExpectedFile& file, const json& value) { file.offered = text_value(value); }}}};

constexpr std::array<Key<Expectation>, 5> plain_keys{
    {{"stage", [](Expectation& expect, const json& value) { expect.stage = stage_value(value); }},
     {"exit", [](Expectation& expect, const json& value) { expect.exit_code = code_value(value); }},
     {"console", [](Expectation& expect, const json& value) { expect.console = pattern_value(value); }},
     {"seconds", [](Expectation& expect, const json& value) { expect.seconds = seconds_value(value); }},
     {"bytes", [](Expectation& expect, const json& value) { expect.bytes = bytes_value(value); }}}};

std::vector<ExpectedFile> files_in(const json& value, const std::string& place, std::vector<Fault>& faults) {
    std::vector<ExpectedFile> files;
    const auto refuse = [&] {
        faults.push_back({fmt::format("'fetched' in {}: expected URLs, or tables with a url", place), "",
                          R"(for example ["http://*/boot.ipxe", {url = "tftp://*/ipxe.efi", by = "dhcp"}])",
                          ExitCode::settings});
    };
    if (!value.is_array()) {
        refuse();
        return files;
    }
    for (const json& item : value) {
        ExpectedFile file;
        if (item.is_string()) {
            file.url = item.get<std::string>();
        } else if (item.is_object()) {
            take_keys(file, item, file_keys, "fetched of " + place, faults);
        }
        if (file.url.empty()) {
            refuse();
        } else {
            files.push_back(std::move(file));
        }
    }
    return files;
}

std::vector<std::string> urls_in(const json& value, const std::string& place, std::vector<Fault>& faults) {
    std::vector<std::string> urls;
    for (const json& item : value.is_array() ? value : json::array({nullptr})) {
        if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
            faults.push_back({fmt::format("'not_fetched' in {}: expected a list of URLs", place), "", "",
                              ExitCode::settings});
        } else {
            urls.push_back(item.get<std::string>());
        }
    }
    return urls;
}

}  // namespace

Fault unknown_key_fault(const std::string& key, const std::string& place,
                        const std::vector<std::string>& known) {
    constexpr std::size_t worth_listing = 12;
    const std::string otherwise = known.size() > worth_listing
                                      ? std::string{"settings have their flags' names, without dashes"}
                                      : fmt::format("known are {}", listed(known, "and"));
    return {fmt::format("'{}' in {}: unknown key", printable(key), place), "",
            did_you_mean(key, known, otherwise), ExitCode::settings};
}

Expectation read_expectation(const json& expect, const std::string& place, std::vector<Fault>& faults) {
    Expectation read;
    if (!expect.is_object()) {
        faults.push_back({fmt::format("{}: expected a table", place), "",
                          R"(for example {stage = "os"}, or {exit = 13})", ExitCode::settings});
        return read;
    }
    json plain = json::object();
    std::vector<std::string> known{"fetched", "not_fetched"};
    for (const auto& key : plain_keys) {
        known.emplace_back(key.name);
    }
    for (const auto& [key, value] : expect.items()) {
        if (key == "fetched") {
            read.fetched = files_in(value, place, faults);
        } else if (key == "not_fetched") {
            read.not_fetched = urls_in(value, place, faults);
        } else if (std::find(known.begin(), known.end(), key) == known.end()) {
            faults.push_back(unknown_key_fault(key, place, known));
        } else {
            plain[key] = value;
        }
    }
    take_keys(read, plain, plain_keys, place, faults);
    return read;
}

}  // namespace vml::cases
