#include "screen/terminal_text.h"

#include <algorithm>
#include <utility>

namespace vml::screen {

namespace {

constexpr char enquiry = '\x05';
constexpr std::string_view to_bottom = "\x1b[999;1H\n";
constexpr std::string_view save_cursor =
    "\x1b"
    "7";
constexpr std::string_view back_to_cursor =
    "\x1b"
    "8";

bool is_passed(char control) {
    constexpr std::string_view all = "\n\r\b\t\a\v\f\x0e\x0f";
    return all.find(control) != std::string_view::npos;
}

// Questions that a terminal answers as if its user had typed: DSR, DA, DECRQM, DECREQTPARM, XTVERSION, …
bool asks(const Piece& piece) {
    const std::string_view parameters = piece.parameters();
    switch (piece.last()) {
        case 'n':
        case 'c':
        case 'x':
        case 'y':
        case 'u':
            return true;
        case 'p':
            return parameters.ends_with('$');
        case 'q':
            return parameters.starts_with('>');
        default:
            return false;
    }
}

// Those that guests use to learn the terminal's size and kind.
bool may_ask(const Piece& piece) {
    return piece.last() == 'n' || piece.last() == 'c';
}

bool sets_mode(const Piece& piece, std::string_view mode) {
    return (piece.last() == 'h' || piece.last() == 'l') && piece.parameters() == mode;
}

}  // namespace

std::string TerminalText::feed(std::string_view bytes) {
    if (config_.raw) {
        out_ += bytes;
    }
    parser_.feed(bytes, [this](const Piece& piece) { config_.raw ? take_raw(piece) : take(piece); });
    return std::exchange(out_, {});
}

bool TerminalText::mid_line() const {
    return look_ == Look::lines && line_.has_text();
}

void TerminalText::system_runs(bool runs) {
    firmware_ = !runs;
    if (runs) {
        deferred_ = {};
    }
}

// -- lines of others

std::string TerminalText::before_own_lines() {
    aside_ = is_drawn() || modes_.on_alternate_screen();
    std::string out{aside_ ? save_cursor : ""};
    out += modes_.set_aside();
    if (aside_) {
        out += to_bottom;
    } else if (line_.has_text()) {
        out += "\n";
    } else if (!line_.at_margin()) {
        out += "\r";
    }
    if (!aside_) {
        line_.new_line();
        look_ = Look::lines;
    }
    return out;
}

std::string TerminalText::after_own_lines() {
    std::string out = modes_.take_up();
    if (!std::exchange(aside_, false)) {
        return out;
    }
    look_ = Look::shared;  // a clear would take the others' lines too
    return std::string{back_to_cursor} + out;
}

std::string TerminalText::restore() {
    std::string out;
    if (modes_.on_alternate_screen()) {
        out = modes_.undo() + "\n";
    } else if (is_drawn()) {
        out = modes_.undo() + std::string{to_bottom};
    } else {
        out = modes_.undo() + (line_.has_text() ? "\n" : line_.at_margin() ? "" : "\r");
    }
    modes_.forget();
    line_.new_line();
    look_ = Look::lines;
    deferred_ = {};
    return out;
}

// -- the guest's

void TerminalText::take_raw(const Piece& piece) {
    modes_.saw(piece);
    switch (piece.kind) {
        case Piece::Kind::text:
            line_.text(piece.bytes);
            look_ = look_ == Look::blank ? Look::lines : look_;
            break;
        case Piece::Kind::control:
            line_.control(piece.last());
            break;
        default:
            look_changes(piece);
            break;
    }
}

void TerminalText::take(const Piece& piece) {
    if (piece.kind == Piece::Kind::text) {
        text(utf8_.feed(piece.bytes));
        return;
    }
    text(utf8_.cut());
    switch (piece.kind) {
        case Piece::Kind::control:
            control(piece);
            break;
        case Piece::Kind::escape:
            take_escape(piece);
            break;
        default:
            take_control_sequence(piece);
            break;
    }
}

void TerminalText::text(std::string_view clean) {
    if (clean.empty()) {
        return;
    }
    settle_home();
    after_reset_ = false;
    deferred_.any_text = deferred_.pending;
    if (look_ == Look::blank) {
        look_ = Look::lines;
    }
    line_.text(clean);
    emit(clean);
}

void TerminalText::control(const Piece& piece) {
    if (!is_passed(piece.last()) && (piece.last() != enquiry || !config_.keyboard)) {
        return;
    }
    settle_home();
    if (piece.last() == '\n' && ++newlines_ > config_.rows && is_drawn()) {
        look_ = Look::lines;  // all that was drawn has been scrolled away
    }
    line_.control(piece.last());
    pass(piece);
}

void TerminalText::take_escape(const Piece& piece) {
    if (piece.bytes ==
        "\x1b"
        "c") {
        terminal_reset();
        return;
    }
    if (piece.bytes == "\x1bZ" && !config_.keyboard) {
        return;  // DECID
    }
    look_changes(piece);
    pass(piece);
}

bool TerminalText::is_harmful(const Piece& piece) const {
    if (asks(piece)) {
        return !config_.keyboard || !may_ask(piece);
    }
    const std::string_view parameters = piece.parameters();
    return piece.last() == 't'                            // the window: its size, place and title
           || (piece.last() == 'J' && parameters == "3")  // what was scrolled away
           || parameters.starts_with('=')                 // ANSI.SYS's modes (edk2), nothing on a terminal
           || sets_mode(piece, "?3");                     // DECCOLM clears the screen
}

void TerminalText::take_control_sequence(const Piece& piece) {
    if (is_harmful(piece)) {
        return;
    }
    if (after_reset_ && sets_mode(piece, "?7")) {
        firmware_ = true;  // SeaBIOS: the machine was reset
    } else if (piece.last() == 'J') {
        clear(piece);
    } else if (piece.last() == 'H' || piece.last() == 'f' || piece.last() == 'd') {
        go(piece);
    } else {
        if (piece.last() != 'm' && piece.last() != 'h' && piece.last() != 'l') {
            settle_home();
        }
        pass(piece);
    }
}

void TerminalText::pass(const Piece& piece) {
    modes_.saw(piece);
    emit(piece.bytes);
}

void TerminalText::emit(std::string_view bytes) {
    out_ += bytes;
    if (deferred_.pending) {
        deferred_.written += bytes;
        if (deferred_.written.size() > most_written_again) {
            deferred_ = {};
        }
    }
}

void TerminalText::end_line() {
    if (line_.has_text()) {
        emit("\r\n");
    } else if (!line_.at_margin()) {
        emit("\r");
    }
    line_.new_line();
}

void TerminalText::terminal_reset() {
    out_ += modes_.undo();
    modes_.forget();
    after_reset_ = true;
    if (look_ == Look::drawn) {
        out_ += "\x1b[2J\x1b[H";
        look_ = Look::blank;
        line_.new_line();
        return;
    }
    leave_menu();
    end_line();
    deferred_ = {};
    deferred_.pending = true;
}

// -- clearing the screen, and menus

void TerminalText::clear(const Piece& piece) {
    const Numbers numbers = numbers_in(piece.parameters());
    const bool whole = numbers.at(0, 0) == 2 || (numbers.at(0, 0) == 0 && deferred_.at_home);
    if (!firmware_ || look_ == Look::drawn || look_ == Look::blank) {
        look_ = whole ? Look::blank : look_;
        if (whole) {
            line_.new_line();
        }
        pass(piece);
        return;
    }
    if (!whole) {
        pass(piece);
        return;
    }
    leave_menu();
    end_line();
    deferred_ = {};
    deferred_.pending = true;
    deferred_.attributes = modes_.attributes();
}

void TerminalText::go(const Piece& piece) {
    const Numbers numbers = numbers_in(piece.parameters());
    const bool home = piece.last() != 'd' && numbers.at(0, 1) == 1 && numbers.at(1, 1) == 1;
    if (!home || !firmware_ || is_drawn()) {
        deferred_.at_home = false;
        if (firmware_) {
            begin_menu();
        }
        if (!home || look_ != Look::blank) {
            draws();
        }
        pass(piece);
    } else if (look_ == Look::blank) {
        line_.new_line();
        pass(piece);
    } else if (!deferred_.pending || deferred_.any_text) {
        deferred_.at_home = true;  // what comes next tells: a clear, or text over what is there
    }
}

void TerminalText::settle_home() {
    if (std::exchange(deferred_.at_home, false)) {
        begin_menu();
        out_ += "\x1b[H";
        draws();
    }
}

void TerminalText::draws() {
    look_ = look_ == Look::shared ? Look::shared : Look::drawn;
    newlines_ = 0;
    line_.lost();
}

// Running text follows, below a menu that others' lines stand under.
void TerminalText::leave_menu() {
    if (look_ == Look::shared) {
        emit(to_bottom);
        line_.new_line();
        look_ = Look::lines;
    }
}

void TerminalText::begin_menu() {
    if (!deferred_.pending) {
        return;
    }
    const Deferred since = std::exchange(deferred_, {});
    out_ += "\x1b[0m\x1b[999;1H";
    out_.append(static_cast<std::size_t>(std::max(1, config_.rows)), '\n');
    out_ += since.attributes + "\x1b[2J\x1b[H" + since.written;
}

}  // namespace vml::screen
