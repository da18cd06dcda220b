#include "launcher/settings/run_options.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/pattern.h"
#include "launcher/settings/shell_words.h"

namespace vml {

std::vector<std::string> stage_words() {
    const auto names = boot::stage_names();
    return {names.begin(), names.end()};
}

namespace {

boot::Stage stage_of(std::string_view text) {
    const std::optional<boot::Stage> stage = boot::stage_named(text);
    if (!stage) {
        throw not_one_of(text, stage_words());
    }
    return *stage;
}

}  // namespace

std::uint16_t parse_vnc_port(std::string_view text) {
    constexpr std::uint64_t first = 5900;
    constexpr std::uint64_t last = 65535;
    return static_cast<std::uint16_t>(parse_number(text, first, last));
}

std::string parse_vnc_password(std::string_view text) {
    constexpr std::size_t longest = 8;  // of which DES makes a key (RFC 6143, 7.2.2)
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
    if (lower(text) == "none") {
        return {};
    }
    if (text.empty() || text.size() > longest || !printable) {
        throw ValueError{"not a VNC password", "1 to 8 printable ASCII characters, or none"};
    }
    return std::string{text};
}

std::string parse_health_stage(std::string_view text) {
    return std::string{boot::name_of(stage_of(lower(trimmed(text))))};
}

Until parse_until(std::string_view text) {
    constexpr std::string_view console = "console:";
    const std::string_view word = trimmed(text);
    if (word.starts_with(console)) {
        const std::string pattern{word.substr(console.size())};
        const auto compiled = Pattern::compile(pattern);
        if (const auto* wrong = std::get_if<std::string>(&compiled)) {
            throw ValueError{fmt::format("invalid regular expression '{}': {}", pattern, *wrong),
                             "RE2's syntax (no look-around, no back-references); \\ before . [ ] ( ) * + ? { "
                             "} ^ $ | takes "
                             "them as they are"};
        }
        if (pattern.empty()) {
            throw ValueError{"empty regular expression", "for example: console:login:"};
        }
        return {std::nullopt, pattern, std::string{word}};
    }
    return {stage_of(word), "", std::string{word}};
}

std::optional<ReportKind> kind_of_report(const std::filesystem::path& path) {
    constexpr std::array ends{std::pair{".json", ReportKind::json}, std::pair{".html", ReportKind::page},
                              std::pair{".pcapng", ReportKind::packets}};
    const auto* const found = std::find_if(ends.begin(), ends.end(),
                                           [&](const auto& end) { return path.extension() == end.first; });
    return found == ends.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::filesystem::path> parse_reports(std::string_view text) {
    std::vector<std::filesystem::path> paths;
    for (const std::string& part : split_list(text)) {
        const std::filesystem::path path{part};
        if (!kind_of_report(path)) {
            throw invalid_value(part, "a name that ends with .json, .html or .pcapng");
        }
        paths.push_back(path);
    }
    return paths;
}

EventTarget parse_event_target(std::string_view text) {
    constexpr std::string_view inherited = "fd:";
    constexpr std::uint64_t most = 1023;  // of the usual limit of open files (getrlimit(2))
    const std::string_view word = trimmed(text);
    if (word == "-") {
        return {1, {}};
    }
    if (word.starts_with(inherited)) {
        return {static_cast<int>(
                    parse_number(word.substr(inherited.size()), 1, most, "fd: and a descriptor's number")),
                {}};
    }
    return {std::nullopt, parse_text(word)};
}

// One word with blanks that begins with a dash is none of QEMU's options: the quotes around it are those that
// Docker's --env-file keeps.
std::vector<std::string> parse_extra_args(std::string_view text) {
    std::vector<std::string> words = parse_shell_words(text);
    const bool whole = words.size() == 1 && words.front().starts_with('-') &&
                       words.front().find_first_of(" \t\n") != std::string::npos;
    return whole ? parse_shell_words(words.front()) : words;
}

namespace {

std::vector<OptionRow> console_options() {
    return {
        option<&Settings::console>(
            {"console", "CONSOLE", "MODE", "auto", "what is shown of the serial console: {}"}),
        option<&Settings::console_log>(
            {"console-log", "CONSOLE_LOG", "FILE", "none",
             "keep every byte of the serial console in this file, whatever is shown of it; an earlier one is "
             "replaced, and 1 GiB is its end"}),
        option<&Settings::no_console>({"no-console", "NO_CONSOLE", "", "off", "the same as --console=quiet"}),
        option<&Settings::console_raw>(
            {"console-raw", "CONSOLE_RAW", "", "off", "the older name of --console=raw"}),
        option<&Settings::graphics>({"graphics", "GRAPHICS", "KIND", "none", "{}"}),
        option<&Settings::vnc_port, parse_vnc_port>(
            {"vnc-port", "VNC_PORT", "PORT", "5900",
             "the TCP port of --graphics vnc: on the loopback, in a container on all addresses"}),
        secret(option<&Settings::vnc_password, parse_vnc_password>(
            {"vnc-password", "VNC_PASSWORD", "PASSWORD", "one that `vm-launch status` tells",
             "what a viewer of --graphics vnc must know, of at most 8 characters; none: nothing"})),
        option<&Settings::guest_agent>({"guest-agent", "GUEST_AGENT", "", "on",
                                        "a port for qemu-ga in the guest: what `vm-launch exec` needs"}),
        suggesting(stage_words,
                   option<&Settings::health_stage, parse_health_stage>(
                       {"health-stage", "HEALTH_STAGE", "STAGE", "none",
                        "`vm-launch health` also asks whether the boot reached this stage; its name as for "
                        "--until, no console:REGEX"})),
        option<&Settings::run_as>({"run-as", "RUN_AS", "USER", "for root: a user of the VM's own",
                                   "the user that QEMU runs as; only root can switch to another user"}),
        option<&Settings::landlock>({"landlock", "LANDLOCK", "", "on, without arguments of your own for QEMU",
                                     "QEMU opens no file and no TCP port but what this VM needs, where the "
                                     "kernel has Landlock (Linux 5.13)"}),
    };
}

std::vector<OptionRow> boot_watch_options() {
    constexpr unsigned most_reboots = 1000;
    return {
        suggesting(
            stage_words,
            option<&Settings::until, parse_until>(
                {"until", "UNTIL", "STAGE", "none",
                 fmt::format(
                     "exit 0 once the boot reaches this stage: {}, or console:REGEX; a boot that fails "
                     "before exits at once, with its exit code",
                     fmt::join(boot::stage_names(), ", "))})),
        option<&Settings::boot_timeout>(
            {"boot-timeout", "BOOT_TIMEOUT", "SECONDS", "none",
             "exit 15 when the boot has not reached its stage (of --until, else os) by then"}),
        option<&Settings::reboot_limit, number<unsigned, 0, most_reboots>>(
            {"reboot-limit", "REBOOT_LIMIT", "N", "3",
             "exit 16 after N network boots in a row in which no operating system stayed up for "
             "60 s; 0: never"}),
        adding_up(option<&Settings::reports, parse_reports>(
            {"report", "BOOT_REPORT", "FILE,…", "none",
             "write the boot as JSON (a name that ends with .json), as a picture in one HTML file (.html), "
             "or as its packets, with what they showed as their comments (.pcapng)"})),
        of_kind(ValueKind::file,
                option<&Settings::events, parse_event_target>(
                    {"events", "EVENTS", "TARGET", "none",
                     "write what happens as it happens, one JSON object a line (docs/events.md), to a file, "
                     "to standard output (-; the console is then not shown there) or to descriptor N "
                     "(fd:N)"})),
        option<&Settings::boot_watch>({"boot-watch", "BOOT_WATCH", "", "on",
                                       "look at the guest's packets until its operating system runs; "
                                       "without, the console alone tells of "
                                       "the boot"}),
        option<&Settings::probe>(
            {"probe", "PROBE", "WHEN", "auto",
             "ask who offers what by a DHCPDISCOVER from the guest's MAC address, beside QEMU's start and in "
             "doctor, so that a verdict can tell the guest's faults from the network's; no lease is taken: "
             "{}; not with --fast-boot=off or --no-boot-watch, and not while the address may be in use "
             "elsewhere"}),
        option<&Settings::stop_timeout>({"stop-timeout", "STOP_TIMEOUT", "SECONDS", "8",
                                         "grace for the guest's own shutdown before it is forced"}),
    };
}

std::vector<OptionRow> log_options() {
    return {
        option<&Settings::log_level>(
            {"log-level", "LOG_LEVEL", "LEVEL", "info", "{} (LOG_VERBOSE=1 means debug)"}),
        option<&Settings::log_format>({"log-format", "LOG_FORMAT", "FORMAT", "text", "{}"}),
        option<&Settings::colour>({"color", "COLOR", "WHEN", "auto",
                                   "vm-launch's own lines in colour, of which a log in JSON has none: {}"}),
        with_lines(option<&Settings::extra_args, parse_extra_args>(
            {"extra-args", "EXTRA_ARGS", "ARGS", "none",
             "given to QEMU as they are, split like a shell would; on the command line also: -- ARGS…"})),
    };
}

}  // namespace

std::vector<OptionRow> run_options() {
    std::vector<OptionRow> rows = console_options();
    for (auto more : {boot_watch_options(), log_options()}) {
        rows.insert(rows.end(), more.begin(), more.end());
    }
    return rows;
}

}  // namespace vml
