#include "launcher/cases/lines.h"

#include <algorithm>

#include "base/utf8.h"

namespace vml::cases {

void Lines::feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::size_t room = longest_ - begun_.size();
        const std::size_t taken = std::min({end, room, bytes.size()});
        begun_ += bytes.substr(0, taken);
        bytes.remove_prefix(taken);
        const bool ends = bytes.starts_with('\n');
        if (ends || begun_.size() == longest_) {
            bytes.remove_prefix(ends ? 1 : 0);
            finish(on_line);
        }
    }
}

void Lines::finish(const std::function<void(std::string_view)>& on_line) {
    std::string line;
    line.swap(begun_);
    while (line.ends_with('\r')) {
        line.pop_back();
    }
    on_line(line);
}

std::string cut_to_columns(std::string_view line, std::size_t columns) {
    constexpr std::size_t bytes_of_wide = 3;
    std::size_t at = 0;
    std::size_t column = 0;
    while (at < line.size()) {
        const std::size_t bytes = std::max<std::size_t>(utf8::size_at(line.substr(at)), 1);
        column += bytes >= bytes_of_wide ? 2 : 1;
        if (column > columns) {
            break;
        }
        at += bytes;
    }
    return std::string{line.substr(0, at)};
}

void Tail::add(std::string_view line) {
    text_ += line;
    text_ += '\n';
    while (text_.size() > most_) {
        text_.erase(0, std::min(text_.find('\n'), text_.size() - 1) + 1);
    }
}

}  // namespace vml::cases
