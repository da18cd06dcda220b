#include "launcher/cases/lines.h"

#include <algorithm>

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

void Tail::add(std::string_view line) {
    text_ += line;
    text_ += '\n';
    while (text_.size() > most_) {
        text_.erase(0, std::min(text_.find('\n'), text_.size() - 1) + 1);
    }
}

}  // namespace vml::cases
