// The marks that links carry in their alias: on one that could outlive its maker, and on a tap.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netsetup/mac.h"

namespace vml::net {

// Written to a link's alias as "vm-launch:<owner>:<token>". `ip link` shows it.
struct Tag {
    std::string
        owner;  // the VM's name, for the human reader; cut to 64 characters, a colon in it becomes '_'
    std::string token;  // 16 hexadecimal digits, random: tells this link's maker from every other

    bool operator==(const Tag&) const = default;
};

// A tag with a new token.
[[nodiscard]] Tag make_tag(std::string_view owner);

[[nodiscard]] std::string to_alias(const Tag& tag);

// Nothing when the alias is not exactly what to_alias writes. Pure.
[[nodiscard]] std::optional<Tag> parse_tag(std::string_view alias);

// Of a VM's tap: "vm-launch:<owner> <the guest's address>". It goes with its maker, so it has no token.
struct TapAlias {
    std::string owner;  // as a tag's
    Mac guest{};

    bool operator==(const TapAlias&) const = default;
};

[[nodiscard]] std::string to_alias(const TapAlias& tap);

// Nothing when the alias is not what to_alias writes. Pure.
[[nodiscard]] std::optional<TapAlias> parse_tap_alias(std::string_view alias);

// Of a tap by which doctor asks a network for a moment, in a guest's name: it is nobody's.
inline constexpr std::string_view doctor_alias = "vm-launch doctor";

}  // namespace vml::net
