#include "bootwatch/console_tail.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bootwatch/bounds.h"

namespace vml::boot {

namespace {

std::string without_trailing_blanks(std::string_view text) {
    return cut_to(text.substr(0, text.find_last_not_of(" \t\r") + 1), ConsoleTail::longest_line);
}

}  // namespace

void ConsoleTail::line(std::string_view text) {
    partial_.clear();
    if (std::string shown = without_trailing_blanks(text); !shown.empty()) {
        lines_.push_back(std::move(shown));
        keep(most_lines);
    }
}

void ConsoleTail::partial(std::string_view text) {
    partial_ = without_trailing_blanks(text);
}

std::vector<std::string> ConsoleTail::lines() const {
    if (partial_.empty()) {
        return lines_;
    }
    std::vector<std::string> all{lines_.size() < most_lines ? lines_.begin() : std::next(lines_.begin()),
                                 lines_.end()};
    all.push_back(partial_);
    return all;
}

void ConsoleTail::keep(std::size_t most) {
    const std::size_t surplus = lines_.size() - std::min(lines_.size(), most);
    lines_.erase(lines_.begin(), std::next(lines_.begin(), static_cast<std::ptrdiff_t>(surplus)));
    partial_ = most == 0 ? std::string{} : partial_;
}

}  // namespace vml::boot
