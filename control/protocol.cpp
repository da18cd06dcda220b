#include "control/protocol.h"

#include "base/json.h"

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
    const int number = number_at<int>(error, "exit_code").value_or(1);
    return {text_at(error, "what"), text_at(error, "why"), text_at(error, "hint"),
            static_cast<ExitCode>(number)};
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
    const json message = parse_json(line);
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
