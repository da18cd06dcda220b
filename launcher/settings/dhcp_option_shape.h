// What the value of a DHCP option has to look like. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vml {

// Of these that are not text. edk2 drops a whole message for one option of another shape
// (NetworkPkg/Dhcp4Dxe/Dhcp4Option.c, DhcpOptionFormats), and boots nothing then.
struct OptionShape {
    enum class Kind { addresses, pairs, numbers, on_off, routes };
    Kind kind = Kind::addresses;
    std::size_t unit = 4;  // bytes
    bool several = true;

    [[nodiscard]] bool fits(std::string_view value) const;
    // For people: "one or more IPv4 addresses".
    [[nodiscard]] std::string_view words() const;
    [[nodiscard]] std::string_view source() const { return kind == Kind::routes ? "RFC 3442" : "RFC 2132"; }
    // How such a value is written: "ip:".
    [[nodiscard]] std::string_view form() const;
};

// None: text, or bytes of its own, or nothing that is known here.
[[nodiscard]] const OptionShape* shape_of_option(std::uint8_t code);

}  // namespace vml
