// A guest's console bytes → runs of text, control characters and escape sequences (ECMA-48). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vml::screen {

struct Piece {
    enum class Kind {
        text,              // printable bytes, none of them below 0x20 or 0x7f
        control,           // one byte below 0x20, or 0x7f
        escape,            // "ESC 7", "ESC ( B"
        control_sequence,  // "ESC [ … final"
    };
    Kind kind;
    std::string_view bytes;  // as they came, the escape byte included

    [[nodiscard]] char last() const { return bytes.back(); }
    // Between "ESC [" and the final byte.
    [[nodiscard]] std::string_view parameters() const { return bytes.substr(2, bytes.size() - 3); }
};

// Sequences may be cut anywhere between two calls. Strings (OSC, DCS and their like: titles, the clipboard,
// pictures) yield nothing. What is never ended is bounded: a sequence by `longest_sequence` bytes, a string
// by `longest_string` bytes and by its line.
class EscapeParser {
  public:
    using Sink = std::function<void(const Piece&)>;
    void feed(std::string_view bytes, const Sink& sink);
    // Nothing is begun that waits for its end.
    [[nodiscard]] bool is_between() const { return mode_ == Mode::ground; }

    static constexpr std::size_t longest_sequence = 64;
    static constexpr std::size_t longest_string = 4096;

  private:
    enum class Mode { ground, escape, control_sequence, string };

    [[nodiscard]] static std::size_t take_run(std::string_view bytes, const Sink& sink);
    void take(char c, const Sink& sink);
    void take_escape(char c, const Sink& sink);
    void take_control_sequence(char c, const Sink& sink);
    void take_string(char c, const Sink& sink);
    void begin_escape();
    void end(Piece::Kind kind, const Sink& sink);
    void give_up(char c, const Sink& sink);
    void keep(char c);

    Mode mode_ = Mode::ground;
    std::string sequence_;
    bool too_long_ = false;
    std::size_t string_size_ = 0;
};

// The numbers between semicolons, at most 16; one that is missing, or no number, is -1. A private marker
// ("?") is left out.
struct Numbers {
    char marker = '\0';
    int count = 0;
    std::array<int, 16> values{};

    // The n-th, or `fallback` where it is missing or 0 (ECMA-48's defaults).
    [[nodiscard]] int at(int n, int fallback) const;
};
[[nodiscard]] Numbers numbers_in(std::string_view parameters);

}  // namespace vml::screen
