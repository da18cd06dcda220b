// Text bytes of a guest → UTF-8 that is always valid. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml::screen {

// A terminal may take the C1 controls in UTF-8 (U+0080 to U+009F) for sequences of their own, and grep takes
// a file with one wrong byte for a binary one. So: C1 controls are dropped; a byte that is no UTF-8 is the
// character that it is in code page 437 where that is a line or a block, which edk2 draws menus with
// (TerminalDxe/Ansi.c), and else U+FFFD. Characters may be cut anywhere between two calls.
class Utf8Text {
  public:
    [[nodiscard]] std::string feed(std::string_view bytes);
    // A control character comes: what was begun is not ended any more.
    [[nodiscard]] std::string cut();

  private:
    void take(char c, std::string& out);
    void begin(char c, std::string& out);
    void wrong(std::string& out);

    std::string begun_;
    std::size_t needed_ = 0;
    bool after_437_ = false;  // a run of lines goes on, though two of them look like UTF-8
};

}  // namespace vml::screen
