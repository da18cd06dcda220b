// The mark on a link that could outlive its maker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

}  // namespace vml::net
