// A guest's console on a terminal that others write to as well: pure.
#pragma once

#include "screen/escape_parser.h"
#include "screen/guest_text.h"
#include "screen/line_track.h"
#include "screen/terminal_modes.h"
#include "screen/utf8_text.h"

namespace vml::screen {

// Firmware clears the screen before each of its parts, to write running text from its top: SeaBIOS with ESC
// c, ESC[?7l, ESC[2J (sercon.c), edk2 with ESC[2J, ESC[01;01H (TerminalDxe). What others wrote would be gone,
// and so would be what firmware itself said. A menu clears the screen in the same way, and then puts its text
// where it belongs. So, while firmware has the console:
// - clearing the screen and going to its top does nothing but end the line, as long as running text follows;
// - once the cursor is put elsewhere, this is a menu: what is on the screen is scrolled away (it can be
//   scrolled back to), the screen cleared, and what was written since the clear is written again at its top.
// From then on everything is passed on, and the menu's own clearing clears.
// An operating system (`system_runs`) may clear the screen. Whoever has the console, these never pass: a
// reset of the terminal (what was changed is put back instead), the line wrap that SeaBIOS switches off with
// it, wiping what was scrolled away, changes of the window, strings, and questions that nobody's keyboard
// answers.
class TerminalText : public GuestText {
  public:
    struct Config {
        bool keyboard = false;  // the terminal's answers reach the guest
        bool raw = false;
        int rows = 24;
    };
    explicit TerminalText(Config config) : config_{config} {}

    [[nodiscard]] std::string feed(std::string_view bytes) override;
    [[nodiscard]] bool mid_line() const override;
    [[nodiscard]] std::string before_own_lines() override;
    [[nodiscard]] std::string after_own_lines() override;
    [[nodiscard]] std::string restore() override;
    void system_runs(bool runs) override;

    static constexpr std::size_t most_written_again = 8192;

  private:
    // What is on the screen.
    enum class Look {
        lines,   // running text, of the guest's and others'
        drawn,   // a menu or the like
        shared,  // the same, and others' lines below it
        blank,   // nothing
    };

    void take(const Piece& piece);
    void take_raw(const Piece& piece);
    void take_escape(const Piece& piece);
    void take_control_sequence(const Piece& piece);
    [[nodiscard]] bool is_harmful(const Piece& piece) const;
    void text(std::string_view clean);
    void control(const Piece& piece);
    void pass(const Piece& piece);
    void emit(std::string_view bytes);

    void terminal_reset();
    void clear(const Piece& piece);
    void go(const Piece& piece);
    [[nodiscard]] bool is_drawn() const { return look_ == Look::drawn || look_ == Look::shared; }
    void draws();
    void leave_menu();
    void begin_menu();
    void end_line();
    void settle_home();
    void look_changes(const Piece& piece);

    Config config_;
    EscapeParser parser_;
    Utf8Text utf8_;
    TerminalModes modes_;
    LineTrack line_;
    std::string out_;
    Look look_ = Look::lines;
    Look saved_look_ = Look::lines;  // with ESC 7
    int newlines_ = 0;               // since the cursor was put somewhere
    bool firmware_ = true;
    bool after_reset_ = false;  // nothing was written since ESC c
    bool aside_ = false;        // others' lines are being written over a menu
    // A clear that was not done, what was written since, and how it would have been coloured.
    struct Deferred {
        bool pending = false;
        bool at_home = false;  // the cursor was sent home, though it was not
        bool any_text = false;
        std::string written;
        std::string attributes;
    } deferred_;
};

}  // namespace vml::screen
