// An iPXE script's text → its lines, as iPXE reads them (src/image/script.c, src/core/exec.c). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vml::ipxescript {

struct Command {
    std::vector<std::string> words;  // not empty; "${…}" as it is written
    bool conditional = false;        // behind && or ||: it may be meant not to run
    bool handled = false;            // || or ; follows: its failure does not end the script

    [[nodiscard]] const std::string& name() const { return words.front(); }
};

struct Line {
    int number = 0;     // of its first one, where it goes on with a backslash
    std::string label;  // without its colon
    std::vector<Command> commands;
};

struct Script {
    bool magic = false;       // it begins with "#!ipxe" (or "#!gpxe") and a blank or newline
    bool text = false;        // nothing but text: what iPXE takes for no script can be nothing else either
    std::vector<Line> lines;  // that say something
};

// Reads no more than this of it; longer scripts are judged by their beginning.
inline constexpr std::size_t longest_script = std::size_t{256} << 10;

[[nodiscard]] Script read_script(std::string_view bytes);

[[nodiscard]] inline bool has_variable(std::string_view word) {
    return word.find("${") != std::string_view::npos;
}

}  // namespace vml::ipxescript
