#include "capture/packet_notes.h"

#include <algorithm>
#include <utility>

#include "bootwatch/own_frame.h"
#include "bootwatch/pcapng.h"

namespace vml::capture {

namespace {

enum BlockType : std::uint32_t {
    interface_block = 1,
    old_packet = 2,  // of drafts, before 2004
    simple_packet = 3,
    enhanced_packet = 6,
    section_header = 0x0A0D0D0A,
};

constexpr std::size_t block_head = 8;  // type and length
constexpr std::size_t block_tail = 4;  // the length again
// libpcap's own limit (sf-pcapng.c, MAX_BLOCKSIZE).
constexpr std::uint32_t largest_block = 16U << 20U;

std::size_t on_words(std::size_t size) {
    return (size + 3) / 4 * 4;
}

}  // namespace

std::uint16_t PacketNotes::u16(Bytes bytes, std::size_t at) const {
    return swapped_ ? bytes.be16(at) : bytes.u16(at);
}

std::uint32_t PacketNotes::u32(Bytes bytes, std::size_t at) const {
    return swapped_ ? bytes.be32(at) : bytes.u32(at);
}

void PacketNotes::feed(std::string_view bytes) {
    if (broken_) {
        return;
    }
    waiting_ += bytes;
    while (!broken_ && take_block()) {
    }
    if (broken_) {
        waiting_.clear();
    }
}

// False where the next block is not there yet.
bool PacketNotes::take_block() {
    constexpr std::size_t section_head = 12;
    constexpr std::uint32_t byte_order = 0x1A2B3C4D;
    const Bytes all = bytes_of(waiting_);
    if (!all.has(0, section_head)) {
        return false;
    }
    const bool begins_section = all.u32(0) == section_header;  // the same in either byte order
    if (begins_section) {
        swapped_ = all.be32(block_head) == byte_order;
        begun_ = swapped_ || all.u32(block_head) == byte_order;
    }
    const std::uint32_t length = u32(all, 4);
    broken_ = !begun_ || length < section_head || length % 4 != 0 || length > largest_block;
    if (broken_ || !all.has(0, length)) {
        return false;
    }
    const Bytes block = all.part(0, length - block_tail);
    if (begins_section) {
        section(block);
    } else if (u32(all, 0) == interface_block) {
        interface(block);
    } else {
        packet(u32(all, 0), block);
    }
    waiting_.erase(0, length);
    return true;
}

// Of a block, from there on; no more than any writer has.
std::vector<PacketNotes::Option> PacketNotes::options(Bytes block, std::size_t at) const {
    constexpr std::size_t head = 4;
    constexpr std::size_t most = 1024;
    std::vector<Option> options;
    while (block.has(at, head) && u16(block, at) != 0 && options.size() < most) {
        const std::size_t size = u16(block, at + 2);
        if (!block.has(at + head, size)) {
            break;
        }
        options.push_back({u16(block, at), block.part(at + head, size)});
        at += head + on_words(size);
    }
    return options;
}

void PacketNotes::section(Bytes block) {
    constexpr std::size_t behind_length = 24;
    constexpr std::uint16_t program = 4;  // shb_userappl
    interfaces_.clear();
    const std::vector<Option> told = options(block, behind_length);
    own_ = std::any_of(told.begin(), told.end(), [](const Option& option) {
        return option.code == program && option.value.chars() == boot::pcapng_program;
    });
    begins_ = own_ && has_packets_;
}

void PacketNotes::interface(Bytes block) {
    constexpr std::size_t behind_snaplen = 16;
    constexpr std::size_t most = 1024;  // of vm-launch's there are as many as a VM has NICs
    constexpr std::uint16_t mac_address = 6;
    if (!own_ || interfaces_.size() >= most) {
        return;
    }
    std::optional<Mac>& mac = interfaces_.emplace_back();
    for (const Option& option : options(block, behind_snaplen)) {
        if (Mac read{}; option.code == mac_address && option.value.size() == read.size()) {
            std::copy_n(option.value.chars().begin(), read.size(), read.begin());
            mac = read;
        }
    }
}

void PacketNotes::packet(std::uint32_t type, Bytes block) {
    has_packets_ = true;
    if (type == simple_packet || type == old_packet) {
        notes_.emplace_back();
    } else if (type == enhanced_packet) {
        notes_.push_back(enhanced(block));
    }
}

FrameNotes PacketNotes::enhanced(Bytes block) {
    constexpr std::size_t interface_number = 8;
    constexpr std::size_t captured_length = 20;
    constexpr std::size_t data = 28;
    enum : std::uint16_t { comment = 1, flags = 2 };
    constexpr std::uint32_t direction = 3;
    FrameNotes notes;
    notes.after_reset = std::exchange(begins_, false);
    if (const std::uint32_t number = u32(block, interface_number); number < interfaces_.size()) {
        notes.nic = interfaces_[number];
    }
    const std::size_t captured = u32(block, captured_length);
    for (const Option& option :
         options(block, block.has(data, captured) ? data + on_words(captured) : block.size())) {
        if (option.code == flags) {
            notes.inbound =
                (u32(option.value, 0) & direction) == static_cast<std::uint32_t>(boot::PcapngWay::inbound);
        } else if (option.code == comment) {
            take_comment(option.value.chars(), notes);
        }
    }
    return notes;
}

void PacketNotes::take_comment(std::string_view text, FrameNotes& notes) {
    if (text.starts_with(boot::own_offer_comment)) {
        notes.sender = FrameNotes::Sender::own_offer;
    } else if (text.starts_with(boot::own_help_comment)) {
        notes.sender = FrameNotes::Sender::own_help;
    } else if (text.starts_with(boot::run_end_comment)) {
        run_end_ = text.substr(boot::run_end_comment.size(), boot::longest_comment);
    } else if (text.starts_with(boot::full_comment)) {
        cut_ = text.substr(0, boot::longest_comment);
    } else if (text == boot::reset_comment) {
        notes.after_reset = true;
    }
}

FrameNotes PacketNotes::next() {
    if (notes_.empty()) {
        return {};
    }
    const FrameNotes notes = notes_.front();
    notes_.pop_front();
    return notes;
}

}  // namespace vml::capture
