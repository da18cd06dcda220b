#include "ipxescript/script.h"

#include <algorithm>
#include <utility>

namespace vml::ipxescript {

namespace {

// C's isspace in its own locale, which iPXE's is.
bool is_space(char c) {
    constexpr std::string_view spaces = " \t\n\v\f\r";
    return spaces.find(c) != std::string_view::npos;
}

bool has_magic(std::string_view bytes) {
    constexpr std::size_t size = 6;
    const std::string_view magic = bytes.substr(0, size);
    return (magic == "#!ipxe" || magic == "#!gpxe") && bytes.size() > size && is_space(bytes[size]);
}

// Tabs and line ends, but no other control characters; UTF-8 is text.
bool is_text(std::string_view bytes) {
    return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || is_space(c);
    });
}

std::string next_word(std::string_view& text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    std::size_t size = 0;
    while (size < text.size() && !is_space(text[size])) {
        ++size;
    }
    std::string word{text.substr(0, size)};
    text.remove_prefix(size);
    return word;
}

std::vector<Command> commands_in(std::string_view text) {
    std::vector<Command> commands;
    Command command;
    const auto end_with = [&](bool handled, bool next_is_conditional) {
        if (!command.words.empty()) {
            command.handled = handled;
            commands.push_back(std::move(command));
        }
        command = {};
        command.conditional = next_is_conditional;
    };
    for (std::string word = next_word(text); !word.empty(); word = next_word(text)) {
        if (word.front() == '#') {
            break;  // a comment, also behind a command
        }
        if (word == "||" || word == "&&" || word == ";") {
            end_with(word != "&&", word != ";");
        } else {
            command.words.push_back(std::move(word));
        }
    }
    end_with(false, false);
    // "a && b || c": c also stands in for a.
    for (std::size_t i = commands.size(); i-- > 1;) {
        commands[i - 1].handled = commands[i - 1].handled || commands[i].handled;
    }
    return commands;
}

Line line_of(int number, std::string_view text) {
    Line line;
    line.number = number;
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    if (!text.empty() && text.front() == ':') {
        text.remove_prefix(1);
        std::size_t size = 0;
        while (size < text.size() && !is_space(text[size])) {
            ++size;
        }
        line.label = text.substr(0, size);
        text.remove_prefix(size);
    }
    line.commands = commands_in(text);
    return line;
}

}  // namespace

Script read_script(std::string_view bytes) {
    bytes = bytes.substr(0, longest_script);
    Script script;
    script.magic = has_magic(bytes);
    script.text = is_text(bytes);
    std::string joined;
    int number = 0;
    int first = 1;
    while (!bytes.empty()) {
        std::string_view fragment = bytes.substr(0, bytes.find('\n'));
        bytes.remove_prefix(std::min(bytes.size(), fragment.size() + 1));
        ++number;
        if (fragment.ends_with('\r')) {
            fragment.remove_suffix(1);
        }
        const bool goes_on = fragment.ends_with('\\') && !bytes.empty();
        fragment.remove_suffix(fragment.ends_with('\\') ? 1 : 0);
        joined += fragment;
        if (goes_on) {
            continue;
        }
        Line line = line_of(first, joined);
        if (!line.label.empty() || !line.commands.empty()) {
            script.lines.push_back(std::move(line));
        }
        joined.clear();
        first = number + 1;
    }
    return script;
}

}  // namespace vml::ipxescript
