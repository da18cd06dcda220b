// A console and a wire, with whatever a guest and its network may send → a timeline, verdicts and reports.
// The input is a list of pieces: one byte for the kind (console, frame from the guest, frame to it, a dump's
// bytes, an event, a reset), two for the length, and the piece.
//
// Holds that lines are plain text of a bounded length whatever the chunks are, that memory stays bounded, and
// that verdict and reports can be made of anything.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bootwatch/console_text.h"
#include "bootwatch/pcap.h"
#include "bootwatch/report.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::boot;

constexpr Mac guest{0x52, 0x54, 0, 0, 0, 1};

bool is_plain(const std::string& line) {
    return std::all_of(line.begin(), line.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t'; });
}

class Machine {
  public:
    Machine() { timeline_.started(0); }

    void take(std::uint8_t kind, std::string_view piece) {
        at_ += 0.1;
        switch (kind % 6) {
            case 0:
                console(piece);
                break;
            case 1:
            case 2:
                came_in_ = kind >= 128;
                frame(kind % 6 == 1, piece);
                break;
            case 3:
                dump_.feed(piece, [this](Bytes bytes, std::size_t) { packet(bytes); });
                break;
            case 4:
                timeline_.event(at_, piece);
                break;
            default:
                timeline_.reset(at_);
        }
        require(timeline_.fetches().size() <= Fetches::most_fetches);
    }

    void conclude(bool with_reports) {
        Circumstances about;
        about.ipxe = true;
        for (const bool uefi : {false, true}) {
            about.uefi = uefi;
            head_.fault = judge(timeline_.boots(), about);
            require(!head_.fault->what.empty());
        }
        (void)judge_loop(timeline_.boots(), 3);
        (void)timeline_.silence_would_end_it();
        if (with_reports) {
            report();
        }
    }

  private:
    void console(std::string_view piece) {
        for (const std::string& line : text_.feed(piece)) {
            require(!line.empty() && line.size() <= ConsoleText::longest_line && is_plain(line));
            timeline_.line(at_, line);
        }
        timeline_.partial(at_, text_.partial());
    }

    // With the addresses that make it the guest's own business.
    void frame(bool from_guest, std::string_view piece) {
        std::string bytes{piece};
        if (bytes.size() >= 12) {
            std::copy(guest.begin(), guest.end(), bytes.begin() + (from_guest ? 6 : 0));
        }
        packet(bytes_of(bytes));
    }

    void packet(Bytes bytes) {
        if (auto packet = decode_frame(bytes)) {
            packet->came_in = came_in_;
            timeline_.packet(at_, 0, *packet);
        }
    }

    // What is in them is report_fuzz's.
    void report() {
        head_.lasted = at_;
        const auto json = report_as_json(head_, timeline_.boots());
        require(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).size() <
                largest_report);
        const std::string page = report_as_html(head_, timeline_.boots());
        require(page.ends_with("</html>\n") && page.size() < largest_report);
    }

    Timeline timeline_{{{"net0", guest}}};
    ReportHead head_;
    ConsoleText text_;
    PcapReader dump_;
    double at_ = 0;
    bool came_in_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    Machine machine;
    for (std::size_t at = 0; at + 3 <= input.size();) {
        const auto length =
            static_cast<std::size_t>(data[at + 1]) | (static_cast<std::size_t>(data[at + 2]) << 8U);
        machine.take(data[at], input.substr(at + 3, length));
        at += 3 + length;
    }
    machine.conclude(size % 8 == 0);  // reports take as long as all the rest
    return 0;
}
