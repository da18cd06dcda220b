// What a watch saw of a VM's links, as a pcapng file that grows while the VM runs, with what was made of each
// frame as its comments. Pure: somebody else writes the bytes.
//
// The latest frame is kept back until the next one comes, or the end: then its comments are complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/pcapng.h"
#include "bootwatch/timeline.h"
#include "launcher/events/event.h"
#include "launcher/watch/wire_watch.h"

namespace vml {

class FrameRecord {
  public:
    struct Config {
        std::string vm;          // its name
        std::size_t cut_at = 0;  // so many bytes of a frame are looked at
        // Adds to the file. 0, or the errno of why it cannot: then nothing more is recorded.
        std::function<int(std::string_view bytes)> write;
        std::function<std::uint64_t()> now_ns;  // since 1970, UTC
        std::size_t most = 64U << 20U;          // bytes of the file: a boot has few, a flood any number
    };
    // What is still to be written at the end.
    struct Rest {
        std::string bytes{};
        int error = 0;  // errno of what could not be written before
    };

    // While it lives, what is noted is of the latest frame.
    class Look {
      public:
        explicit Look(FrameRecord& record) : record_{record} {}
        ~Look() { record_.open_ = false; }
        Look(const Look&) = delete;
        Look& operator=(const Look&) = delete;
        Look(Look&&) = delete;
        Look& operator=(Look&&) = delete;

      private:
        FrameRecord& record_;
    };

    // Begins the file. Without a config nothing is kept.
    FrameRecord(std::optional<Config> config, std::vector<boot::WatchedNic> nics);

    // A frame of a watched NIC, which `nic` is an index of.
    Look frame(std::size_t nic, const WireFrame& frame);
    // One that vm-launch has sent, and which is not seen; `comment` says what it is (bootwatch/own_frame.h).
    Look own_frame(std::size_t nic, std::string_view frame, std::string_view comment);
    // Nothing where no frame is looked at.
    void note(std::string_view comment);
    // The frame that is looked at brings nothing but more of a file: its headers are enough. Not where
    // something is noted of it.
    void keep_head();
    // The same of a stage, and of what is new of fetches.
    void note(const std::vector<boot::Mark>& marks);
    void note(const std::vector<events::Event>& news);
    // The machine was reset: the next frame is another boot's.
    void was_reset() { reset_ = true; }

    // Nothing more comes. `end`: how the run ended, for the last frame.
    [[nodiscard]] Rest end(std::string_view end);

  private:
    bool take(std::size_t nic, std::string_view bytes, std::size_t length, boot::PcapngWay way);
    void write_latest();
    void put(std::string_view bytes);

    std::optional<Config> config_;
    std::vector<boot::WatchedNic> nics_;
    std::optional<boot::PcapngPacket> latest_;
    std::string buffer_;     // to be written together
    std::size_t size_ = 0;   // of the file, with what is in the buffer
    std::size_t notes_ = 0;  // bytes of the latest frame's
    int error_ = 0;
    bool open_ = false;
    bool full_ = false;
    bool tells_ = false;  // the latest frame, of a stage
    bool reset_ = false;
};

}  // namespace vml
