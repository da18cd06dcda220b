// The one table of settings. The command line's parser, the environment, the configuration file, --help, the
// man page and docs/SETTINGS.md all come from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/settings.h"

namespace vml {

enum class OptionGroup { boot, network, machine, disks, running };

struct OptionRow {
    OptionGroup group;
    std::string_view flag;         // without dashes; also the key in a configuration file
    std::string_view environment;  // the variable's name
    std::string_view metavar;      // empty: a boolean, which also has --no-FLAG
    std::string_view fallback;     // the default, in words
    std::string_view help;         // one sentence, no full stop
    // Sets the value from its text; throws ValueError.
    void (*assign)(Settings& settings, std::string_view text);
    std::string_view also = {};  // a second variable that users of Docker-VM-Runner know

    [[nodiscard]] bool is_boolean() const { return metavar.empty(); }
};

[[nodiscard]] const std::vector<OptionRow>& option_table();
[[nodiscard]] const OptionRow* find_option(std::string_view flag);
[[nodiscard]] std::string_view title_of(OptionGroup group);

// A process's exit codes as a user sees them, for the man page and docs/SETTINGS.md.
struct ExitCodeRow {
    std::string_view code;
    std::string_view meaning;
};
[[nodiscard]] const std::vector<ExitCodeRow>& exit_code_table();

}  // namespace vml
