// What goes over a control socket: one JSON object a line, a request from the client, then its answer.
// docs/control.md has the commands. Pure.
//
//     → {"command":"status"}
//     ← {"return":{"name":"web",…}}
//     → {"command":"screenshot"}
//     ← {"return":{"bytes":31415}}        and behind the line so many bytes
//     → {"command":"console"}
//     ← {"return":{"stream":true,…}}      from here on both directions are the guest's serial console
//     ← {"error":{"what":…,"why":…,"hint":…,"exit_code":1}}
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace vml::control {

// Without its newline. Whoever sends more has no request to make.
inline constexpr std::size_t longest_request = std::size_t{64} << 10;

struct Request {
    std::string command;
    nlohmann::json arguments = nlohmann::json::object();  // an object

    bool operator==(const Request&) const = default;
};

// Each parses one line without its newline and never throws; each format_… ends its line.
[[nodiscard]] std::variant<Request, Fault> parse_request(std::string_view line);
[[nodiscard]] std::string format_request(const Request& request);

[[nodiscard]] std::string format_answer(const nlohmann::json& value);
[[nodiscard]] std::string format_refusal(const Fault& fault);
// What the server returned, or the fault that it told of. Whoever that is: no text in it commands a terminal,
// and no fault says that all went well.
[[nodiscard]] std::variant<nlohmann::json, Fault> parse_answer(std::string_view line);

}  // namespace vml::control
