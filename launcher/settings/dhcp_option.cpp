#include "launcher/settings/dhcp_option.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/settings/dhcp_option_shape.h"
#include "launcher/settings/network_options.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

// RFC 2132, RFC 5071 and IANA's list, as far as boot files ask for them.
struct OptionName {
    std::string_view name;
    std::uint8_t code;
};
constexpr auto option_names = std::to_array<OptionName>({
    {"host-name", 12},
    {"root-path", 17},
    {"ntp-servers", 42},
    {"vendor-options", 43},
    {"tftp-server-name", 66},
    {"bootfile-name", 67},
    {"config-file", 209},
    {"path-prefix", 210},
    {"reboot-time", 211},
});

constexpr std::uint8_t ipxe_options = 175;  // iPXE src/include/ipxe/dhcp.h, DHCP_EB_ENCAP
constexpr std::size_t longest_value = 255;  // RFC 2132, 2: the length is one byte
constexpr std::string_view shape = "N=VALUE, N a number from 1 to 254, a name, or 175.N";
constexpr std::string_view forms =
    "VALUE is a text, or hex:0601…, ip:192.0.2.1,…, u8:N, u16:N or u32:N; the names are host-name, "
    "root-path, "
    "ntp-servers, vendor-options, tftp-server-name, config-file, path-prefix and reboot-time";

struct Kept {
    std::uint8_t code;
    std::string_view why;
};
// What makes the offer one, and what goes with the address, whoever gives it.
constexpr auto kept_options = std::to_array<Kept>({
    {13, "by it UEFI's PXE client takes as much of its boot file, and does not ask how long that is"},
    {50, "it is of the address, not of what boots"},
    {51, "it is of the address, not of what boots"},
    {52, "vm-launch puts no option into the header"},
    {53, "it says what kind of message this is"},
    {54, "it says whose offer this is"},
    {55, "it is a client's"},
    {57, "it is a client's"},
    {58, "it is of the address, not of what boots"},
    {59, "it is of the address, not of what boots"},
    {60, "by it a PXE client knows the offer: PXEClient"},
    {61, "it is a client's"},
    {67, "it names what boots, as --bootfile does"},
    {77, "it is a client's"},
    {82, "it is a relay's"},
    {93, "it is a client's"},
});

std::uint8_t parse_code(std::string_view text, std::string_view whole) {
    const auto* const named = std::find_if(option_names.begin(), option_names.end(),
                                           [&](const OptionName& known) { return known.name == text; });
    if (named != option_names.end()) {
        return named->code;
    }
    const auto code = whole_number<std::uint8_t>(text);
    if (!code || *code == 0 || *code == longest_value) {  // 0 pads, and 255 ends (RFC 2132, 3)
        throw invalid_value(whole, shape, std::string{forms});
    }
    return *code;
}

std::string from_hex(std::string_view text, std::string_view whole) {
    std::string bytes;
    while (!text.empty()) {
        if (text.front() == ':' && !bytes.empty()) {
            text.remove_prefix(1);
        }
        const auto byte = text.size() < 2 ? std::nullopt : whole_number<std::uint8_t>(text.substr(0, 2), 16);
        if (!byte) {
            throw invalid_value(whole, "pairs of hexadecimal digits after hex:");
        }
        bytes += static_cast<char>(*byte);
        text.remove_prefix(2);
    }
    return bytes;
}

std::string from_addresses(std::string_view text, std::string_view whole) {
    std::string bytes;
    for (const std::string& part : split_list(text)) {
        if (!is_ipv4(part)) {
            throw invalid_value(whole, "IPv4 addresses after ip:");
        }
        std::string_view rest = part;
        for (int i = 0; i < 4; ++i) {
            const std::size_t dot = std::min(rest.find('.'), rest.size());
            bytes += static_cast<char>(*whole_number<std::uint8_t>(rest.substr(0, dot)));
            rest.remove_prefix(std::min(dot + 1, rest.size()));
        }
    }
    return bytes;
}

std::string from_number(std::string_view text, unsigned bits, std::string_view whole) {
    const auto number = whole_number<std::uint32_t>(text);
    constexpr unsigned most_bits = 32;
    if (!number || (bits < most_bits && *number >> bits != 0)) {
        throw invalid_value(whole, fmt::format("a number of {} bits after u{}:", bits, bits));
    }
    std::string bytes;
    for (unsigned shift = bits; shift > 0; shift -= 8U) {
        bytes += static_cast<char>(*number >> (shift - 8U) & 0xFFU);
    }
    return bytes;
}

