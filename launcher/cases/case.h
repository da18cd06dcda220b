// What `vm-launch test` is asked for: cases, each with its settings, what is to be tried of them, and what is
// expected of the boot. Plain data. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/choice.h"
#include "bootwatch/record.h"
#include "bootwatch/stage.h"
#include "launcher/settings/layer.h"

namespace vml::cases {

// Who told the guest of a file.
enum class NamedBy {
    dhcp,       // the server that acknowledged the guest's address
    proxydhcp,  // one that names files and gives no address
    vm_launch,  // vm-launch's own offer on a bridge
    script,     // an iPXE script that the guest had fetched before
};

}  // namespace vml::cases

namespace vml {
template <>
inline constexpr auto choices<cases::NamedBy> =
    std::to_array<Choice<cases::NamedBy>>({{"dhcp", cases::NamedBy::dhcp},
                                           {"proxydhcp", cases::NamedBy::proxydhcp},
                                           {"vm-launch", cases::NamedBy::vm_launch},
                                           {"script", cases::NamedBy::script}});
}  // namespace vml

namespace vml::cases {

// A file that the guest must have fetched whole.
struct ExpectedFile {
    std::string url;                       // "*" in it stands for any text
    std::optional<std::string> from{};     // the address of the server that sent it, or "vm-launch"
    std::optional<NamedBy> by{};           // who named it
    std::optional<std::string> offered{};  // the address of the server whose offer named it

    bool operator==(const ExpectedFile&) const = default;
};

// By what a machine boots from the network.
struct Way {
    struct Path {
        std::string scheme;   // "tftp", "http"; the latter also by TLS
        bool by_six = false;  // over IPv6, or else IPv4

        bool operator==(const Path&) const = default;
    };
    boot::Client client = boot::Client::ipxe;  // who looks for an address, and fetches the first file
    std::optional<Path> path{};                // how it does; none: as it is told to
    std::string chained{};  // the program that takes over the NIC from it; empty: there is none

    bool operator==(const Way&) const = default;
};

struct Expectation {
    std::optional<boot::Stage> stage{};    // was reached, by evidence of its own
    int exit_code = 0;                     // of vm-launch run
    std::optional<std::string> console{};  // a regular expression (base/pattern.h) that a line matches
    std::optional<double> seconds{};       // at most, from the machine's start to the run's end
    std::optional<std::uint64_t> bytes{};  // fetched, at most
    std::vector<ExpectedFile> fetched{};
    std::vector<std::string> not_fetched{};  // URLs, likewise with "*"
    std::optional<Way> way{};                // that the boot took, as far as it came
    std::optional<NamedBy> named_by{};       // who named the first file

    bool operator==(const Expectation&) const = default;
};

// A setting, or several in one, and the values that it is to have, one after the other.
struct Axis {
    std::string flag;  // of the setting, without dashes; or one of default_matrix.h
    std::vector<std::string> values;
    bool by_default = false;  // the default matrix has it, and nobody named it

    bool operator==(const Axis&) const = default;
};

struct Case {
    std::string name{};  // empty where there is no test file
    Layer settings{};    // the file's
    std::vector<Axis> matrix{};
    Expectation expect{};
};

}  // namespace vml::cases
