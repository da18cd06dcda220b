// A cell: one VM that is to be started, with one value of each axis. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "launcher/cases/case.h"
#include "launcher/settings/settings_reader.h"

namespace vml::cases {

struct Cell {
    std::string name;                    // "bios nic-model=e1000", printable
    std::string vm;                      // the VM's name, which its MAC addresses come from
    std::string stem;                    // of its files' names: "02-bios-nic-model-e1000"
    std::vector<std::string> arguments;  // of vm-launch, without what names files and descriptors
    Environment secrets;                 // settings that no command line is to show, by their variables
    Expectation expect;
    bool is_combination = false;  // a matrix made it
    // It tries a way to boot (default_matrix.h): where nothing is served that boots so, it cannot be.
    bool is_a_way = false;
    std::string gap{};  // why it is known not to boot; empty: it may
    ReadResult read;    // what vm-launch makes of these arguments
};

// Where the cells come from.
struct CellSource {
    std::vector<Case> cases;                            // at least one
    std::vector<Axis> matrix;                           // the command line's: of every case
    Layer flags;                                        // likewise
    std::optional<std::vector<std::string>> qemu_args;  // likewise: behind --
    const Environment& environment;
    const ReadFile& read_file;
    const std::vector<Subcommand>& subcommands;
};

struct Cells {
    std::vector<Cell> cells;
    std::vector<Fault> faults;          // each once, however many cells have it
    std::vector<std::string> warnings;  // likewise
};

// How long a cell's vm-launch may take in all, and how long then to stop. Beside what its settings say, each
// has a minute for what they do not count: the start of QEMU, the end of the run, on a loaded host.
struct TimeLimit {
    std::chrono::seconds run{};
    std::chrono::seconds stop{};
};
// None: a boot without a time limit.
[[nodiscard]] std::optional<TimeLimit> time_limit_of(const Settings& settings);

// A boot that names no time limit has this one.
inline constexpr std::string_view default_boot_timeout = "300";

// Of the settings the matrix is the strongest, then come the command line, the test file, the environment and
// what --config names. A boot runs until the stage, or the text, that is expected of it; where it is expected
// to fail, or nothing is said, until os.
[[nodiscard]] Cells cells_of(const CellSource& source);

}  // namespace vml::cases