std::string parse_bytes(std::string_view text, std::string_view whole) {
    const auto after = [&](std::string_view form) { return text.substr(form.size()); };
    if (text.starts_with("hex:")) {
        return from_hex(after("hex:"), whole);
    }
    if (text.starts_with("ip:")) {
        return from_addresses(after("ip:"), whole);
    }
    for (const unsigned bits : {8U, 16U, 32U}) {
        if (const std::string form = fmt::format("u{}:", bits); text.starts_with(form)) {
            return from_number(after(form), bits, whole);
        }
    }
    return std::string{text};
}

void check_code(const DhcpOption& option, std::string_view whole) {
    const auto* const kept = std::find_if(kept_options.begin(), kept_options.end(),
                                          [&](const Kept& row) { return row.code == option.code; });
    if (kept != kept_options.end()) {
        throw ValueError{fmt::format("option {} cannot be given: {}", option.code, kept->why),
                         "leave it out"};
    }
    if (option.code == ipxe_options && !option.inner) {
        throw invalid_value(whole, "175.N=VALUE", "iPXE's own options are inside of option 175");
    }
    constexpr std::uint8_t priority = 1;
    constexpr std::uint8_t no_proxy = 176;
    if (const std::uint8_t inner = option.inner.value_or(0); inner == priority || inner == no_proxy) {
        throw ValueError{
            fmt::format("option 175.{} cannot be given: by it iPXE would pass vm-launch's own offer over",
                        inner),
            "leave it out"};
    }
}

// Text where the option has none is wrong whatever its length: "10.0.0.1" would be two addresses.
bool fits(const OptionShape& wanted, std::string_view given, std::string_view whole) {
    const std::string bytes = parse_bytes(given, whole);
    return bytes != given && wanted.fits(bytes);
}

// Nobody would understand it, and UEFI's client would drop the whole offer.
void check_shape(const DhcpOption& option, std::string_view given, std::string_view whole) {
    const OptionShape* const wanted = option.inner ? nullptr : shape_of_option(option.code);
    if (wanted == nullptr || fits(*wanted, given, whole)) {
        return;
    }
    const std::string better = fmt::format("{}{}", wanted->form(), given);
    const auto would_fit = [&] {
        try {
            return fits(*wanted, better, whole);
        } catch (const ValueError&) {
            return false;
        }
    };
    throw invalid_value(
        whole, fmt::format("{}, as {} has option {}", wanted->words(), wanted->source(), to_string(option)),
        fmt::format("write {}={}", trimmed(whole.substr(0, whole.find('='))),
                    would_fit() ? better : fmt::format("{}…", wanted->form())));
}

}  // namespace

DhcpOption parse_dhcp_option(std::string_view text) {
    const std::size_t sign = text.find('=');
    if (sign == std::string_view::npos) {
        throw invalid_value(text, shape, std::string{forms});
    }
    const std::string_view number = trimmed(text.substr(0, sign));
    DhcpOption option;
    const std::size_t dot = std::min(number.find('.'), number.size());
    option.code = parse_code(number.substr(0, dot), text);
    if (dot < number.size()) {
        if (option.code != ipxe_options) {
            throw invalid_value(text, shape, "iPXE's option 175 alone has options inside");
        }
        option.inner = parse_code(number.substr(dot + 1), text);
    }
    check_code(option, text);
    option.value = parse_bytes(text.substr(sign + 1), text);
    if (option.value.empty() || option.value.size() > longest_value) {
        throw invalid_value(text, "a value of 1 to 255 bytes", std::string{forms});
    }
    check_shape(option, text.substr(sign + 1), text);
    return option;
}

std::string to_string(const DhcpOption& option) {
    if (option.inner) {
        return fmt::format("{}.{}", option.code, *option.inner);
    }
    const auto* const named =
        std::find_if(option_names.begin(), option_names.end(),
                     [&](const OptionName& known) { return known.code == option.code; });
    return named == option_names.end() ? std::to_string(option.code)
                                       : fmt::format("{} ({})", option.code, named->name);
}

}  // namespace vml
