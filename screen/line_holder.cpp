#include "screen/line_holder.h"

#include <algorithm>
#include <utility>

namespace vml::screen {

std::string LineHolder::feed(std::string_view text) {
    const std::size_t lines_end = text.rfind('\n') + 1;
    std::string ready;
    if (lines_end > 0) {
        ready = std::exchange(held_, {});
        ready += text.substr(0, lines_end);
    }
    held_ += text.substr(lines_end);
    if (held_.size() > longest) {
        ready += std::exchange(held_, {});
    }
    return given(std::move(ready));
}

std::string LineHolder::release() {
    return given(std::exchange(held_, {}));
}

std::string LineHolder::given(std::string text) {
    if (!text.empty()) {
        mid_line_ = text.back() != '\n';
    }
    return text;
}

std::size_t whole_lines(std::string_view text, std::size_t most) {
    if (text.size() <= most) {
        return text.size();
    }
    const std::size_t end = text.substr(0, most).rfind('\n');
    return end == std::string_view::npos ? most : end + 1;
}

}  // namespace vml::screen
