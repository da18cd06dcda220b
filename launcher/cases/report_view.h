// What of a run's report (docs/report-format.md) the expectations ask for. It may be of any shape. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "bootwatch/stage.h"
#include "launcher/cases/case.h"

namespace vml::cases {

// The objects of a list within an object.
[[nodiscard]] std::vector<nlohmann::json> objects_at(const nlohmann::json& object, const char* key);
[[nodiscard]] std::optional<double> time_at(const nlohmann::json& object, const char* key);

[[nodiscard]] std::optional<boot::Stage> furthest_stage(const nlohmann::json& report);
[[nodiscard]] bool reached(const nlohmann::json& report, boot::Stage stage);

// Why the files that the guest fetched are not all known; none: they are.
[[nodiscard]] std::optional<std::string> why_files_are_unknown(const nlohmann::json& report);

// Why it is not known of each file who named it: an offer that was not seen may have named it too.
[[nodiscard]] std::optional<std::string> why_namers_are_unknown(const nlohmann::json& report);

// One that was fetched, and what is known of where it came from.
struct SeenFile {
    std::string url;
    std::string from;  // the server's address, as text
    bool by_vm_launch = false;
    bool whole = false;
    std::uint64_t bytes = 0;
    // Who named it before it was asked for: more than one where several named the same.
    struct Namer {
        NamedBy by = NamedBy::dhcp;
        std::string server{};  // of an offer
    };
    std::vector<Namer> namers{};
};
// A fetch that asks for a file's size alone.
[[nodiscard]] bool asks_for_size(const nlohmann::json& fetch);
// Of all boots, in their order; without what asked for a file's size alone.
[[nodiscard]] std::vector<SeenFile> fetched_files(const nlohmann::json& report);

}  // namespace vml::cases
