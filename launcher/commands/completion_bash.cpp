#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/commands/completion.h"
#include "launcher/commands/completion_rules.h"
#include "launcher/commands/subcommands.h"

namespace vml {

namespace {

// Each offer has its function. A reply has the flag in front where bash does not take "=" for a word's end.
// `compgen -W` expands its words, commands in them too: what others name (VMs, links) and what is being typed
// is compared here instead, and a name that a shell would take for more than a word is not offered at all.
// clang-format off: it takes quotes in a script for its own
constexpr std::string_view bash_functions =
    R"SHELL(# bash completion for vm-launch, made by `vm-launch completion bash`.

_vm_launch_reply() {
    local found
    COMPREPLY=()
    found=$(compgen "$@" -- "$_vm_launch_cur") || return 0
    mapfile -t COMPREPLY <<<"$found"
}
_vm_launch_words() {
    local word
    COMPREPLY=()
    for word in "$@"; do
        [[ $word != "$_vm_launch_cur"* ]] || COMPREPLY+=("$word")
    done
}
_vm_launch_names() {
    local name names=()
    for name in "$@"; do
        [[ $name == *[![:alnum:]._:@-]* ]] || names+=("$name")
    done
    _vm_launch_words "${names[@]}"
}
_vm_launch_nothing() { :; }
_vm_launch_keys() {
    _vm_launch_words "$@"
    compopt -o nospace 2>/dev/null || :
}
_vm_launch_list() {
    local front='' word words=()
    [[ $_vm_launch_cur != *,* ]] || front=${_vm_launch_cur%,*},
    for word in "$@"; do
        [[ ,$front == *",$word,"* ]] || words+=("$front$word")
    done
    _vm_launch_words "${words[@]}"
    compopt -o nospace 2>/dev/null || :
}
_vm_launch_files() {
    _vm_launch_reply -f
    compopt -o filenames 2>/dev/null || :
}
_vm_launch_folders() {
    _vm_launch_reply -d
    compopt -o filenames 2>/dev/null || :
}
_vm_launch_links() {
    local path names=()
    for path in /sys/class/net/*/; do
        path=${path%/}
        names+=("${path##*/}")
    done
    _vm_launch_names "${names[@]}"
}
_vm_launch_bridges() {
    local path names=()
    for path in /sys/class/net/*/bridge/; do
        path=${path%/bridge/}
        names+=("${path##*/}")
    done
    _vm_launch_names "${names[@]}"
}
_vm_launch_vms() {
    local name rest names=()
    while read -r name rest; do
        names+=("$name")
    done <<<"$("${COMP_WORDS[0]}" ls 2>/dev/null)"
    _vm_launch_names "${names[@]:1}"
}
_vm_launch_vm_then_file() {
    local names=()
    if ((COMP_CWORD == 2)); then
        _vm_launch_vms
        names=("${COMPREPLY[@]}")
    fi
    _vm_launch_files
    COMPREPLY=("${names[@]}" "${COMPREPLY[@]}")
}

)SHELL";

constexpr std::string_view bash_main = R"SHELL(
_vm_launch() {
    local _vm_launch_cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} sub=run front='' equals='' i
    COMPREPLY=()
    if [[ $_vm_launch_cur == = ]]; then
        _vm_launch_cur='' equals=1
    elif [[ $flag == = && COMP_CWORD -gt 2 ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 2]} equals=1
    elif [[ $_vm_launch_cur == --*=* ]]; then
        flag=${_vm_launch_cur%%=*} front=${_vm_launch_cur%%=*}= equals=1
        _vm_launch_cur=${_vm_launch_cur#*=}
    fi
    if ((COMP_CWORD > 1)) && _vm_launch_is_subcommand "${COMP_WORDS[1]}"; then
        sub=${COMP_WORDS[1]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then
            _vm_launch_files
            return
        fi
    done
    if _vm_launch_value "$flag"; then
        [[ -z $front ]] || COMPREPLY=("${COMPREPLY[@]/#/$front}")
    elif [[ $_vm_launch_cur == -* ]]; then
        _vm_launch_words $(_vm_launch_flags)
    else
        _vm_launch_positional
    fi
}

complete -F _vm_launch vm-launch
)SHELL";
// clang-format on

std::string_view function_of(Offer offer) {
    switch (offer) {
        case Offer::nothing:
            return "nothing";
        case Offer::words:
            return "words";
        case Offer::list:
            return "list";
        case Offer::keys:
            return "keys";
        case Offer::files:
            return "files";
        case Offer::folders:
            return "folders";
        case Offer::bridges:
            return "bridges";
        case Offer::links:
            return "links";
        case Offer::vms:
            return "vms";
        case Offer::vm_then_file:
            return "vm_then_file";
    }
    return "";
}

std::string bash_call(const Offered& offered) {
    return fmt::format("_vm_launch_{}{}{}", function_of(offered.offer), offered.words.empty() ? "" : " ",
                       fmt::join(offered.words, " "));
}

std::string names_of_all() {
    std::vector<std::string_view> names;
    for (const Subcommand& subcommand : subcommands()) {
        names.push_back(subcommand.name);
    }
    return fmt::format("{}", fmt::join(names, " "));
}

// Succeeds where the flag takes a value.
std::string bash_values() {
    std::string text = "_vm_launch_value() {\n    case $1 in\n";
    for (const ValueRule& rule : value_rules()) {
        text += fmt::format("        {}) {} ;;\n", fmt::join(rule.flags, "|"), bash_call(rule.offered));
    }
    text += "        --format)\n            case $sub in\n";
    for (const Subcommand& subcommand : subcommands()) {
        if (!subcommand.formats.empty()) {
            text += fmt::format("                {}) _vm_launch_words {} ;;\n", subcommand.name,
                                fmt::join(split_list(subcommand.formats), " "));
        }
    }
    text += fmt::format(
        "            esac\n            ;;\n        {})\n            [[ $equals ]] || return 1\n"
        "            {}\n            ;;\n        *) return 1 ;;\n    esac\n}}\n",
        fmt::join(boolean_flags(), "|"), bash_call({Offer::words, boolean_words()}));
    return text;
}

std::string bash_flags() {
    std::string text = "_vm_launch_flags() {\n    case $sub in\n";
    for (const Subcommand& subcommand : subcommands()) {
        std::vector<std::string> flags;
        for (const FlagWords& flag : flags_of(subcommand)) {
            flags.push_back(flag.flag);
        }
        text += fmt::format("        {}) echo {} ;;\n", subcommand.name, fmt::join(flags, " "));
    }
    return text + "    esac\n}\n";
}

// In the first place a subcommand, or what the first one takes.
std::string bash_positional() {
    std::string text = fmt::format(
        "_vm_launch_is_subcommand() {{ [[ \" {0} \" == *\" $1 \"* ]]; }}\n_vm_launch_positional() {{\n"
        "    if ((COMP_CWORD == 1)); then\n        local subcommands\n        _vm_launch_words {0}\n"
        "        subcommands=(\"${{COMPREPLY[@]}}\")\n        _vm_launch_files\n        "
        "COMPREPLY=(\"${{subcommands[@]}}\" \"${{COMPREPLY[@]}}\")\n"
        "        return\n    fi\n    case $sub in\n",
        names_of_all());
    for (const Subcommand& subcommand : subcommands()) {
        text += fmt::format("        {}) {} ;;\n", subcommand.name, bash_call(words_of(subcommand)));
    }
    return text + "    esac\n}\n";
}

}  // namespace

std::string bash_completion() {
    return std::string{bash_functions} + bash_values() + bash_flags() + bash_positional() +
           std::string{bash_main};
}

}  // namespace vml
