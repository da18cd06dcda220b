#include "launcher/settings/suggest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include <fmt/format.h>

namespace vml {

namespace {

constexpr std::size_t longest = 64;  // no name of ours is longer, and the table is quadratic

// Which letters a word has. An edit changes two of these bits at most: a replacement takes one letter and
// brings one.
std::uint64_t letters_of(std::string_view word) {
    std::uint64_t letters = 0;
    for (const char c : word) {
        letters |= std::uint64_t{1} << (static_cast<unsigned char>(c) % 64U);
    }
    return letters;
}

// A word that is looked for. Its letters are counted once: an environment has many names, and so have we.
struct Sought {
    std::string_view word;
    std::uint64_t letters = letters_of(word);

    // Can the candidate be so few edits away? Cheap, and says no to nearly every pair.
    [[nodiscard]] bool may_be(std::string_view candidate, std::size_t edits) const {
        const std::size_t longer = std::max(word.size(), candidate.size());
        return candidate.size() <= longest && longer - std::min(word.size(), candidate.size()) <= edits &&
               static_cast<std::size_t>(std::popcount(letters ^ letters_of(candidate))) <= 2 * edits;
    }
};

// The nearest candidate at most so many edits away; the first one among equals.
std::optional<std::string> nearest_within(std::string_view word, const std::vector<std::string>& candidates,
                                          std::size_t edits) {
    const Sought sought{word};
    const std::string* best = nullptr;
    for (const std::string& candidate : candidates) {
        if (!sought.may_be(candidate, edits)) {
            continue;
        }
        const std::size_t distance = edit_distance(word, candidate);
        if (distance <= edits) {
            best = &candidate;
            if (distance == 0) {
                break;
            }
            edits = distance - 1;
        }
    }
    return best == nullptr ? std::nullopt : std::optional{*best};
}

}  // namespace

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
    if (word.size() > longest) {
        return std::nullopt;
    }
    return nearest_within(word, candidates, std::max<std::size_t>(1, word.size() / 3));
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

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         std::string_view otherwise) {
    const std::optional<std::string> guess = nearest(word, known);
    return guess ? fmt::format("did you mean {}?", *guess) : std::string{otherwise};
}

std::optional<std::string> misspelt_variable(std::string_view name, const std::vector<std::string>& known) {
    constexpr std::size_t shortest = 5;  // of shorter names too many are near to each other
    constexpr std::size_t long_enough_for_two = 8;
    if (name.size() < shortest || name.size() > longest ||
        std::find(known.begin(), known.end(), name) != known.end()) {
        return std::nullopt;
    }
    if (is_of_our_families(name)) {
        const std::optional<std::string> guess = nearest(name, known);
        return guess ? guess : completed(name, known);
    }
    return nearest_within(name, known, name.size() < long_enough_for_two ? 1 : 2);
}

}  // namespace vml
