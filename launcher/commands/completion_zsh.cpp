#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "launcher/commands/completion.h"
#include "launcher/commands/completion_rules.h"
#include "launcher/commands/subcommands.h"

namespace vml {

namespace {

// clang-format off: it takes quotes in a script for its own
constexpr std::string_view zsh_functions = R"SHELL(#compdef vm-launch
# zsh completion for vm-launch, made by `vm-launch completion zsh`.

_vm_launch_links() { compadd -- /sys/class/net/*(N:t); }
_vm_launch_bridges() { compadd -- /sys/class/net/*/bridge(N:h:t); }
_vm_launch_vms() {
    local -a lines
    lines=(${(f)"$(_call_program vms $words[1] ls 2>/dev/null)"})
    (( $#lines < 2 )) || compadd -- ${lines[2,-1]%% *}
}
_vm_launch_vm_then_file() {
    (( CURRENT > 3 )) || _vm_launch_vms
    _files
}
_vm_launch_list() {
    compset -P '*,'
    compadd -q -S , -- "$@"
}

)SHELL";

constexpr std::string_view zsh_main = R"SHELL(
_vm_launch() {
    local flag=$words[CURRENT-1] sub=run equals=
    if (( CURRENT > 2 )) && (( $_vm_launch_subcommands[(I)${words[2]}:*] )); then
        sub=$words[2]
    fi
    if (( ${words[2,CURRENT-1][(I)--]} )); then
        _files
        return
    fi
    if [[ $words[CURRENT] == --*=* ]]; then
        flag=${words[CURRENT]%%=*} equals=1
        compset -P '*='
    fi
    _vm_launch_value $flag && return
    if [[ $words[CURRENT] == -* ]]; then
        _vm_launch_flags
    elif (( CURRENT == 2 )); then
        _describe -t commands subcommand _vm_launch_subcommands
        _files
    else
        _vm_launch_positional
    fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _vm_launch "$@"
else
    compdef _vm_launch vm-launch
fi
)SHELL";
// clang-format on

std::string zsh_call(const Offered& offered) {
    const std::string words = fmt::format("{}", fmt::join(offered.words, " "));
    switch (offered.offer) {
        case Offer::nothing:
            return "_message 'a value'";
        case Offer::words:
            return "compadd -- " + words;
        case Offer::list:
            return "_vm_launch_list " + words;
        case Offer::keys:
            return "compadd -S '' -- " + words;
        case Offer::files:
            return "_files";
        case Offer::folders:
            return "_files -/";
        case Offer::bridges:
            return "_vm_launch_bridges";
        case Offer::links:
            return "_vm_launch_links";
        case Offer::vms:
            return "_vm_launch_vms";
        case Offer::vm_then_file:
            return "_vm_launch_vm_then_file";
    }
    return "";
}

// What a line of a menu has room for, at the end of a word.
std::string in_short(std::string_view text) {
    constexpr std::size_t room = 72;
    const std::string_view clause = text.substr(0, std::min(text.find(';'), text.size()));
    if (clause.size() <= room) {
        return std::string{clause};
    }
    return std::string{clause.substr(0, clause.rfind(' ', room))} + " …";
}

// 'flag:help' for _describe.
std::string zsh_entry(std::string_view name, std::string_view help) {
    std::string text = fmt::format("{}:{}", name, in_short(help));
    for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
        text.replace(at, 1, "'\\''");
    }
    return "'" + text + "'";
}

std::string zsh_values() {
    std::string text = "_vm_launch_value() {\n    case $1 in\n";
    for (const ValueRule& rule : value_rules()) {
        text += fmt::format("        {}) {} ;;\n", fmt::join(rule.flags, "|"), zsh_call(rule.offered));
    }
    text += "        --format)\n            case $sub in\n";
    for (const Subcommand& subcommand : subcommands()) {
        if (!subcommand.formats.empty()) {
            text += fmt::format("                {}) compadd -- {} ;;\n", subcommand.name,
                                fmt::join(split_list(subcommand.formats), " "));
        }
    }
    text += fmt::format(
        "            esac\n            ;;\n        {})\n            [[ -n $equals ]] || return 1\n"
        "            {}\n            ;;\n        *) return 1 ;;\n    esac\n    return 0\n}}\n",
        fmt::join(boolean_flags(), "|"), zsh_call({Offer::words, boolean_words()}));
    return text;
}

std::string zsh_flags() {
    std::string text = "_vm_launch_flags() {\n    local -a flags\n    case $sub in\n";
    for (const Subcommand& subcommand : subcommands()) {
        text += fmt::format("        {}) flags=(\n", subcommand.name);
        for (const FlagWords& flag : flags_of(subcommand)) {
            text += fmt::format("            {}\n", zsh_entry(flag.flag, flag.help));
        }
        text += "        ) ;;\n";
    }
    return text + "    esac\n    _describe -o -t options option flags\n}\n";
}

std::string zsh_positional() {
    std::string text = "typeset -ga _vm_launch_subcommands\n_vm_launch_subcommands=(\n";
    for (const Subcommand& subcommand : subcommands()) {
        text += fmt::format("    {}\n", zsh_entry(subcommand.name, subcommand.help));
    }
    text += ")\n_vm_launch_positional() {\n    case $sub in\n";
    for (const Subcommand& subcommand : subcommands()) {
        text += fmt::format("        {}) {} ;;\n", subcommand.name, zsh_call(words_of(subcommand)));
    }
    return text + "    esac\n}\n";
}

}  // namespace

std::string zsh_completion() {
    return std::string{zsh_functions} + zsh_values() + zsh_flags() + zsh_positional() + std::string{zsh_main};
}

}  // namespace vml
