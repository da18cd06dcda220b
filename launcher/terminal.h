// The user's terminal: raw while the guest's console is attached, and as it was before in every other moment.
// Makes system calls.
#pragma once

#include <termios.h>

namespace vml {

// Puts /dev/null where the caller closed a standard stream: else a socket of ours would get its number, and
// console and log would be written there. Call first of all.
void hold_standard_streams();

// Is this descriptor a terminal whose foreground process group is ours? From the background, changing it
// would stop us.
[[nodiscard]] bool is_our_terminal(int fd);

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
