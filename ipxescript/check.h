// What cannot work in an iPXE script, before it runs. Pure.
#pragma once

#include <string>
#include <vector>

#include "ipxescript/commands.h"
#include "ipxescript/script.h"

namespace vml::ipxescript {

struct Finding {
    enum class Kind {
        no_magic,         // it is text, but does not begin with #!ipxe
        unknown_command,  // no iPXE has it
        not_in_build,     // this one does not have it
        no_label,         // goto leads nowhere
        own_host,         // a URL of the guest itself: "http://localhost/"
        no_protocol,      // a URL of a scheme that this build does not have
    };
    Kind kind;
    int line = 0;
    std::string name;      // the command, label or URL
    bool certain = false;  // every run comes here, and ends
};

// What a variable or an alternative may change is not judged.
[[nodiscard]] std::vector<Finding> check(const Script& script, Build build);

// A file that the script fetches from where it came from itself, by a name that is known.
struct FileUse {
    int line = 0;
    std::string command;
    std::string name;       // relative to the script's folder, or with a slash to the server's root
    bool optional = false;  // the script can do without it
};
// At most `most_files`.
[[nodiscard]] std::vector<FileUse> files_of(const Script& script);
inline constexpr std::size_t most_files = 64;

// The same where the name holds variables and can be no whole URL: "${mac}.ipxe", but not "${base}/x".
[[nodiscard]] std::vector<FileUse> files_by_variable(const Script& script);

[[nodiscard]] std::vector<std::string> labels_of(const Script& script);

}  // namespace vml::ipxescript
