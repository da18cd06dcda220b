// What the tests of `vm-launch test`'s pure half share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/cases/cell.h"
#include "launcher/cases/matrix.h"
#include "tests/unit/catch.h"

namespace vml::cases::test {

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

inline bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

inline std::string text_of(const std::vector<Fault>& faults) {
    std::string text;
    for (const Fault& fault : faults) {
        text += one_line(fault) + "\n";
    }
    return text;
}

// Of the command line's words, which are right.
inline std::vector<Axis> matrix_of(const std::vector<std::string>& words) {
    std::vector<Fault> faults;
    std::vector<Axis> axes = axes_of_words(words, faults);
    INFO(text_of(faults));
    REQUIRE(faults.empty());
    return axes;
}

// A run is all that the cells' command lines have.
inline const std::vector<Subcommand>& only_run() {
    static const std::vector<Subcommand> rows{{"run", "", "", false, true, "", "", "", nullptr}};
    return rows;
}

inline Cells cells_from(std::vector<Case> cases, std::vector<Axis> matrix,
                        const std::vector<std::string>& flags = {}, const Environment& environment = {}) {
    ParsedCommandLine line = parse_command_line(flags, only_run());
    const ReadFile no_file = [](const std::string& path) -> std::string {
        throw Error{{"nobody should read " + path, "", "", ExitCode::settings}};
    };
    return cells_of({std::move(cases), std::move(matrix), std::move(line.layer), std::move(line.qemu_args),
                     environment, no_file, only_run()});
}

}  // namespace vml::cases::test
