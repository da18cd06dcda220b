// The user's terminal: raw while the guest's console is attached, and as it was before in every other moment.
// Makes system calls.
#pragma once

#include <termios.h>

#include "screen/guest_text.h"

namespace vml {

// Puts /dev/null where the caller closed a standard stream: else a socket of ours would get its number, and
// console and log would be written there. Call first of all.
void hold_standard_streams();

[[nodiscard]] bool is_terminal(int fd);

// Is this descriptor a terminal whose foreground process group is ours? From the background, changing it
// would stop us.
[[nodiscard]] bool is_our_terminal(int fd);

// 0 by 0 where that is not known.
struct TerminalSize {
    int columns = 0;
    int rows = 0;
};
[[nodiscard]] TerminalSize size_of_terminal(int fd);

enum class ConsoleBytes {
    fitting,  // what suits the output: on a terminal its control sequences, elsewhere text
    plain,    // text alone
    raw,      // every byte
};

// What a guest's console is shown on. `keyboard`: its user types to the guest.
[[nodiscard]] screen::OutputKind output_kind(int fd, bool keyboard, ConsoleBytes bytes);

// Do standard output and standard error meet?
enum class Sharing {
    one_place,  // the same terminal, pipe, socket or file
    perhaps,    // two pipes or sockets: whoever reads them may put both on one screen
    apart,
};
[[nodiscard]] Sharing sharing_of(int out, int err);

// Makes the terminal raw and puts it back when it goes, exceptions included. Output processing stays on, so
// that lines of our own begin at the left margin.
class RawTerminal {
  public:
    explicit RawTerminal(int fd);
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    RawTerminal(RawTerminal&&) = delete;
    RawTerminal& operator=(RawTerminal&&) = delete;

  private:
    int fd_;
    termios before_{};
};

}  // namespace vml
