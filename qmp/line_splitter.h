// Bytes in, lines out, whatever the chunks are.
//
// Pure. QEMU ends each message with CR LF and never breaks one (docs/interop/qmp-spec.txt, section 2.1), so a
// newline is all that is needed to find where messages end, even after a garbled one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vml::qmp {

// The longest reply known is query-qmp-schema's: 207 KB in one line with QEMU 7.2. This is 80 times as much,
// and little enough for a host to lose to a peer that has gone mad.
inline constexpr std::size_t max_line_bytes = std::size_t{16} * 1024 * 1024;

class LineSplitter {
  public:
    explicit LineSplitter(std::size_t limit = max_line_bytes) noexcept : limit_{limit} {}

    struct Split {
        std::vector<std::string> lines;  // complete, without their LF or CR LF; empty ones are left out
        bool overflowed = false;  // true once, after these lines: the next one is longer than the limit
    };

    // Takes the next bytes. Work is linear in `bytes`, however long the unfinished line is. After an overflow
    // the place where the next message starts is unknown: everything is thrown away from then on and the
    // connection should be dropped.
    [[nodiscard]] Split feed(std::string_view bytes);

  private:
    [[nodiscard]] bool append(std::string_view piece);
    void finish_line(std::vector<std::string>& lines);

    std::size_t limit_;    // bytes before the LF
    std::string partial_;  // the unfinished line; holds no LF
    bool dead_ = false;
};

}  // namespace vml::qmp
