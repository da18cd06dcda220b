#include "launcher/netwatch/machine_table.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "bootwatch/stage.h"
#include "bootwatch/timeline.h"
#include "launcher/netwatch/watch_words.h"

namespace vml::netwatch {

namespace {

using capture::MachineNow;

constexpr std::string_view layout = "{:<17}  {:<7}  {:<15}  {:<8}  {:>5}  {}";

std::string arch_name(std::optional<std::uint16_t> arch) {
    if (!arch) {
        return "";
    }
    switch (*arch) {  // IANA, Processor Architecture Types
        case 0:
            return "BIOS";
        case 6:
        case 15:
            return "i386";
        case 7:
        case 9:
        case 16:
            return "x86_64";
        case 11:
        case 19:
            return "aarch64";
        default:
            return fmt::format("{}", *arch);
    }
}

std::string age_text(double seconds) {
    constexpr double minute = 60;
    constexpr double hour = 3600;
    constexpr double in_minutes = 10 * minute;
    const double age = std::max(seconds, 0.0);
    return age < in_minutes ? fmt::format("{:.0f} s", age)
           : age < 2 * hour ? fmt::format("{:.0f} m", age / minute)
                            : fmt::format("{:.0f} h", age / hour);
}

std::string doing(const MachineNow& machine) {
    if (machine.verdict) {
        return machine.verdict->code == ExitCode::ok ? "ok: " + machine.verdict->what
                                                     : "FAILED: " + machine.verdict->what;
    }
    if (machine.url.empty()) {
        return "";
    }
    return fmt::format(
        "{}, {}{}", boot::base_name(machine.url), boot::size_text(machine.received),
        machine.fetching && machine.expected ? " of " + boot::size_text(*machine.expected) : "");
}

// A byte is a column then, however a line is cut, and whatever the terminal's character set.
std::string in_ascii(std::string text) {
    constexpr unsigned char ascii = 0x7F;
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    std::erase_if(text, continues);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > ascii; }, '?');
    return text;
}

std::string row(const MachineNow& machine, double now) {
    return fmt::format(layout, mac_text(machine.mac), arch_name(machine.arch),
                       machine.address.is_zero() ? "" : to_string(machine.address),
                       machine.stage ? name_of(*machine.stage) : "", age_text(now - machine.began),
                       in_ascii(printable(doing(machine))));
}

std::string cut(std::string line, std::size_t columns) {
    line = line.substr(0, columns);
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    return line;
}

// Those that are under way, then the latest.
std::vector<const MachineNow*> in_order(const std::vector<MachineNow>& machines) {
    std::vector<const MachineNow*> order;
    order.reserve(machines.size());
    for (const MachineNow& machine : machines) {
        order.push_back(&machine);
    }
    std::stable_sort(order.begin(), order.end(), [](const MachineNow* a, const MachineNow* b) {
        const bool a_over = a->verdict.has_value();
        const bool b_over = b->verdict.has_value();
        return a_over != b_over ? b_over : a_over && a->latest > b->latest;
    });
    return order;
}

}  // namespace

std::vector<std::string> table_of(const std::vector<MachineNow>& machines, double now,
                                  const ScreenSize& screen) {
    constexpr std::size_t frame = 2;  // the head, and the line below
    if (machines.empty() || screen.rows < least_rows) {
        return {};
    }
    const std::size_t most = screen.rows / 2 - frame;
    const auto order = in_order(machines);
    std::vector<std::string> lines{
        cut(fmt::format(layout, "MACHINE", "ARCH", "ADDRESS", "STAGE", "AGE", "FILE"), screen.columns)};
    for (const MachineNow* machine : order) {
        if (lines.size() > most) {
            break;
        }
        lines.push_back(cut(row(*machine, now), screen.columns));
    }
    const Tally tally = tally_of(machines);
    const std::size_t hidden = order.size() + 1 - lines.size();
    lines.push_back(cut(fmt::format("{}{} under way, {} ok, {} failed",
                                    hidden > 0 ? fmt::format("and {} more; of all ", hidden) : "",
                                    tally.under_way, tally.well, tally.failed),
                        screen.columns));
    return lines;
}

std::string wiping(const std::vector<std::size_t>& widths, const ScreenSize& screen) {
    if (widths.empty()) {
        return "";
    }
    const std::size_t columns = std::max(screen.columns, std::size_t{1});
    const std::size_t rows = std::accumulate(
        widths.begin(), widths.end(), std::size_t{0}, [&](std::size_t sum, std::size_t width) {
            return sum + std::max((width + columns - 1) / columns, std::size_t{1});
        });
    return fmt::format("\x1b[{}A\r\x1b[J", rows);
}

}  // namespace vml::netwatch
