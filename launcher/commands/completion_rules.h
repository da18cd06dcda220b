// What can follow what on vm-launch's command line, from the tables of options and subcommands: the scripts
// for each shell say the same in its words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/command_line.h"
#include "launcher/settings/option_row.h"

namespace vml {

// Where the values come from that a shell offers.
enum class Offer {
    nothing,  // there is a value, and nobody knows it beforehand
    words,
    list,  // of words, with commas between
    keys,  // words to which a value is added
    files,
    folders,
    bridges,  // of this host
    links,
    vms,           // that run
    vm_then_file,  // a running VM, which may be left out, and a file
};

struct Offered {
    Offer offer = Offer::nothing;
    std::vector<std::string> words = {};

    bool operator==(const Offered&) const = default;
};

// Flags with their dashes that take the same values.
struct ValueRule {
    std::vector<std::string> flags;
    Offered offered;
};

struct FlagWords {
    std::string flag;  // with its dashes
    std::string help;
};

// Of every flag that takes a value of its own; --format, whose values depend on the subcommand, is not among
// them.
[[nodiscard]] std::vector<ValueRule> value_rules();
// What follows a boolean and "=".
[[nodiscard]] std::vector<std::string> boolean_words();
[[nodiscard]] std::vector<std::string> boolean_flags();
[[nodiscard]] std::vector<FlagWords> flags_of(const Subcommand& subcommand);
// What stands behind the subcommand and is no flag.
[[nodiscard]] Offered words_of(const Subcommand& subcommand);

}  // namespace vml
