#include "launcher/remote/agent_lines.h"

#include <utility>

namespace vml {

AgentLines::Taken AgentLines::take(std::string_view bytes, std::size_t limit) {
    const std::size_t end = bytes.find('\n');
    const bool ends = end != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, end);
    Taken taken{ends ? end + 1 : bytes.size(), std::nullopt};
    if (!passing_ && (limit == 0 || depth_.exceeds(piece, deepest_) || depth_.commas() > most_commas)) {
        pass_over();
    } else if (!passing_ && piece.size() + line_.size() > limit) {
        pass_over();
        taken.too_long = true;
    }
    if (!passing_) {
        line_ += piece;
        taken.kept = !piece.empty();
    }
    if (ends) {
        if (!passing_) {
            taken.line = std::move(line_);
        }
        line_.clear();
        depth_ = {};
        passing_ = false;
    }
    return taken;
}

void AgentLines::pass_over() {
    passing_ = true;
    line_ = {};  // gives the memory back
}

}  // namespace vml
