// One page, without a script, a font or a picture from elsewhere: a style sheet, an SVG waterfall for each
// boot, and tables. Everything that comes from the guest or the network is escaped.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"
#include "bootwatch/ipxe_error.h"
#include "bootwatch/probe.h"
#include "bootwatch/report.h"
#include "bootwatch/report_page.h"
#include "bootwatch/weight.h"

namespace vml::boot {

namespace {

// "1,234,567"
std::string grouped(std::uint64_t number) {
    constexpr std::size_t digits = 3;
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > digits; at -= digits) {
        text.insert(at - digits, 1, ',');
    }
    return text;
}

std::string definition(std::string_view term, std::string_view text) {
    return text.empty() ? std::string{}
                        : fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(term), escaped(text));
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
    if (!head.machine.empty()) {  // else it is not vm-launch's own
        text += definition("machine",
                           fmt::format("{}, {} firmware, {}", head.machine, head.firmware, head.accelerator));
    }
    text += definition("boot order", fmt::format("{}", fmt::join(head.boot_order, ", ")));
    for (const ReportHead::Nic& nic : head.nics) {
        if (nic.model.empty()) {
            text += definition(nic.id, nic.network);
            continue;
        }
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

std::string probe_html(const Boot& boot) {
    if (!boot.probe || boot.probe->sent == 0) {
        return {};
    }
    std::string text = "<h2>What vm-launch's own probe of the network found</h2>\n<ul>\n";
    for (const std::string& line : answer_lines(*boot.probe)) {
        text += fmt::format("<li>{}</li>\n", escaped(line));
    }
    return text + (boot.probe->offers.empty() ? "<li>nobody answered</li>\n" : "") + "</ul>\n";
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

// "1,234,567 more DHCP refusals were left out"
std::string left_out_html(const LeftOut& left_out) {
    std::string text;
    for (const LeftOutRow& row : left_out_rows) {
        if (const std::uint64_t count = left_out.*row.count; count > 0) {
            text += fmt::format("<li>{} more {} were left out</li>\n", grouped(count), row.words);
        }
    }
    return text.empty() ? text : "<h2>Too much to keep</h2>\n<ul>\n" + text + "</ul>\n";
}

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD, of a byte that is no UTF-8

std::string escaped_sign(char ascii) {
    switch (ascii) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        default:
            return {static_cast<unsigned char>(ascii) >= 0x20 ? ascii : ' '};
    }
}

constexpr std::string_view key =
    R"x(<ul class="key"><li><i style="background:var(--firmware)"></i>firmware and ROM</li>
<li><i style="background:var(--dhcp)"></i>DHCP</li><li><i style="background:var(--wait)"></i>waiting</li>
<li><i style="background:var(--fetch)"></i>fetching</li><li><i style="background:var(--system)"></i>operating system</li>
<li><i style="background:var(--bad)"></i>failed</li></ul>
)x";

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t size = utf8::size_at(text);
        result += size == 1 ? escaped_sign(text.front()) : size > 1 ? text.substr(0, size) : replacement;
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return escaped(text);
    }
    return escaped(cut_to(text, most - 1)) + "…";
}

namespace {

std::string section(const ReportHead& head, const std::vector<Boot>& boots) {
    std::string text = fmt::format("<h1>Boot of {}</h1>\n<p class=\"sub\">{}, {:.1f} s in all</p>\n",
                                   escaped(head.name), escaped(head.started), head.lasted);
    text += verdict_html(head);
    text += machine_html(head);
    for (std::size_t i = 0; i < boots.size(); ++i) {
        const Boot& boot = boots[i];
        text +=
            boots.size() == 1 ? std::string{"<h2>The boot</h2>\n"} : fmt::format("<h2>Boot {}</h2>\n", i + 1);
        text += waterfall_svg(boot, boot.ended.value_or(std::max(head.lasted, boot.began)), head.own_url);
        text += key;
        text += probe_html(boot);
        text += marks_table(boot);
        text += errors_html(boot);
        text += left_out_html(boot.left_out);
    }
    return text;
}

}  // namespace

std::string report_as_html(const ReportHead& head, std::vector<Boot> boots) {
    std::vector<ReportedBoots> one;
    one.push_back({head, std::move(boots)});
    return reports_as_html("Boot of " + head.name, std::move(one));
}

std::string reports_as_html(std::string_view title, std::vector<ReportedBoots> reports) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n"
        "<body>\n",
        escaped(title), report_style);
    for (ReportedBoots& report : reports) {
        lighten(report.boots, most_reported / reports.size());
        text += section(report.head, report.boots);
    }
    return text + "</body></html>\n";
}

}  // namespace vml::boot
