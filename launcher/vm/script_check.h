// Is the iPXE script that is to be served one that can work? Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ipxescript/check.h"

namespace vml {

struct ScriptFacts {
    std::string name;   // in the folder that is served
    std::string bytes;  // its beginning, as much as a script may have
    // What it fetches from the folder, in order: is it there?
    struct File {
        ipxescript::FileUse use;
        bool exists = false;
        std::string name{};  // in the folder that is served
    };
    std::vector<File> files;
    std::vector<std::string> names;  // in the script's own folder
    // Of what lies beside the script: all, what it names in full, or, where it is a text, nothing.
    enum class Served { folder, named, nothing };
    Served served = Served::folder;
    ipxescript::Build ipxe = ipxescript::Build::any;
};

struct ScriptJudgement {
    std::vector<Fault> faults;       // no run of it can work
    std::vector<std::string> notes;  // a run that comes there ends
};

// `own_rom`: the user's own build may have commands that nobody knows.
[[nodiscard]] ScriptJudgement judge_script(const ScriptFacts& facts, bool own_rom);

}  // namespace vml
