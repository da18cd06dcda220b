#include "launcher/watch/frame_record.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/segment_place.h"
#include "bootwatch/own_frame.h"
#include "netserve/frame_bytes.h"

namespace vml {

namespace {

// So much is written at once.
constexpr std::size_t at_once = 64U << 10U;
// Kept free for the last frame with its comments, which says why there are no more.
constexpr std::size_t last_room = 64U << 10U;
// Ethernet's header with two VLAN tags, IPv6's, and TCP's with all of its options: 22, 40 and 60 bytes.
constexpr std::size_t most_of_a_head = 128;
// Of one frame's comments: a script may have been fetched and run, and a boot's end be known, by one frame.
constexpr std::size_t most_notes = 32U << 10U;

Mac source_of(std::string_view frame) {
    constexpr std::size_t target = 6;
    Mac mac{};
    if (frame.size() >= target + mac.size()) {
        std::copy_n(frame.begin() + target, mac.size(), mac.begin());
    }
    return mac;
}

boot::PcapngWay way_of(const WireFrame& frame, const Mac& guest) {
    const bool by_guest = source_of(frame.bytes.chars()) == guest && !frame.came_in;
    return by_guest ? boot::PcapngWay::outbound : boot::PcapngWay::inbound;
}

}  // namespace

FrameRecord::FrameRecord(std::optional<Config> config, std::vector<boot::WatchedNic> nics)
    : config_{std::move(config)}, nics_{std::move(nics)} {
    if (!config_) {
        return;
    }
    put(boot::pcapng_section(fmt::format("{}: what vm-launch saw of its boot", config_->vm)));
    for (const boot::WatchedNic& nic : nics_) {
        put(boot::pcapng_interface({nic.id, nic.mac, static_cast<std::uint32_t>(config_->cut_at)}));
    }
}

FrameRecord::Look FrameRecord::frame(std::size_t nic, const WireFrame& frame) {
    if (config_ && take(nic, frame.bytes.chars(), frame.length, way_of(frame, nics_.at(nic).mac))) {
        if (const Mac source = source_of(frame.bytes.chars());
            source == serve::our_mac || source == segment_mac) {
            note(boot::own_server_comment);
        }
    }
    return Look{*this};
}

FrameRecord::Look FrameRecord::own_frame(std::size_t nic, std::string_view frame, std::string_view comment) {
    if (take(nic, frame, frame.size(), boot::PcapngWay::inbound)) {
        note(comment);
    }
    return Look{*this};
}

// False where the record takes no more: what is noted then is of no frame.
bool FrameRecord::take(std::size_t nic, std::string_view bytes, std::size_t length, boot::PcapngWay way) {
    open_ = config_ && !full_ && error_ == 0;
    if (!open_) {
        return false;
    }
    write_latest();
    latest_ = {static_cast<std::uint32_t>(nic),
               config_->now_ns(),
               std::string{bytes.substr(0, config_->cut_at)},
               length,
               way,
               {}};
    notes_ = 0;
    if (std::exchange(reset_, false)) {
        note(boot::reset_comment);
    }
    constexpr std::size_t most_of_one = 4096;  // a frame as it is cut, and what is around it in its block
    if (size_ + most_of_one + most_notes + last_room > config_->most) {
        full_ = true;
        note(fmt::format("{}no more than {} MiB are kept", boot::full_comment, config_->most >> 20U));
    }
    return true;
}

void FrameRecord::note(std::string_view comment) {
    if (open_ && latest_ && notes_ + comment.size() <= most_notes) {
        latest_->comments.push_back(boot::as_comment(comment));
        notes_ += comment.size();
    }
}

void FrameRecord::keep_head() {
    if (open_ && latest_ && latest_->comments.empty()) {
        latest_->bytes.resize(std::min(latest_->bytes.size(), most_of_a_head));
    }
}

void FrameRecord::note(const std::vector<boot::Mark>& marks) {
    tells_ = tells_ || (open_ && !marks.empty());
    for (const boot::Mark& mark : marks) {
        note(fmt::format("{}: {}{}", boot::title_of(mark.stage), mark.detail,
                         mark.proves || mark.stage == boot::Stage::fetch ? "" : " (told, not reached)"));
    }
}

void FrameRecord::note(const std::vector<events::Event>& news) {
    for (const events::Event& event : news) {
        if (event.kind == events::Kind::fetch && event.fields.at("state") == "asked") {
            note("fetch begins: " + event.fields.at("url").get<std::string>());
        }
    }
}

void FrameRecord::write_latest() {
    if (latest_) {
        put(boot::pcapng_packet(*std::exchange(latest_, std::nullopt)));
    }
}

// At once what tells of a stage: it is not lost with vm-launch.
void FrameRecord::put(std::string_view bytes) {
    size_ += bytes.size();
    buffer_ += bytes;
    if ((buffer_.size() >= at_once || std::exchange(tells_, false)) && error_ == 0) {
        error_ = config_->write(std::exchange(buffer_, {}));
    }
}

FrameRecord::Rest FrameRecord::end(std::string_view end) {
    open_ = false;
    if (latest_) {
        latest_->comments.push_back(boot::as_comment(std::string{boot::run_end_comment} + std::string{end}));
    }
    write_latest();
    return {std::exchange(buffer_, {}), error_};
}

}  // namespace vml
