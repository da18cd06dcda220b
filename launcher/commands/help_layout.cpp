#include "launcher/commands/help_layout.h"

#include <algorithm>

namespace vml {

namespace {

// Wraps at blanks; every line after the first starts with `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string result;
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        if (column > indent && column + 1 + word.size() > width) {
            result += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += " ";
            ++column;
        }
        result += word;
        column += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace

std::string help_entry(const std::string& left, const std::string& right) {
    std::string line = "  " + left;
    line += line.size() + 2 > help_column ? "\n" + std::string(help_column, ' ')
                                          : std::string(help_column - line.size(), ' ');
    return line + wrapped(right, help_column, help_width) + "\n";
}

std::string paragraph(std::string_view text) {
    return wrapped(text, 0, help_width);
}

std::string sentence(std::string_view text) {
    std::string result{text};
    if (!result.empty() && result.front() >= 'a' && result.front() <= 'z') {
        result.front() = static_cast<char>(result.front() - 'a' + 'A');
    }
    return result + (result.ends_with('.') ? "" : ".");
}

std::string without_markdown(std::string_view text) {
    std::string result{text};
    for (std::size_t at = 0; (at = result.find(" ([")) != std::string::npos;) {
        result.erase(at, result.find("))", at) + 2 - at);
    }
    return result;
}

}  // namespace vml
