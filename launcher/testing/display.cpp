#include "launcher/testing/display.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/output.h"
#include "launcher/cases/lines.h"

namespace vml {

namespace {

struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

Size size_of(std::FILE* stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        return {};
    }
    return {size.ws_col, size.ws_row};
}

}  // namespace

Display::Display(std::FILE* stream, bool obeys)
    : stream_{stream}, live_{obeys && ::isatty(::fileno(stream)) == 1} {}

void Display::say(std::string_view text) {
    std::string all = erased() + std::string{text};
    for (const std::string& line : shown_) {
        all += line + "\n";
    }
    write(all);
}

void Display::show(const std::vector<std::string>& lines) {
    if (!live_) {
        return;
    }
    std::string all = erased();
    const Size size = size_of(stream_);
    shown_.clear();
    for (const std::string& line : lines) {
        if (shown_.size() + 1 < size.rows) {
            shown_.push_back(cases::cut_to_columns(line, size.columns - 1));
            all += shown_.back() + "\n";
        }
    }
    write(all);
}

// Up to the first of the lines that were shown, and all below away (ECMA-48: CUU, ED).
std::string Display::erased() {
    return shown_.empty() ? "" : fmt::format("\x1b[{}A\x1b[J", shown_.size());
}

void Display::write(std::string_view text) {
    if (broken_) {
        return;
    }
    try {
        write_out(stream_, text, "cannot tell how the test goes");
    } catch (const Error&) {
        broken_ = true;
    }
}

}  // namespace vml
