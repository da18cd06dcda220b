#include "launcher/console/status_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "bootwatch/fetches.h"
#include "bootwatch/timeline.h"

namespace vml {

namespace {

constexpr int bar_width = 8;
constexpr std::size_t shortest_name = 12;
constexpr std::size_t longest_name = 32;
constexpr std::string_view done_sign = "✓";
constexpr std::string_view fetch_sign = "▸";

std::size_t size_of_first(std::string_view text) {
    return std::max<std::size_t>(utf8::size_at(text), 1);
}

// Neither is wide in any locale (Unicode's EastAsianWidth: neutral).
bool is_own_sign(std::string_view character) {
    return character == done_sign || character == fetch_sign;
}

std::string first_columns(std::string_view text, std::size_t columns) {
    std::size_t size = 0;
    while (size < text.size()) {
        const std::size_t next = size + size_of_first(text.substr(size));
        if (columns_of(text.substr(0, next)) > columns) {
            break;
        }
        size = next;
    }
    return std::string{text.substr(0, size)};
}

// A name's end tells more than its beginning: "…-generic.img".
std::string short_name(const std::string& name, std::size_t columns) {
    constexpr std::string_view dots = "..";
    std::string shown = printable(name);
    if (columns_of(shown) <= columns) {
        return shown;
    }
    std::string_view rest = shown;
    while (columns_of(rest) > columns - dots.size()) {
        rest.remove_prefix(size_of_first(rest));
    }
    return std::string{dots}.append(rest);
}

double share_of(const BootStatus::Fetch& fetch) {
    return std::min(1.0, static_cast<double>(fetch.received) / static_cast<double>(*fetch.expected));
}

std::string amount_of(const BootStatus::Fetch& fetch) {
    if (!fetch.answered) {
        return "no answer yet";
    }
    return fetch.expected.value_or(0) > 0 ? fmt::format("{:.0f} %", share_of(fetch) * 100)
                                          : boot::size_text(fetch.received);
}

std::string bar_of(const BootStatus::Fetch& fetch) {
    const int full = static_cast<int>(share_of(fetch) * bar_width);
    return fmt::format("[{:#<{}}{:-<{}}] ", "", full, "", bar_width - full);
}

std::string time_left(double seconds) {
    constexpr double minute = 60;
    constexpr double in_seconds = 2 * minute;
    constexpr double longest = 100 * minute;
    return seconds < in_seconds ? fmt::format("{:.0f} s", seconds)
           : seconds < longest  ? fmt::format("{:.0f} min", seconds / minute)
                                : "";
}

// What is left out where it has no room, in this order.
struct Shown {
    bool earlier = true;  // stages but the furthest: the lines above tell of them
    bool words = true;    // "left"
    bool bar = true;
    bool stage = true;
    bool speed = true;
    bool keys = true;
};
constexpr std::array parts{&Shown::earlier, &Shown::words, &Shown::bar,
                           &Shown::stage,   &Shown::speed, &Shown::keys};

std::string speed_of(const BootStatus::Fetch& fetch, bool words) {
    std::string text =
        fmt::format("{}/s ", boot::size_text(static_cast<std::uint64_t>(fetch.bytes_per_second)));
    if (fetch.expected.value_or(0) <= fetch.received) {
        return text;
    }
    const std::string left =
        time_left(static_cast<double>(*fetch.expected - fetch.received) / fetch.bytes_per_second);
    return left.empty() ? text : text + left + (words ? " left " : " ");
}

std::string stages_of(const BootStatus& status, const Shown& shown) {
    std::string text;
    const std::size_t count = status.reached.size();
    for (std::size_t at = shown.earlier || count == 0 ? 0 : count - 1; shown.stage && at < count; ++at) {
        text += fmt::format("{} {} ", done_sign, status.reached[at]);
    }
    return text;
}

std::string fetch_of(const BootStatus::Fetch& fetch, const Shown& shown) {
    std::string text;
    if (shown.bar && fetch.answered && fetch.expected.value_or(0) > 0) {
        text += bar_of(fetch);
    }
    text += amount_of(fetch) + " ";
    return shown.speed && fetch.answered && fetch.bytes_per_second > 0 ? text + speed_of(fetch, shown.words)
                                                                       : text;
}

// The name gets what the rest leaves of the columns.
std::string composed(const BootStatus& status, const Shown& shown, std::size_t columns) {
    std::string before = stages_of(status, shown);
    std::string after;
    if (status.fetch) {
        before += fmt::format("{} ", fetch_sign);
        after = " " + fetch_of(*status.fetch, shown);
    }
    const auto seconds = static_cast<unsigned>(std::max(0.0, status.elapsed_s));
    after += fmt::format("{}{}:{:02}", before.empty() ? "" : "| ", seconds / 60, seconds % 60);
    after += shown.keys && !status.keys.empty() ? " | " + status.keys : "";
    if (status.fetch) {
        const std::size_t taken = columns_of(before) + columns_of(after);
        before += short_name(status.fetch->name,
                             std::clamp(columns - std::min(columns, taken), shortest_name, longest_name));
    }
    return before + after;
}

std::string coloured(const std::string& text) {
    std::string result = "\x1b[2m";
    for (std::size_t at = 0; at < text.size();) {
        const bool here = text.compare(at, done_sign.size(), done_sign) == 0;
        result += here ? fmt::format("\x1b[0;32m{}\x1b[0;2m", done_sign) : std::string(1, text[at]);
        at += here ? done_sign.size() : 1;
    }
    return result + "\x1b[0m";
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const std::size_t size = size_of_first(text);
        columns += size == 1 || is_own_sign(text.substr(0, size)) ? 1U : 2U;
        text.remove_prefix(size);
    }
    return columns;
}

std::string status_text(const BootStatus& status, std::size_t columns, bool colour) {
    Shown shown;
    std::string text = composed(status, shown, columns);
    for (bool Shown::*part : parts) {
        if (columns_of(text) <= columns) {
            break;
        }
        shown.*part = false;
        text = composed(status, shown, columns);
    }
    text = first_columns(text, columns);
    return colour ? coloured(text) : text;
}

}  // namespace vml
