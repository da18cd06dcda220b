#include "launcher/suggest.h"

#include <algorithm>
#include <array>

namespace vml {

std::size_t edit_distance(std::string_view left, std::string_view right) {
    // Rows of the optimal string alignment table; two rows back are needed for swaps.
    std::vector<std::vector<std::size_t>> table(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
    for (std::size_t i = 0; i <= left.size(); ++i) {
        for (std::size_t j = 0; j <= right.size(); ++j) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            const std::size_t replace = table[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
            table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replace});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[left.size()][right.size()];
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest_sensible = 64;  // the table is quadratic, and no name of ours is longer
    if (word.size() > longest_sensible) {
        return std::nullopt;
    }
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

namespace {

// "NETWORK" of NETWORK2_BRIDGE, "IPXE" of IPXE_ENABLE: no other software's variables begin so.
bool is_of_our_families(std::string_view name) {
    constexpr std::array<std::string_view, 4> families{"IPXE", "NETWORK", "NETBOOT", "BOOT_"};
    return std::any_of(families.begin(), families.end(),
                       [&](std::string_view family) { return name.starts_with(family); });
}

// "IPXE_ROM" for IPXE_ROM_PATH.
std::optional<std::string> completed(std::string_view name, const std::vector<std::string>& known) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
        return candidate.starts_with(name) && candidate[name.size()] == '_';
    });
    return found == known.end() ? std::nullopt : std::optional{*found};
}

}  // namespace

std::optional<std::string> misspelt_variable(std::string_view name, const std::vector<std::string>& known) {
    constexpr std::size_t shortest = 5;  // of shorter names too many are near to each other
    constexpr std::size_t long_enough_for_two = 8;
    if (name.size() < shortest || std::find(known.begin(), known.end(), name) != known.end()) {
        return std::nullopt;
    }
    const std::optional<std::string> guess = nearest(name, known);
    if (is_of_our_families(name)) {
        return guess ? guess : completed(name, known);
    }
    const std::size_t slips = name.size() < long_enough_for_two ? 1 : 2;
    return guess && edit_distance(name, *guess) <= slips ? guess : std::nullopt;
}

}  // namespace vml
