// What nlohmann-json lacks for writing our own documents. Pure.
#pragma once

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

}  // namespace vml
