// The lines that a guest sends, none of which is believed: each may be so long, nest so deep and have so many
// values, and what is more is passed over up to its end and takes no memory. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace vml {

class AgentLines {
  public:
    struct Taken {
        std::size_t count = 0;            // of the bytes, up to a line's end or all of them
        std::optional<std::string> line;  // a whole one, without its newline
        bool too_long = false;            // the line was longer than the limit; said once
        bool kept = false;                // the bytes are a part of a line that is no longer than that
    };

    explicit AgentLines(unsigned deepest) : deepest_{deepest} {}

    // Takes the next bytes of one line, of at most `limit` bytes; 0 passes over it.
    [[nodiscard]] Taken take(std::string_view bytes, std::size_t limit);

    // A reply of an agent has ten, and a parsed one takes 16 bytes and more.
    static constexpr std::size_t most_commas = 64;

  private:
    void pass_over();

    unsigned deepest_;
    std::string line_;
    JsonDepth depth_;
    bool passing_ = false;  // over the rest of this line
};

}  // namespace vml
