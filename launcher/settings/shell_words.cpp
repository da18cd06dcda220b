#include "launcher/settings/shell_words.h"

#include <cctype>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/values.h"

namespace vml {

namespace {

// Quoting as in POSIX.1-2017, Shell Command Language, 2.2: nothing is expanded. Boost.Program_options'
// split_unix() does not know empty words, newlines between words, open quotes or a backslash within single
// quotes.
class ShellWords {
  public:
    std::vector<std::string> split(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            i += take(text[i], i + 1 < text.size() ? std::optional{text[i + 1]} : std::nullopt);
        }
        if (quote_ != '\0') {
            throw ValueError{fmt::format("unclosed quote ({})", quote_), "check quotes and backslashes"};
        }
        end_word();
        return std::move(words_);
    }

  private:
    // How many more characters were used up.
    std::size_t take(char c, std::optional<char> next) {
        if (c == '\\' && quote_ != '\'') {
            return take_backslash(next);
        }
        if (quote_ != '\0') {
            c == quote_ ? void(quote_ = '\0') : put(c);
        } else if (c == '\'' || c == '"') {
            quote_ = c;
            word_.emplace(word_.value_or(""));
        } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            end_word();
        } else {
            put(c);
        }
        return 0;
    }

    std::size_t take_backslash(std::optional<char> next) {
        if (!next) {
            throw ValueError{"trailing backslash", "check quotes and backslashes"};
        }
        constexpr std::string_view special = "\"\\$`\n";  // what a backslash quotes within double quotes
        if (quote_ == '"' && special.find(*next) == std::string_view::npos) {
            put('\\');
            return 0;
        }
        if (*next != '\n') {  // a backslash before a newline joins the lines
            put(*next);
        }
        return 1;
    }

    void put(char c) { word_ = word_.value_or("") + c; }

    void end_word() {
        if (word_) {
            words_.push_back(*std::exchange(word_, std::nullopt));
        }
    }

    char quote_ = '\0';
    std::optional<std::string> word_;  // none between words
    std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> parse_shell_words(std::string_view text) {
    return ShellWords{}.split(text);
}

}  // namespace vml
