// What a guest changed of a terminal's state: to set it aside for lines of others, and to put it back at the
// end. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "screen/escape_parser.h"

namespace vml::screen {

class TerminalModes {
  public:
    // A piece that goes to the terminal.
    void saw(const Piece& piece);
    // Everything is as a terminal is at its start: it was told so.
    void forget() { *this = {}; }

    [[nodiscard]] bool on_alternate_screen() const;

    // Lines of others are neither clipped nor coloured between these two.
    [[nodiscard]] std::string set_aside() const;
    [[nodiscard]] std::string take_up() const;
    // Undoes all that was changed, and nothing else.
    [[nodiscard]] std::string undo() const;

    [[nodiscard]] const std::string& attributes() const { return attributes_; }

  private:
    void saw_control_sequence(const Piece& piece);
    void saw_mode(const Piece& piece);
    void saw_attributes(std::string_view bytes);
    [[nodiscard]] bool wraps() const { return !changed_.contains("?7"); }

    // "?25" → what the guest set it to, 'h' or 'l', where that is not a terminal's default.
    std::map<std::string, char, std::less<>> changed_;
    std::string attributes_;      // the SGR sequences since the last reset, as they came
    std::string character_sets_;  // "ESC ( 0" and its like
    bool shifted_ = false;        // SO: the second character set
    bool keypad_ = false;         // ESC =
    bool region_ = false;         // DECSTBM
    bool cursor_style_ = false;   // DECSCUSR
};

}  // namespace vml::screen
