// One page, without a script, a font or a picture from elsewhere: a style sheet, an SVG waterfall for each
// boot, and tables. Everything that comes from the guest or the network is escaped.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/report.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += static_cast<unsigned char>(c) >= 0x20 ? c : ' ';
        }
    }
    return result;
}

// The text with an ellipsis where it is too long for its place.
std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return escaped(text);
    }
    return escaped(text.substr(0, most - 1)) + "…";
}

constexpr std::string_view style = R"css(
:root { --ink: #1b2430; --soft: #5b6876; --line: #d9dfe6; --paper: #ffffff; --panel: #f4f6f9; --firmware: #8a6fc9;
  --dhcp: #2f7fd1; --wait: #e3a23c; --fetch: #1f9d78; --system: #3f4f66; --bad: #c8372d; --good: #1f8a4c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9aa7b5; --line: #343f4c; --paper: #171d25;
  --panel: #202833; --system: #8fa3bf; --bad: #ff7a6f; --good: #5fd08e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.sub { color: var(--soft); margin: .2rem 0 1rem; }
.verdict { border-left: .35rem solid var(--good); background: var(--panel); padding: .7rem 1rem; margin: 1rem 0; }
.verdict.bad { border-color: var(--bad); } .verdict b { display: block; font-size: 1.05rem; }
.verdict span { display: block; color: var(--soft); } .verdict span i { color: var(--ink); font-style: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top; overflow-wrap: anywhere; }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; background: var(--panel); border-radius: .3rem; }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); } svg text.t { fill: var(--soft); }
svg line { stroke: var(--line); } .bad-text { color: var(--bad); }
ul.key { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .4rem 0; font-size: .85rem; color: var(--soft); }
ul.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .35rem; vertical-align: -.1rem; }
@media print { body { max-width: none; padding: 0; } h2, svg, tr { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
)css";

// A bar of the waterfall.
struct Bar {
    std::string label;
    double began = 0;
    double ended = 0;
    std::string_view colour;
    std::string note;
    bool point = false;  // a moment rather than a span
};

std::string_view colour_of(Stage stage) {
    switch (stage) {
        case Stage::machine:
        case Stage::firmware:
        case Stage::option_rom:
            return "--firmware";
        case Stage::link:
        case Stage::discover:
        case Stage::offer:
        case Stage::address:
            return "--dhcp";
        case Stage::fetch:
        case Stage::script:
            return "--fetch";
        case Stage::kernel:
        case Stage::os:
        case Stage::agent:
            return "--system";
    }
    return "--soft";
}

class Waterfall {
  public:
    Waterfall(const Boot& boot, double end) : boot_{boot}, end_{end} {}

    std::string svg() {
        collect();
        constexpr double row = 24;
        constexpr double top = 30;
        const double height = top + row * static_cast<double>(bars_.size()) + 8;
        std::string text =
            fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="what happened when, in seconds">)",
                        width, height);
        text += axis(height);
        for (std::size_t i = 0; i < bars_.size(); ++i) {
            text += bar(bars_[i], top + row * static_cast<double>(i));
        }
        return text + "</svg>\n";
    }

  private:
    static constexpr double width = 960;
    static constexpr double label_width = 210;
    static constexpr double right_margin = 20;

    [[nodiscard]] double span() const { return std::max(end_ - boot_.began, 0.001); }
    [[nodiscard]] double x_of(double at) const {
        const double share = std::clamp((at - boot_.began) / span(), 0.0, 1.0);
        return label_width + share * (width - label_width - right_margin);
    }

    // A step of 1, 2 or 5 times a power of ten, so that about eight fit.
    [[nodiscard]] double step() const {
        const double rough = span() / 8;
        const double power = std::pow(10, std::floor(std::log10(rough)));
        for (const double factor : {1.0, 2.0, 5.0}) {
            if (factor * power >= rough) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    [[nodiscard]] std::string axis(double height) const {
        std::string text;
        const double width_of_step = step();
        const auto count = static_cast<int>(span() / width_of_step);
        for (int i = 0; i <= count; ++i) {
            const double at = boot_.began + i * width_of_step;
            text += fmt::format(R"(<line x1="{0:.1f}" y1="22" x2="{0:.1f}" y2="{1:.0f}"/>)", x_of(at),
                                height - 4);
            text += fmt::format(R"(<text class="t" x="{:.1f}" y="16" text-anchor="middle">{:g} s</text>)",
                                x_of(at), std::round(at * 1000) / 1000);
        }
        return text;
    }

    [[nodiscard]] std::string bar(const Bar& bar, double y) const {
        const double x = x_of(bar.began);
        const double wide = std::max(x_of(bar.ended) - x, 3.0);
        std::string text = fmt::format(R"(<g><title>{}: {}</title>)", escaped(bar.label), escaped(bar.note));
        text += fmt::format(R"(<text x="8" y="{:.0f}">{}</text>)", y + 14, shortened(bar.label, 32));
        if (bar.point) {
            text += fmt::format(R"x(<circle cx="{:.1f}" cy="{:.0f}" r="5" style="fill:var({})"/>)x", x,
                                y + 10, bar.colour);
        } else {
            text += fmt::format(
                R"x(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="15" rx="2" style="fill:var({})"/>)x",
                x, y + 2, wide, bar.colour);
        }
        return text + note(bar, x, bar.point ? 8 : wide, y) + "</g>\n";
    }

    // Behind the bar where there is room, else before it, else inside.
    [[nodiscard]] static std::string note(const Bar& bar, double x, double wide, double y) {
        constexpr double per_letter = 6.6;
        const double right = width - right_margin - (x + wide);
        const double left = x - label_width;
        const double needed = per_letter * static_cast<double>(bar.note.size());
        if (needed > std::max(right, left) && wide > std::max(right, left)) {
            return placed(bar.note, x + 6, y, "start", wide / per_letter, R"x( style="fill:#fff")x");
        }
        return right >= left ? placed(bar.note, x + wide + 6, y, "start", right / per_letter, "")
                             : placed(bar.note, x - 6, y, "end", left / per_letter, "");
    }

    [[nodiscard]] static std::string placed(std::string_view note, double x, double y,
                                            std::string_view anchor, double letters, std::string_view look) {
        constexpr double too_few = 6;
        return letters < too_few
                   ? std::string{}
                   : fmt::format(R"(<text class="t" x="{:.1f}" y="{:.0f}" text-anchor="{}"{}>{}</text>)", x,
                                 y + 14, anchor, look, shortened(note, static_cast<std::size_t>(letters)));
    }

    void collect() {
        firmware();
        for (const DhcpTalk& talk : boot_.dhcp) {
            dhcp(talk);
        }
        for (const Fetch& fetch : boot_.fetches) {
            if (!is_probe(fetch)) {
                fetched(fetch);
            }
        }
        system();
        std::stable_sort(bars_.begin(), bars_.end(),
                         [](const Bar& a, const Bar& b) { return a.began < b.began; });
    }

    void firmware() {
        for (const Stage stage : {Stage::firmware, Stage::option_rom}) {
            const auto at = boot_.time_of(stage);
            if (at) {
                bars_.push_back(
                    {std::string{title_of(stage)}, *at, next_after(*at), colour_of(stage), detail_of(stage)});
            }
        }
    }

    void dhcp(const DhcpTalk& talk) {
        const double answered =
            talk.offers.empty() ? (talk.ack ? talk.ack->at : next_after(talk.began)) : talk.offers.front().at;
        bars_.push_back({fmt::format("DHCP, {}", name_of(talk.client)), talk.began, answered,
                         talk.offers.empty() && !talk.ack ? "--bad" : "--dhcp",
                         talk.offers.empty()
                             ? fmt::format("{} DISCOVERs, no offer", talk.discovers)
                             : fmt::format("offer by {}", to_string(talk.offers.front().sender))});
        if (talk.ack && !talk.offers.empty()) {
            bars_.push_back({"choosing the offer", answered, talk.ack->at, "--wait",
                             fmt::format("until {} was acknowledged", to_string(talk.ack->message.yours))});
        }
        if (talk.ack) {
            wait_for_router(*talk.ack);
        }
    }

    // iPXE waits for a router's advertisement after DHCP: a gap that users wonder about.
    void wait_for_router(const Offer& ack) {
        const double next = next_after(ack.at);
        constexpr double noticeable = 1;
        if (boot_.solicited_at && !boot_.router_at && next - ack.at > noticeable) {
            bars_.push_back(
                {"waiting for an IPv6 router", ack.at, next, "--wait", "no router advertisement came"});
        }
    }

    void fetched(const Fetch& fetch) {
        const bool failed = fetch.state == FetchState::failed;
        const std::string text = describe(fetch);
        bars_.push_back({std::string{base_name(fetch.url)}, fetch.began, fetch.ended.value_or(fetch.latest),
                         failed ? "--bad" : "--fetch",
                         text.substr(std::min(text.size(), fetch.url.size() + 2))});
    }

    void system() {
        for (const Stage stage : {Stage::kernel, Stage::os, Stage::agent}) {
            if (const auto at = boot_.time_of(stage)) {
                const bool kernel = stage == Stage::kernel;
                const double end = kernel ? boot_.time_of(Stage::os).value_or(end_) : end_;
                bars_.push_back({std::string{title_of(stage)}, *at, end, colour_of(stage), detail_of(stage),
                                 stage == Stage::agent});
            }
        }
        if (boot_.turn != Turn::none) {
            bars_.push_back({"stopped", boot_.turned_at, boot_.turned_at, "--bad", boot_.turn_words, true});
        }
    }

    [[nodiscard]] std::string detail_of(Stage stage) const {
        const auto mark = std::find_if(boot_.marks.begin(), boot_.marks.end(), [&](const Mark& candidate) {
            return candidate.proves && candidate.stage == stage;
        });
        return mark == boot_.marks.end() ? std::string{} : mark->detail;
    }

    // When the next thing happened.
    [[nodiscard]] double next_after(double at) const {
        double next = boot_.turn != Turn::none && boot_.turned_at > at ? boot_.turned_at : end_;
        for (const Mark& mark : boot_.marks) {
            if (mark.at > at) {
                next = std::min(next, mark.at);
            }
        }
        for (const Fetch& fetch : boot_.fetches) {
            if (fetch.began > at) {
                next = std::min(next, fetch.began);
            }
        }
        return next;
    }

    const Boot& boot_;
    double end_;
    std::vector<Bar> bars_;
};

std::string definition(std::string_view term, std::string_view text) {
    return text.empty() ? std::string{} : fmt::format("<dt>{}</dt><dd>{}</dd>\n", term, escaped(text));
}

std::string verdict_html(const ReportHead& head) {
    if (!head.fault) {
        return fmt::format("<div class=\"verdict\"><b>{}</b><span>exit code {}</span></div>\n",
                           escaped(head.summary), head.exit_code);
    }
    std::string text = fmt::format("<div class=\"verdict bad\"><b>{}</b>", escaped(head.fault->what));
    if (!head.fault->why.empty()) {
        text += fmt::format("<span>why: <i>{}</i></span>", escaped(head.fault->why));
    }
    if (!head.fault->hint.empty()) {
        text += fmt::format("<span>next: <i>{}</i></span>", escaped(head.fault->hint));
    }
    return text + fmt::format("<span>exit code {}</span></div>\n", head.exit_code);
}

std::string machine_html(const ReportHead& head) {
    std::string text = "<dl>\n";
    text += definition("machine",
                       fmt::format("{}, {} firmware, {}", head.machine, head.firmware, head.accelerator));
    text += definition("boot order", fmt::format("{}", fmt::join(head.boot_order, ", ")));
    for (const ReportHead::Nic& nic : head.nics) {
        text += definition(nic.id, fmt::format("{} {} on {}{}{}", nic.model, nic.mac, nic.network,
                                               nic.rom.empty() ? "" : ", ROM " + nic.rom,
                                               nic.watched ? "" : ", its packets were not seen"));
    }
    for (const std::string& help : head.helped) {
        text += definition("faster", help);
    }
    for (const std::string& hint : head.hints) {
        text += definition("hint", hint);
    }
    if (head.lost_frames > 0) {
        text += definition("lost frames", std::to_string(head.lost_frames));
    }
    return text + "</dl>\n";
}

std::string marks_table(const Boot& boot) {
    std::string text = "<table><tr><th>at, s</th><th>stage</th><th>what</th><th>seen</th></tr>\n";
    constexpr std::array proofs{"on the wire", "on the console", "by QEMU", "in the firmware's log",
                                "by the guest agent"};
    for (const Mark& mark : boot.marks) {
        text += fmt::format("<tr><td class=\"n\">{:.2f}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                            mark.at, title_of(mark.stage), escaped(mark.detail),
                            proofs.at(static_cast<std::size_t>(mark.proof)));
    }
    return text + "</table>\n";
}

std::string errors_html(const Boot& boot) {
    if (boot.complaints.empty() && boot.firmware_errors.empty()) {
        return {};
    }
    std::string text = "<h2>What iPXE and the firmware complained of</h2>\n<table>\n";
    for (const IpxeComplaint& complaint : boot.complaints) {
        text +=
            fmt::format("<tr><td class=\"n\">{:.2f}</td><td>{}</td><td class=\"bad-text\">{}</td></tr>\n",
                        complaint.at, escaped(complaint.line), escaped(explain_ipxe_error(complaint.number)));
    }
    for (const std::string& line : boot.firmware_errors) {
        text += fmt::format("<tr><td></td><td colspan=\"2\">{}</td></tr>\n", escaped(line));
    }
    return text + "</table>\n";
}

constexpr std::string_view key =
    R"x(<ul class="key"><li><i style="background:var(--firmware)"></i>firmware and ROM</li>
<li><i style="background:var(--dhcp)"></i>DHCP</li><li><i style="background:var(--wait)"></i>waiting</li>
<li><i style="background:var(--fetch)"></i>fetching</li><li><i style="background:var(--system)"></i>operating system</li>
<li><i style="background:var(--bad)"></i>failed</li></ul>
)x";

}  // namespace

std::string report_as_html(const ReportHead& head, const std::vector<Boot>& boots) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>Boot of "
        "{0}</title>\n<style>{1}</style></head>\n<body>\n"
        "<h1>Boot of {0}</h1>\n<p class=\"sub\">{2}, {3:.1f} s in all</p>\n",
        escaped(head.name), style, escaped(head.started), head.lasted);
    text += verdict_html(head);
    text += machine_html(head);
    for (std::size_t i = 0; i < boots.size(); ++i) {
        const Boot& boot = boots[i];
        text +=
            boots.size() == 1 ? std::string{"<h2>The boot</h2>\n"} : fmt::format("<h2>Boot {}</h2>\n", i + 1);
        text += Waterfall{boot, boot.ended.value_or(std::max(head.lasted, boot.began))}.svg();
        text += key;
        text += marks_table(boot);
        text += errors_html(boot);
    }
    return text + "</body></html>\n";
}

}  // namespace vml::boot
