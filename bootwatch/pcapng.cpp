#include "bootwatch/pcapng.h"

#include "base/text.h"
#include "bootwatch/bounds.h"

namespace vml::boot {

namespace {

enum class PcapngBlock : std::uint32_t { interface = 1, packet = 6, section = 0x0A0D0D0A };

// A code means one thing in each kind of block.
enum class PcapngOption : std::uint8_t {
    end = 0,
    comment = 1,
    program = 4,     // shb_userappl
    name = 2,        // if_name
    mac = 6,         // if_MACaddr
    resolution = 9,  // if_tsresol
    flags = 2,       // epb_flags
};

template <unsigned bytes>
std::string little_endian(std::uint64_t value) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) {
        text += static_cast<char>(value >> 8U * i & 0xFFU);
    }
    return text;
}

std::string u16(std::uint64_t value) {
    return little_endian<2>(value);
}

std::string u32(std::uint64_t value) {
    return little_endian<4>(value);
}

std::string to_word_size(std::string bytes) {
    constexpr std::size_t word = 4;
    bytes.resize((bytes.size() + word - 1) / word * word, '\0');
    return bytes;
}

std::string pcapng_option(PcapngOption code, std::string_view value) {
    return u16(static_cast<std::uint8_t>(code)) + u16(value.size()) + to_word_size(std::string{value});
}

std::string pcapng_text(PcapngOption code, std::string_view text) {
    return text.empty() ? "" : pcapng_option(code, as_comment(text));
}

std::string with_end(const std::string& options) {
    return options.empty() ? options : options + pcapng_option(PcapngOption::end, "");
}

// The length stands at both ends, so that a file can be read backwards.
std::string pcapng_block(PcapngBlock type, const std::string& body) {
    constexpr std::size_t frame = 12;
    const std::string length = u32(frame + body.size());
    return u32(static_cast<std::uint32_t>(type)) + length + body + length;
}

}  // namespace

std::string as_comment(std::string_view text) {
    return cut_to(printable(text), longest_comment);
}

std::string pcapng_section(std::string_view comment) {
    constexpr std::uint32_t byte_order = 0x1A2B3C4D;
    constexpr std::uint16_t major = 1;
    constexpr std::uint64_t to_the_end = ~std::uint64_t{0};
    return pcapng_block(PcapngBlock::section,
                        u32(byte_order) + u16(major) + u16(0) + little_endian<8>(to_the_end) +
                            with_end(pcapng_text(PcapngOption::comment, comment) +
                                     pcapng_text(PcapngOption::program, pcapng_program)));
}

std::string pcapng_interface(const PcapngInterface& interface) {
    constexpr std::uint16_t ethernet = 1;  // LINKTYPE_ETHERNET
    constexpr char nanoseconds = 9;        // 10^-9 s
    const std::string mac{interface.mac.begin(), interface.mac.end()};
    return pcapng_block(
        PcapngBlock::interface,
        u16(ethernet) + u16(0) + u32(interface.cut_at) +
            with_end(pcapng_text(PcapngOption::name, interface.name) + pcapng_option(PcapngOption::mac, mac) +
                     pcapng_option(PcapngOption::resolution, std::string(1, nanoseconds))));
}

std::string pcapng_packet(const PcapngPacket& packet) {
    constexpr unsigned half = 32;
    std::string options;
    for (const std::string& comment : packet.comments) {
        options += pcapng_text(PcapngOption::comment, comment);
    }
    if (packet.way != PcapngWay::unknown) {
        options += pcapng_option(PcapngOption::flags, u32(static_cast<std::uint8_t>(packet.way)));
    }
    return pcapng_block(PcapngBlock::packet, u32(packet.interface) + u32(packet.at_ns >> half) +
                                                 u32(packet.at_ns) + u32(packet.bytes.size()) +
                                                 u32(packet.length) + to_word_size(packet.bytes) +
                                                 with_end(options));
}

}  // namespace vml::boot
