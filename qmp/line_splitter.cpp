#include "qmp/line_splitter.h"

#include <utility>

namespace vml::qmp {

LineSplitter::Split LineSplitter::feed(std::string_view bytes) {
    Split split;
    while (!dead_ && !bytes.empty()) {
        const std::size_t newline = bytes.find('\n');
        if (!append(bytes.substr(0, newline))) {
            split.overflowed = true;
        } else if (newline == std::string_view::npos) {
            break;
        } else {
            finish_line(split.lines);
            bytes.remove_prefix(newline + 1);
        }
    }
    return split;
}

bool LineSplitter::append(std::string_view piece) {
    if (piece.size() > limit_ - partial_.size()) {
        dead_ = true;
        partial_ = std::string{};  // gives the memory back, which clear() would keep
        return false;
    }
    partial_ += piece;
    return true;
}

void LineSplitter::finish_line(std::vector<std::string>& lines) {
    std::string line = std::exchange(partial_, {});
    if (line.ends_with('\r')) {
        line.pop_back();
    }
    if (!line.empty()) {
        lines.push_back(std::move(line));
    }
}

}  // namespace vml::qmp
