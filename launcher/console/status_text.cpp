#include "launcher/console/status_text.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "bootwatch/bounds.h"
#include "bootwatch/timeline.h"

namespace vml {

namespace {

constexpr std::size_t longest_name = 24;
constexpr int bar_width = 10;

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !utf8::is_continuation(c); }));
}

std::string first_columns(const std::string& text, std::size_t columns) {
    std::size_t size = 0;
    for (std::size_t width = 0; size < text.size(); ++size) {
        width += utf8::is_continuation(text[size]) ? 0U : 1U;
        if (width > columns) {
            break;
        }
    }
    return text.substr(0, size);
}

double share_of(const BootStatus::Fetch& fetch) {
    return std::min(1.0, static_cast<double>(fetch.received) / static_cast<double>(*fetch.expected));
}

std::string amount_of(const BootStatus::Fetch& fetch) {
    return fetch.expected.value_or(0) > 0 ? fmt::format("{:.0f} %", share_of(fetch) * 100)
                                          : boot::size_text(fetch.received);
}

std::string bar_of(const BootStatus::Fetch& fetch) {
    const int full = static_cast<int>(share_of(fetch) * bar_width);
    return fmt::format(" [{:#<{}}{:-<{}}]", "", full, "", bar_width - full);
}

std::string speed_of(const BootStatus::Fetch& fetch) {
    std::string text =
        fmt::format(" {}/s", boot::size_text(static_cast<std::uint64_t>(fetch.bytes_per_second)));
    if (fetch.expected.value_or(0) > fetch.received) {
        text += fmt::format(" {:.0f} s left",
                            static_cast<double>(*fetch.expected - fetch.received) / fetch.bytes_per_second);
    }
    return text;
}

struct Shown {
    bool speed = true;
    bool bar = true;
    bool keys = true;
    bool earlier = true;  // stages but the furthest
};

std::string composed(const BootStatus& status, const Shown& shown) {
    std::string text;
    const std::size_t first = shown.earlier || status.reached.empty() ? 0 : status.reached.size() - 1;
    for (std::size_t at = first; at < status.reached.size(); ++at) {
        text += fmt::format("{}✓ {}", text.empty() ? "" : " ", status.reached[at]);
    }
    if (status.fetch) {
        const BootStatus::Fetch& fetch = *status.fetch;
        text += fmt::format("{}▸ {} {}", text.empty() ? "" : " ",
                            printable(boot::cut_to(fetch.name, longest_name)), amount_of(fetch));
        text += shown.bar && fetch.expected.value_or(0) > 0 ? bar_of(fetch) : "";
        text += shown.speed && fetch.bytes_per_second > 0 ? speed_of(fetch) : "";
    }
    const auto seconds = static_cast<unsigned>(std::max(0.0, status.elapsed_s));
    text += fmt::format("{}{}:{:02}", text.empty() ? "" : " · ", seconds / 60, seconds % 60);
    return shown.keys && !status.keys.empty() ? text + " · " + status.keys : text;
}

std::string coloured(const std::string& text) {
    constexpr std::string_view sign = "✓";
    std::string result = "\x1b[2m";
    for (std::size_t at = 0; at < text.size();) {
        const bool here = text.compare(at, sign.size(), sign) == 0;
        result += here ? fmt::format("\x1b[0;32m{}\x1b[0;2m", sign) : std::string(1, text[at]);
        at += here ? sign.size() : 1;
    }
    return result + "\x1b[0m";
}

}  // namespace

std::string status_text(const BootStatus& status, std::size_t columns, bool colour) {
    Shown shown;
    std::string text = composed(status, shown);
    for (bool Shown::*part : {&Shown::speed, &Shown::bar, &Shown::keys, &Shown::earlier}) {
        if (width_of(text) <= columns) {
            break;
        }
        shown.*part = false;
        text = composed(status, shown);
    }
    text = first_columns(text, columns);
    return colour ? coloured(text) : text;
}

}  // namespace vml
