// One page, without a script that runs, a font or a picture from elsewhere: a style sheet, an SVG waterfall
// for each boot, and tables; at its end the report's JSON, for programs. Everything that comes from the guest
// or the network is escaped.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
                        : fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(term), breakable(text));
}

std::string verdict_html(const ReportHead& head) {
    if (!head.fault) {
        return fmt::format("<div class=\"verdict\"><b>{}</b><span>exit code {}</span></div>\n",
                           breakable(head.summary), head.exit_code);
    }
    std::string text = fmt::format("<div class=\"verdict bad\"><b>{}</b>", breakable(head.fault->what));
    if (!head.fault->why.empty()) {
        text += fmt::format("<span>why: <i>{}</i></span>", breakable(head.fault->why));
    }
    if (!head.fault->hint.empty()) {
        text += fmt::format("<span>next: <i>{}</i></span>", breakable(head.fault->hint));
    }
    return text + fmt::format("<span>exit code {}</span></div>\n", head.exit_code);
}

std::string versions_text(const ReportHead::Versions& versions) {
    const std::array<std::pair<std::string_view, std::string_view>, 3> parts{
        {{"vm-launch", versions.vm_launch}, {"QEMU", versions.qemu}, {"host's kernel", versions.kernel}}};
    std::string text;
    for (const auto& [name, version] : parts) {
        text += version.empty() ? "" : fmt::format("{}{} {}", text.empty() ? "" : ", ", name, version);
    }
    return text;
}

