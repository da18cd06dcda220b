// What nlohmann-json lacks: for writing our own documents, and for reading what others wrote. Pure.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace vml {

// Each item converted, as an array; an empty array where there are none.
template <typename Items, typename Convert>
nlohmann::ordered_json list_of(const Items& items, Convert convert) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& item : items) {
        list.push_back(convert(item));
    }
    return list;
}

// A member of an object, where there is one of that type; `object` may be anything.
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);
[[nodiscard]] bool flag_at(const nlohmann::json& object, const char* key);
template <std::integral Number>
[[nodiscard]] std::optional<Number> number_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? std::optional{found->get<Number>()}
                                                               : std::nullopt;
}

// How deep arrays and objects are in each other, and how many values there are, byte by byte as a text comes
// in.
class JsonDepth {
  public:
    // Takes the next bytes; true once they nest deeper than `limit`.
    bool exceeds(std::string_view bytes, unsigned limit) noexcept;
    // Those between values, so far as the text did not nest too deep.
    [[nodiscard]] std::size_t commas() const noexcept { return commas_; }

  private:
    unsigned after(char c) noexcept;

    unsigned depth_ = 0;
    std::size_t commas_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;  // the last character was a backslash within a string
};

inline constexpr unsigned deepest_json = 64;

// What somebody else wrote; discarded (is_discarded) where it is no JSON, or nests too deep. A document of
// nothing but opening brackets takes 40 times its size, once it is parsed.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, unsigned deepest = deepest_json);

}  // namespace vml
