#include "base/json.h"

#include <algorithm>

namespace vml {

std::string text_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool flag_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

bool JsonDepth::exceeds(std::string_view bytes, unsigned limit) noexcept {
    return std::any_of(bytes.begin(), bytes.end(), [&](char c) { return after(c) > limit; });
}

unsigned JsonDepth::after(char c) noexcept {
    if (in_string_) {
        in_string_ = c != '"' || escaped_;
        escaped_ = c == '\\' && !escaped_;
    } else if (c == '"') {
        in_string_ = true;
    } else if (c == '[' || c == '{') {
        ++depth_;
    } else if ((c == ']' || c == '}') && depth_ > 0) {
        --depth_;
    } else if (c == ',') {
        ++commas_;
    }
    return depth_;
}

nlohmann::json parse_json(std::string_view text, unsigned deepest) {
    if (JsonDepth{}.exceeds(text, deepest)) {
        nlohmann::json discarded(nlohmann::json::value_t::discarded);  // braces would make a list of it
        return discarded;
    }
    return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace vml
