#include "netsetup/tag.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace vml::net {

namespace {

constexpr std::string_view prefix = "vm-launch:";
constexpr std::size_t owner_length = 64;  // an alias has at most 255 bytes (IFALIASZ)
constexpr std::size_t token_length = 16;

bool is_token(std::string_view text) {
    return text.size() == token_length &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Tag make_tag(std::string_view owner) {
    std::random_device random;
    const std::uint64_t high = random();
    const std::uint64_t number = (high << 32U) | random();
    Tag tag{std::string{owner.substr(0, owner_length)}, fmt::format("{:016x}", number)};
    std::replace(tag.owner.begin(), tag.owner.end(), ':', '_');
    return tag;
}

std::string to_alias(const Tag& tag) {
    return fmt::format("{}{}:{}", prefix, tag.owner, tag.token);
}

std::optional<Tag> parse_tag(std::string_view alias) {
    if (!alias.starts_with(prefix)) {
        return std::nullopt;
    }
    const std::string_view rest = alias.substr(prefix.size());
    const std::size_t colon = rest.find(':');  // npos is larger than any length
    if (colon > owner_length || !is_token(rest.substr(colon + 1))) {
        return std::nullopt;
    }
    return Tag{std::string{rest.substr(0, colon)}, std::string{rest.substr(colon + 1)}};
}

std::string to_alias(const TapAlias& tap) {
    return fmt::format("{}{} {}", prefix, tap.owner.substr(0, owner_length), mac_text(tap.guest));
}

std::optional<TapAlias> parse_tap_alias(std::string_view alias) {
    const std::size_t blank = alias.rfind(' ');
    if (!alias.starts_with(prefix) || blank == std::string_view::npos) {
        return std::nullopt;
    }
    const std::optional<Mac> guest = mac_from_text(alias.substr(blank + 1));
    return guest ? std::optional{TapAlias{std::string{alias.substr(prefix.size(), blank - prefix.size())},
                                          *guest}}
                 : std::nullopt;
}

}  // namespace vml::net
