// What a pcapng file says of its packets beside their bytes, as far as vm-launch's own record of a boot does
// (bootwatch/own_frame.h); libpcap gives nobody a packet's comments. Pure; any bytes are welcome.
//
// Sources: as of bootwatch/pcapng.h.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mac.h"

namespace vml::capture {

struct FrameNotes {
    enum class Sender : std::uint8_t {
        anybody,
        own_offer,  // vm-launch, which offered it to the machine alone
        own_help,   // vm-launch, to spare the machine a wait: no evidence
    };
    Sender sender = Sender::anybody;
    // On whose link it was seen, in vm-launch's record of a run: that tells each reset of its machine. Else
    // nothing of the following is known.
    std::optional<Mac> nic{};
    bool inbound = false;      // it was not the NIC that sent it
    bool after_reset = false;  // the machine was reset before this, or another run's record begins

    bool operator==(const FrameNotes&) const = default;
};

class PacketNotes {
  public:
    // The file's bytes, in order, in pieces of any size. Nothing comes of what is no pcapng.
    void feed(std::string_view bytes);
    // Of the packet after the one before: libpcap gives every block that is one.
    [[nodiscard]] FrameNotes next();
    // How the run ended whose record it is, in its own words; empty: that is not told.
    [[nodiscard]] const std::string& run_end() const { return run_end_; }
    // Why the record has no more, where the machine went on; empty: it has all.
    [[nodiscard]] const std::string& cut() const { return cut_; }

  private:
    struct Option {
        std::uint16_t code = 0;
        Bytes value;
    };

    bool take_block();
    void section(Bytes block);
    void interface(Bytes block);
    void packet(std::uint32_t type, Bytes block);
    [[nodiscard]] FrameNotes enhanced(Bytes block);
    void take_comment(std::string_view text, FrameNotes& notes);
    [[nodiscard]] std::vector<Option> options(Bytes block, std::size_t at) const;
    [[nodiscard]] std::uint16_t u16(Bytes bytes, std::size_t at) const;
    [[nodiscard]] std::uint32_t u32(Bytes bytes, std::size_t at) const;

    std::string waiting_;
    std::deque<FrameNotes> notes_;
    std::vector<std::optional<Mac>> interfaces_;  // of this section
    std::string run_end_;
    std::string cut_;
    bool begun_ = false;
    bool broken_ = false;
    bool swapped_ = false;  // the writer's numbers are big-endian
    bool own_ = false;      // vm-launch wrote this section
    bool has_packets_ = false;
    bool begins_ = false;  // its first packet is still to come: of another run than what was before
};

}  // namespace vml::capture
