#include "screen/terminal_text.h"

namespace vml::screen {

// The parts of a sequence that is passed on as it is.
void TerminalText::look_changes(const Piece& piece) {
    if (piece.kind == Piece::Kind::escape) {
        if (piece.last() == '7') {
            saved_look_ = look_;
        } else if (piece.last() == '8' && piece.bytes.size() == 2) {
            look_ = saved_look_;
        } else if (piece.last() == 'c') {
            look_ = Look::blank;
            line_.new_line();
        }
    } else if (piece.last() == 'H' || piece.last() == 'f' || piece.last() == 'd') {
        draws();
    } else if (piece.last() == 'J' && piece.parameters() == "2") {
        look_ = Look::blank;
        line_.new_line();
    }
}

}  // namespace vml::screen