std::string machine_html(const ReportHead& head) {
    std::string text = "<dl>\n";
    if (!head.machine.empty()) {  // else it is not vm-launch's own
        text += definition("machine",
                           fmt::format("{}, {} firmware, {}", head.machine, head.firmware, head.accelerator));
        text += definition("versions", versions_text(head.versions));
        text += definition("firmware image", head.versions.firmware_file);
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

// Each word in a box of its own: so no line ends at a hyphen within a flag. What stands between them is kept,
// so that the page can be copied from.
std::string command_html(const ReportHead& head) {
    if (head.command.empty()) {
        return {};
    }
    std::string text;
    std::string_view rest = head.command;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
        text += end == 0 ? "" : fmt::format("<span>{}</span>", breakable(rest.substr(0, end)));
        text += rest.substr(end, 1);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return fmt::format("<h2>How it was started</h2>\n<pre class=\"command\">{}</pre>\n", text);
}

// "SeaBIOS 1.16.2, iPXE 1.21.1"
std::string programs_html(const Boot& boot) {
    const std::string firmware = boot.firmware.value_or("");
    const std::string ipxe = boot.ipxe.value_or("");
    return firmware.empty() && ipxe.empty()
               ? std::string{}
               : fmt::format("<p class=\"sub\">{}{}{}</p>\n", escaped(firmware),
                             firmware.empty() || ipxe.empty() ? "" : ", ", escaped(ipxe));
}

constexpr std::string_view waterfall_begin =
    "<div class=\"waterfall\" tabindex=\"0\" role=\"group\" aria-label=\"waterfall\">\n";
constexpr std::string_view waterfall_end = "</div>\n";

// `legend`: what is left of it to be told.
std::string waterfall_html(const Boot& boot, double end, std::string_view own_url, std::string_view& legend) {
    return fmt::format("{}{}{}{}", waterfall_begin, waterfall_svg(boot, end, own_url), waterfall_end,
                       std::exchange(legend, {}));
}

std::string marks_table(const Boot& boot) {
    std::string text =
        "<table>\n<tr><th class=\"n\">at</th><th>stage</th><th class=\"what\">what</th><th>seen</th></tr>\n";
    constexpr std::array proofs{"on the wire", "on the console", "by QEMU", "in the firmware's log",
                                "by the guest agent"};
    for (const Mark& mark : boot.marks) {
        text += fmt::format(
            "<tr><td class=\"n\">{:.2f} s</td><td>{}</td><td class=\"what\">{}</td><td>{}</td></tr>\n",
            mark.at, title_of(mark.stage), breakable(mark.detail),
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
        text += fmt::format("<li>{}</li>\n", breakable(line));
    }
    return text + (boot.probe->offers.empty() ? "<li>nobody answered</li>\n" : "") + "</ul>\n";
}

std::string errors_html(const Boot& boot) {
    if (boot.complaints.empty() && boot.firmware_errors.empty()) {
        return {};
    }
    std::string text = "<h2>What iPXE and the firmware complained of</h2>\n<table>\n";
    for (const IpxeComplaint& complaint : boot.complaints) {
        text += fmt::format(
            "<tr><td class=\"n\">{0:.2f} s</td><td class=\"what\">{1}<br><span "
            "class=\"bad-text\">{2}</span>, "
            "<a rel=\"noreferrer\" href=\"https://ipxe.org/{3:08x}\">ipxe.org/{3:08x}</a></td></tr>\n",
            complaint.at, breakable(complaint.line), escaped(explain_ipxe_error(complaint.number)),
            complaint.number);
    }
    for (const std::string& line : boot.firmware_errors) {
        text += fmt::format("<tr><td></td><td class=\"what\">{}</td></tr>\n", breakable(line));
    }
    return text + "</table>\n";
}

std::string console_html(const Boot& boot) {
    const std::vector<std::string> lines = boot.console.lines();
    if (lines.empty()) {
        return {};
    }
    std::string text;
    for (const std::string& line : lines) {
        text += escaped(line) + "\n";
    }
    return fmt::format("<h2>The last of the console</h2>\n<pre class=\"console\" tabindex=\"0\">\n{}</pre>\n",
                       text);
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

std::string section(const ReportHead& head, const std::vector<Boot>& boots, std::string_view& legend) {
    std::string text = fmt::format(
        "<h1>Boot of {}</h1>\n<p class=\"sub\">{}</p>\n", breakable(head.name),
        head.started.empty() ? "the machine never ran"
                             : fmt::format("{}, {:.1f} s in all", escaped(head.started), head.lasted));
    text += verdict_html(head);
    text += machine_html(head);
    text += command_html(head);
    for (std::size_t i = 0; i < boots.size(); ++i) {
        const Boot& boot = boots[i];
        const bool seen = !boot.marks.empty();
        if (seen) {
            text += boots.size() == 1 ? std::string{"<h2>The boot</h2>\n"}
                                      : fmt::format("<h2>Boot {}</h2>\n", i + 1);
            text += programs_html(boot);
            text += waterfall_html(boot, boot.ended.value_or(std::max(head.lasted, boot.began)), head.own_url,
                                   legend);
        }
        text += probe_html(boot);
        text += seen ? marks_table(boot) : "";
        text += errors_html(boot);
        text += console_html(boot);
        text += left_out_html(boot.left_out);
    }
    return text;
}

// Should a text ever break out of its place: the page loads nothing, and runs nothing.
constexpr std::string_view safety =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n";

std::string page(std::string_view title, const std::vector<ReportedBoots>& reports, std::string_view data) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n{}<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n"
        "<body>\n",
        safety, escaped(title), report_style);
    std::string_view legend = report_legend;  // once
    for (const ReportedBoots& report : reports) {
        text += section(report.head, report.boots, legend);
    }
    return text +
           fmt::format("<script type=\"application/json\" id=\"report\">{}</script>\n</body></html>\n", data);
}

}  // namespace

// In all other text of the page "<" is escaped.
std::vector<std::string> waterfalls_in(std::string_view page) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = page.find(waterfall_begin, at)) != std::string_view::npos;) {
        at += waterfall_begin.size();
        const std::size_t end = std::min(page.find(waterfall_end, at), page.size());
        found.emplace_back(page.substr(at, end - at));
        at = end;
    }
    return found;
}

std::string report_as_html(const ReportHead& head, std::vector<Boot> boots) {
    const PageDocument document = [&head, boots](std::size_t share) {
        std::vector<Boot> light = boots;
        lighten(light, share);
        return report_as_json(head, std::move(light));
    };
    std::vector<ReportedBoots> one;
    one.push_back({head, std::move(boots)});
    return reports_as_html("Boot of " + head.name, std::move(one), document);
}

std::string reports_as_html(std::string_view title, std::vector<ReportedBoots> reports,
                            const PageDocument& document) {
    constexpr std::size_t least = std::size_t{64} << 10;  // below it, what is too large is not the boots
    const std::size_t count = std::max<std::size_t>(reports.size(), 1);
    const std::size_t lightest = weight_of(Boot{});
    std::size_t most = most_reported;
    std::size_t before = std::numeric_limits<std::size_t>::max();
    while (true) {
        for (ReportedBoots& report : reports) {
            lighten(report.boots, most / count);
        }
        std::string text = page(title, reports, as_data(document(most / count)));
        if (text.size() <= largest_report || most < least || most / count < lightest ||
            text.size() >= before) {
            return text;
        }
        before = text.size();
        constexpr double a_little_less = 0.95;
        const double share = static_cast<double>(largest_report) / static_cast<double>(text.size());
        most = static_cast<std::size_t>(static_cast<double>(most) * share * a_little_less);
    }
}

}  // namespace vml::boot
