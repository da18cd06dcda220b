// Whatever a client sends: requests, answers and the names of files are parsed without a throw, and
// what was accepted comes back when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "control/address.h"
#include "control/protocol.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::control;

std::string_view line_of(const std::string& text) {
    require(text.ends_with('\n') && text.find('\n') == text.size() - 1);
    return std::string_view{text}.substr(0, text.size() - 1);
}

void check_request(std::string_view line) {
    const auto parsed = parse_request(line);
    if (const auto* request = std::get_if<Request>(&parsed)) {
        require(!request->command.empty() && request->arguments.is_object());
        const std::string written = format_request(*request);
        require(std::holds_alternative<Request>(parse_request(line_of(written))));
    } else {
        require(!std::get<Fault>(parsed).why.empty());
    }
}

void check_answer(std::string_view line) {
    const auto parsed = parse_answer(line);
    if (const auto* value = std::get_if<nlohmann::json>(&parsed)) {
        const std::string written = format_answer(*value);
        require(std::holds_alternative<nlohmann::json>(parse_answer(line_of(written))));
    } else {
        const std::string written = format_refusal(std::get<Fault>(parsed));
        require(std::holds_alternative<Fault>(parse_answer(line_of(written))));
    }
}

void check_name(std::string_view file) {
    if (const auto name = name_of_lock(file)) {
        require(lock_file(*name) == file && name->find('/') == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_request(input);
    check_answer(input);
    check_name(input);
    return 0;
}
