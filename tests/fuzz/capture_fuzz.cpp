// A capture with whatever anybody may have sent → machines, boots, verdicts and what is told of them. The
// input: one byte for the link layer, then pieces: one byte for the time, two for the length, and the frame.
//
// The same input is read as a pcapng file's notes, and seen live: as Ethernet frames, with room for few
// machines' records.
//
// Holds that machines and boots stay within their bounds, that all of it can be told, and that of each
// machine a boot is told before its stages and verdicts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bootwatch/pcapng.h"
#include "bootwatch/report.h"
#include "capture/explanation.h"
#include "capture/live.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::capture;

void tell(Machines& machines) {
    const Explanation told{"x", "Ethernet", machines.counts(), machines.other_hosts(), machines.found()};
    require(told.machines.size() <= Machines::most_machines);
    for (const FoundMachine& machine : told.machines) {
        require(!machine.boots.empty() && machine.boots.size() <= most_boots);
        for (const CapturedBoot& boot : machine.boots) {
            require(!boot.verdict.what.empty() && boot.latest >= boot.began);
        }
    }
    require(no_machine_in(told).has_value() == told.machines.empty());
    const std::string text = as_text(told);
    require(text.ends_with("\n"));
    require(std::all_of(text.begin(), text.end(),
                        [](char c) { return c == '\n' || static_cast<unsigned char>(c) >= 0x20; }));
    require(as_html(told).ends_with("</html>\n"));
    (void)as_json(told).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// What is told of a watch, as it is told.
class Told {
  public:
    void take(Live& live) {
        for (const News& news : live.take_news()) {
            if (news.kind == News::Kind::boot) {
                require(news.boot == boots_[news.mac] + 1);
                boots_[news.mac] = news.boot;
            } else {
                require(news.boot == boots_[news.mac] && news.at >= 0);
            }
            require(news.kind != News::Kind::verdict || !news.verdict.what.empty());
            if (news.kind == News::Kind::gives_way) {
                boots_.erase(news.mac);
            }
        }
        require(live.machines().size() == boots_.size());
    }

  private:
    std::map<Mac, std::uint64_t> boots_;
};

// The same bytes as a pcapng file: there are no more notes than blocks.
void read_notes(std::string_view input) {
    constexpr std::size_t smallest_block = 12;
    PacketNotes notes;
    notes.feed(input.substr(0, input.size() / 2));
    notes.feed(input.substr(input.size() / 2));
    std::size_t told = 0;
    for (std::size_t i = 0; i <= input.size() / smallest_block + 1; ++i) {
        told += notes.next() == FrameNotes{} ? 0U : 1U;
    }
    require(told <= input.size() / smallest_block);
    require(notes.next() == FrameNotes{});
    require(notes.run_end().size() <= boot::longest_comment);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (input.empty()) {
        return 0;
    }
    read_notes(input);
    const auto link = static_cast<LinkLayer>(data[0] % 4);
    Machines machines;
    Machines few{std::nullopt, {.machines = 3, .silent_give_way = true, .weight = 20'000}};
    Live live{std::nullopt};
    Told told;
    double at = 1e9;
    for (std::size_t i = 1; i + 3 <= size;) {
        const auto length =
            static_cast<std::size_t>(data[i + 1]) | (static_cast<std::size_t>(data[i + 2]) << 8U);
        const std::uint8_t step = data[i];
        at += step < 128 ? step / 100.0 : step < 250 ? (step - 127) * 2.0 : -100.0;
        const Bytes frame = bytes_of(input.substr(i + 3, length));
        machines.frame(at, link, frame, {});
        few.frame(at, LinkLayer::ethernet, frame, {});
        require(few.places().all().size() <= 3);
        live.frame(at, frame);
        live.pass(at);
        told.take(live);
        i += 3 + length;
    }
    live.pass(at + 1000);
    live.pass(at + 2000);  // what a search has come to is told in the first, and then may be all
    told.take(live);
    require(!live.due());
    (void)few.found();
    tell(machines);
    return 0;
}
