#include "control/protocol.h"

#include <cstdint>

#include "base/json.h"
#include "base/text.h"

namespace vml::control {

namespace {

using nlohmann::json;

std::string line_of(const json& value) {
    // What came from outside may be no UTF-8, and is still to be told of.
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Fault malformed(std::string why) {
    return {"this is no request", std::move(why), R"(for example {"command":"status"})", ExitCode::failed};
}

Fault fault_of(const json& error) {
    constexpr std::int64_t largest_status = 255;
    const auto number = number_at<std::int64_t>(error, "exit_code").value_or(1);
    const bool fails = number > 0 && number <= largest_status;
    return {text_at(error, "what"), text_at(error, "why"), text_at(error, "hint"),
            fails ? static_cast<ExitCode>(number) : ExitCode::failed};
}

// Without control characters in any text; the depth was bounded when it was parsed.
json harmless(const json& value) {
    if (value.is_string()) {
        return printable(value.get_ref<const std::string&>());
    }
    if (!value.is_structured()) {
        return value;
    }
    json all(value.type());  // braces would make a list of it
    for (const auto& [key, member] : value.items()) {
        value.is_object() ? void(all[printable(key)] = harmless(member)) : all.push_back(harmless(member));
    }
    return all;
}

}  // namespace

std::variant<Request, Fault> parse_request(std::string_view line) {
    const json message = parse_json(line);
    if (!message.is_object()) {
        return malformed("a request is one JSON object on one line");
    }
    Request request{text_at(message, "command")};
    if (request.command.empty()) {
        return malformed("it names no \"command\"");
    }
    if (const auto arguments = message.find("arguments"); arguments != message.end()) {
        if (!arguments->is_object()) {
            return malformed("its \"arguments\" are no object");
        }
        request.arguments = *arguments;
    }
    return request;
}

std::string format_request(const Request& request) {
    return line_of({{"command", request.command}, {"arguments", request.arguments}});
}

std::string format_answer(const json& value) {
    return line_of({{"return", value}});
}

std::string format_refusal(const Fault& fault) {
    return line_of({{"error",
                     {{"what", fault.what},
                      {"why", fault.why},
                      {"hint", fault.hint},
                      {"exit_code", static_cast<int>(fault.code)}}}});
}

std::variant<json, Fault> parse_answer(std::string_view line) {
    const json message = harmless(parse_json(line));
    if (message.is_object()) {
        if (const auto value = message.find("return"); value != message.end()) {
            return *value;
        }
        if (const auto error = message.find("error"); error != message.end() && error->is_object()) {
            return fault_of(*error);
        }
    }
    return Fault{"unexpected reply from the VM", "it is no answer of vm-launch's control socket", "",
                 ExitCode::failed};
}

}  // namespace vml::control
