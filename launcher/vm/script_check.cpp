#include "launcher/vm/script_check.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/content.h"
#include "launcher/settings/suggest.h"

namespace vml {

namespace {

using ipxescript::Finding;

constexpr std::size_t most_names_told = 8;

std::string or_nearest(const std::string& word, const std::vector<std::string>& known,
                       std::string otherwise) {
    const auto near = nearest(word, known);
    return near ? fmt::format("did you mean '{}'?", *near) : std::move(otherwise);
}

// A kernel, a picture or a loader is told by its content; only text that looks like a script is meant as one.
bool is_meant_as_script(const std::string& name, const ipxescript::Script& script) {
    return script.text &&
           (name.ends_with(".ipxe") ||
            (!script.lines.empty() && !script.lines.front().commands.empty() &&
             ipxescript::has_command(ipxescript::Build::any, script.lines.front().commands.front().name())));
}

// In an editor it may look as if the script began well.
std::string what_precedes(std::string_view bytes) {
    if (bytes.starts_with(boot::byte_order_mark)) {
        return "a byte order mark comes before it: save it as UTF-8 without one";
    }
    const std::size_t first = bytes.find_first_not_of(" \t\r\n");
    return first > 0 && first != std::string_view::npos && bytes.substr(first).starts_with("#!ipxe")
               ? "a blank or an empty line comes before it"
               : "iPXE takes only a file whose first line is #!ipxe for a script";
}

Fault fault_of(const Finding& finding, const ScriptFacts& facts, const ipxescript::Script& script) {
    const std::string place = fmt::format("{}, line {}", facts.name, finding.line);
    const auto fault = [](std::string what, std::string why, std::string hint) {
        return Fault{std::move(what), std::move(why), std::move(hint), ExitCode::settings};
    };
    switch (finding.kind) {
        case Finding::Kind::no_magic:
            return fault(
                fmt::format("{} cannot be booted: it is a text that does not begin with #!ipxe", facts.name),
                what_precedes(facts.bytes), "make #!ipxe its very first line");
        case Finding::Kind::unknown_command:
            return fault(fmt::format("{}: iPXE has no command '{}'", place, finding.name),
                         "the script ends there: \"" + finding.name + ": command not found\"",
                         or_nearest(finding.name, ipxescript::all_commands(),
                                    "`help` in iPXE's shell lists its commands"));
        case Finding::Kind::not_in_build:
            return fault(fmt::format("{}: this iPXE has no command '{}'", place, finding.name),
                         facts.ipxe == ipxescript::Build::y2019
                             ? "Debian 12's iPXE ROMs (2019) do not have it"
                             : "Debian 13's iPXE ROMs (2025) are built without it",
                         "an iPXE that has it: --ipxe-rom PATH; or `" + finding.name +
                             " ||` where the script can do without");
        case Finding::Kind::no_label:
            return fault(fmt::format("{}: there is no label :{} to go to", place, finding.name), "",
                         or_nearest(finding.name, ipxescript::labels_of(script),
                                    fmt::format("a line that begins with :{}", finding.name)));
        case Finding::Kind::own_host:
            return fault(
                fmt::format("{}: {} is the guest itself", place, finding.name), "",
                "in nat mode the host is ${next-server}; what vm-launch serves needs no server's name");
        case Finding::Kind::no_protocol:
            return fault(fmt::format("{}: this iPXE cannot fetch {}", place, finding.name),
                         "Debian 12's iPXE ROMs (2019) are built without HTTPS",
                         "http://, or an iPXE that has HTTPS and trusts the server: --ipxe-rom PATH");
    }
    return {};
}

std::string note_of(const Fault& fault) {
    std::string note = fault.what;
    note += fault.why.empty() ? "" : ": " + fault.why;
    return note + (fault.hint.empty() ? "" : " (" + fault.hint + ")");
}

// What there is instead: names that somebody may have meant.
std::string what_is_there(const std::vector<std::string>& names) {
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), most_names_told); ++i) {
        list += (i == 0 ? "" : ", ") + names[i];
    }
    return names.empty() ? "nothing else is there"
                         : fmt::format("there is: {}{}", list, names.size() > most_names_told ? ", …" : "");
}

std::string missing_file(const ScriptFacts::File& file, const ScriptFacts& facts) {
    if (facts.served == ScriptFacts::Served::nothing) {
        return fmt::format(
            "{}, line {}: {}: {} is not served (--netboot-dir DIR, where DIR is the folder that it is in)",
            facts.name, file.use.line, file.use.command, file.use.name);
    }
    std::vector<std::string> others = facts.names;
    std::erase(others, facts.name);
    return fmt::format("{}, line {}: {}: {} is not in the folder ({})", facts.name, file.use.line,
                       file.use.command, file.use.name,
                       or_nearest(file.use.name, others, what_is_there(others)));
}

}  // namespace

ScriptJudgement judge_script(const ScriptFacts& facts, bool own_rom) {
    ScriptJudgement judged;
    const ipxescript::Script script = ipxescript::read_script(facts.bytes);
    if (!script.magic && !is_meant_as_script(facts.name, script)) {
        return judged;
    }
    const auto build = own_rom ? ipxescript::Build::any : facts.ipxe;
    for (const Finding& finding : ipxescript::check(script, build)) {
        const bool known = !own_rom && finding.kind != Finding::Kind::not_in_build;
        const Fault fault = fault_of(finding, facts, script);
        if (finding.certain &&
            (known || finding.kind == Finding::Kind::no_magic || finding.kind == Finding::Kind::no_label)) {
            judged.faults.push_back(fault);
        } else {
            judged.notes.push_back(note_of(fault));
        }
    }
    if (facts.served == ScriptFacts::Served::named) {
        for (const ipxescript::FileUse& use : ipxescript::files_by_variable(script)) {
            judged.notes.push_back(
                fmt::format("{}, line {}: {}: {} is not served: beside a script only the files are that it "
                            "names in full, "
                            "without variables (--netboot-dir DIR serves all that is in DIR)",
                            facts.name, use.line, use.command, use.name));
        }
    }
    for (const ScriptFacts::File& file : facts.files) {
        if (!file.exists && !file.use.optional) {
            judged.notes.push_back(missing_file(file, facts));
        }
    }
    return judged;
}

}  // namespace vml
