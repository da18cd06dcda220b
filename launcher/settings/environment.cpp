#include "launcher/settings/environment.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/foreign_variables.h"
#include "launcher/settings/numbered_variables.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"
#include "launcher/settings/tidy.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

constexpr std::string_view config_variable = "VM_LAUNCH_CONFIG";
constexpr std::string_view verbose_variable = "LOG_VERBOSE";

std::vector<std::string> known_variables() {
    std::vector<std::string> names{std::string{verbose_variable}, std::string{config_variable}};
    for (const OptionRow& row : option_table()) {
        for (const std::string_view name : {row.environment, row.also}) {
            if (!name.empty()) {
                names.emplace_back(name);
            }
        }
    }
    for (const ForeignVariable& variable : foreign_variables()) {
        if (variable.name != login_shell) {
            names.emplace_back(variable.name);
        }
    }
    return names;
}

// "tcp://10.0.0.1:22" in SSH_PORT: Kubernetes (and Docker's --link) describes other services so in every
// container, and a Service may be named "ssh". Nobody writes a setting so.
bool is_service_link(std::string_view name, std::string_view value) {
    return name.ends_with("_PORT") &&
           (value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://"));
}

// CONSOLE=/dev/console is sysvinit's, and of COLOR each program has its own words: neither may keep a VM from
// its start.
bool is_of_others(std::string_view name, std::string_view value) {
    const std::string_view word = within_surroundings(value);
    if (name != "COLOR" || word.empty()) {
        return name == "CONSOLE" && word.starts_with("/dev/");
    }
    try {
        static_cast<void>(parse_value<ColourChoice>(word));
        return false;
    } catch (const ValueError&) {
        return true;
    }
}

// SSH_SERVICE_HOST, NETBOOT_PORT_80_TCP_ADDR and the like, which come with them.
bool is_of_a_service(std::string_view name) {
    return name.find("_SERVICE_HOST") != std::string_view::npos ||
           name.find("_SERVICE_PORT") != std::string_view::npos ||
           (name.find("_PORT_") != std::string_view::npos &&
            (name.find("_TCP") != std::string_view::npos || name.find("_UDP") != std::string_view::npos));
}

// Who logs in has a SHELL of his own; in a container it is meant for somebody.
bool is_login(const Environment& environment) {
    return environment.contains("USER") || environment.contains("LOGNAME");
}

// "NETBOOT_INITRD2": a number behind a setting that has none.
std::optional<std::string> needless_number(std::string_view name) {
    const std::string_view base = name.substr(0, name.find_last_not_of("0123456789") + 1);
    if (base.size() == name.size()) {
        return std::nullopt;
    }
    for (const OptionRow& row : option_table()) {
        if (!row.repeated && (row.environment == base || row.also == base)) {
            return fmt::format("unknown variable ${} has no effect: {}", name,
                               row.adds_up
                                   ? fmt::format("{} takes several values, with commas between them", base)
                                   : fmt::format("only {} exists", base));
        }
    }
    return std::nullopt;
}

// LOG_VERBOSE=1 is Docker-VM-Runner's way to say --log-level debug; LOG_LEVEL wins over it.
void take_verbose(const Environment& environment, Layer& layer) {
    const std::optional<Raw> verbose = variable(environment, verbose_variable);
    if (!verbose) {
        return;
    }
    try {
        if (parse_value<bool>(within_surroundings(verbose->text))) {
            layer.values.try_emplace("log-level", Raw{"debug", verbose->origin});
        }
    } catch (const ValueError& error) {
        layer.fault(fmt::format("{}: {}", verbose->origin, error.what()), "", error.hint());
    }
}

}  // namespace

std::string value_of(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
}

std::optional<Raw> variable(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() || within_surroundings(found->second).empty() ||
                   is_service_link(name, found->second) || is_of_others(name, found->second)
               ? std::nullopt
               : std::optional{Raw{found->second, fmt::format("${}", name)}};
}

Layer environment_layer(const Environment& environment) {
    Layer layer;
    for (const OptionRow& row : option_table()) {
        for (const std::string_view name : {row.environment, row.also}) {
            if (auto value = row.repeated ? std::nullopt : variable(environment, name)) {
                layer.values.try_emplace(std::string{row.flag}, *std::move(value));
            }
        }
    }
    take_numbered(environment, layer);
    take_verbose(environment, layer);
    layer.config = variable(environment, config_variable);
    return layer;
}

std::vector<std::string> strange_variables(const Environment& environment) {
    std::vector<std::string> warnings;
    const std::vector<std::string> known = known_variables();
    for (const auto& [name, value] : environment) {
        if (is_service_link(name, value)) {
            if (std::find(known.begin(), known.end(), name) != known.end()) {
                warnings.push_back(
                    fmt::format("${}={} is passed over: it describes a service of the cluster, not a setting "
                                "(enableServiceLinks: false in the Pod's spec keeps it out)",
                                name, visible(value)));
            }
        } else if (is_of_others(name, value)) {
            warnings.push_back(
                fmt::format("${}={} is passed over: it is no value of this setting, and other "
                            "programs have such a variable too",
                            name, visible(value)));
        } else if (is_of_a_service(name) || (name == login_shell && is_login(environment))) {
            continue;
        } else if (auto answer = foreign_answer(name, value)) {
            warnings.push_back(*std::move(answer));
        } else if (auto numbered = needless_number(name)) {
            warnings.push_back(*std::move(numbered));
        } else if (const auto meant = misspelt_variable(without_number(name), known)) {
            warnings.push_back(
                fmt::format("unknown variable ${} has no effect: did you mean {}?", name, *meant));
        }
    }
    return warnings;
}

}  // namespace vml
