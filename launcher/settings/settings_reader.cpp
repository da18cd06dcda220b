#include "launcher/settings/settings_reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/shell.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/suggest.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

namespace po = boost::program_options;

// A setting's text before it is understood.
struct Raw {
    std::string text;
    std::string origin;
};
using RawSettings = std::map<std::string, Raw, std::less<>>;

// A further NIC: as one text (--nic), or key by key (NETWORK2_…).
struct RawNic {
    std::optional<Raw> whole;
    std::vector<std::pair<std::string, Raw>> keys;
};

constexpr std::string_view config_variable = "VM_LAUNCH_CONFIG";

// What else Docker-VM-Runner reads and vm-launch has no use for: nobody's slip.
constexpr std::array<std::string_view, 33> without_use_here{"ALLOCATE",
                                                            "BALLOON",
                                                            "BASE_IMAGE",
                                                            "DEVICE",
                                                            "DISK_IO",
                                                            "DISK_TYPE",
                                                            "DISTRO",
                                                            "DOWNLOAD_RETRIES",
                                                            "FILESYSTEM_ACCESSMODE",
                                                            "FILESYSTEM_DRIVER",
                                                            "FILESYSTEM_READONLY",
                                                            "FILESYSTEM_SOURCE",
                                                            "FILESYSTEM_TARGET",
                                                            "FORCE_ISO",
                                                            "GPU",
                                                            "GUEST_PASSWORD",
                                                            "GUEST_USER",
                                                            "HYPERV",
                                                            "IO_THREAD",
                                                            "LIBVIRT_URI",
                                                            "NOVNC_ENABLE",
                                                            "NOVNC_PORT",
                                                            "REDFISH_ENABLE",
                                                            "REDFISH_PASSWORD",
                                                            "REDFISH_PORT",
                                                            "REDFISH_STORAGE_PATH",
                                                            "REDFISH_STORAGE_POOL",
                                                            "REDFISH_SYSTEM_ID",
                                                            "REDFISH_USERNAME",
                                                            "RNG",
                                                            "USB",
                                                            "VM_PASSWORD",
                                                            "VM_USER"};

// "DISK2_SIZE" → "DISK_SIZE": Docker-VM-Runner numbers what there are several of.
std::string without_number(std::string name) {
    const std::size_t digits = name.find_first_of("0123456789");
    if (digits != std::string::npos && (digits + 1 == name.size() || name[digits + 1] == '_')) {
        name.erase(digits, 1);
    }
    return name;
}

std::vector<std::string> known_variables() {
    std::vector<std::string> names{"LOG_VERBOSE", std::string{config_variable}};
    for (const OptionRow& row : option_table()) {
        for (const std::string_view name : {row.environment, row.also}) {
            if (!name.empty()) {
                names.emplace_back(name);
            }
        }
    }
    names.insert(names.end(), without_use_here.begin(), without_use_here.end());
    return names;
}

Fault settings_fault(std::string what, std::string why, std::string hint) {
    return {std::move(what), std::move(why), std::move(hint), ExitCode::settings};
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         std::string_view otherwise) {
    const std::optional<std::string> guess = nearest(word, known);
    return guess ? fmt::format("did you mean {}?", *guess) : std::string{otherwise};
}

// --no-FLAG for a boolean --FLAG; "no-console" is a name of its own.
std::string negation(const OptionRow& row) {
    return row.flag.starts_with("no-") ? std::string{} : fmt::format("no-{}", row.flag);
}

po::options_description described_options() {
    po::options_description options;
    auto add = options.add_options();
    for (const OptionRow& row : option_table()) {
        const std::string flag{row.flag};
        if (row.is_boolean()) {
            add(flag.c_str(), po::value<std::string>()->implicit_value("1"));
            if (const std::string no = negation(row); !no.empty()) {
                add(no.c_str(), po::value<std::string>()->implicit_value("1"));
            }
        } else {
            add(flag.c_str(), po::value<std::string>());
        }
    }
    add("help,h", "")("version", "")("config", po::value<std::string>())("format", po::value<std::string>());
    return options;
}

std::vector<std::string> known_flags() {
    std::vector<std::string> flags{"--help", "--version", "--config", "--format"};
    for (const OptionRow& row : option_table()) {
        flags.push_back(fmt::format("--{}", row.flag));
        if (const std::string no = row.is_boolean() ? negation(row) : std::string{}; !no.empty()) {
            flags.push_back("--" + no);
        }
    }
    return flags;
}

// One reading of the command line, layer by layer.
class Reader {
  public:
    Reader(const Environment& environment, const ReadFile& read_file)
        : environment_{environment}, read_file_{read_file} {}

    ReadResult read(std::vector<std::string> arguments) {
        take_words_for_qemu(arguments);
        take_subcommand(arguments);
        read_flags(arguments);
        read_environment();
        look_for_misspelt_variables();
        read_config();
        assign_all();
        return std::move(result_);
    }

  private:
    void fault(std::string what, std::string why, std::string hint) {
        result_.faults.push_back(settings_fault(std::move(what), std::move(why), std::move(hint)));
    }

    void take_words_for_qemu(std::vector<std::string>& arguments) {
        const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
        if (dashes != arguments.end()) {
            qemu_words_.emplace(std::next(dashes), arguments.end());
            arguments.erase(dashes, arguments.end());
        }
    }

    void take_subcommand(std::vector<std::string>& arguments) {
        if (arguments.empty() || arguments.front().starts_with('-')) {
            return;
        }
        const std::string word = arguments.front();
        arguments.erase(arguments.begin());
        std::vector<std::string> names;
        for (const Subcommand& subcommand : subcommands()) {
            names.emplace_back(subcommand.name);
        }
        if (std::find(names.begin(), names.end(), word) == names.end()) {
            fault(fmt::format("'{}' is no subcommand", word), "",
                  did_you_mean(word, names, fmt::format("there are: {}", fmt::join(names, ", "))));
        } else {
            result_.command.subcommand = word;
        }
    }

    // "--fast-boot off" → "--fast-boot=off": the parser gives a value that may be left out only with "=".
    static std::vector<std::string> joined_booleans(const std::vector<std::string>& arguments) {
        std::vector<std::string> joined;
        bool takes_value = false;
        for (const std::string& word : arguments) {
            if (takes_value && is_boolean(word)) {
                joined.back() += "=" + word;
                takes_value = false;
                continue;
            }
            takes_value = is_boolean_flag(word);
            joined.push_back(word);
        }
        return joined;
    }

    static bool is_boolean(const std::string& word) {
        try {
            std::ignore = parse_boolean(word);
            return true;
        } catch (const ValueError&) {
            return false;
        }
    }

    static bool is_boolean_flag(std::string_view word) {
        constexpr std::string_view dashes = "--";
        constexpr std::string_view no = "no-";
        if (!word.starts_with(dashes)) {
            return false;
        }
        const std::string_view flag = word.substr(dashes.size());
        const OptionRow* row = find_option(flag);
        if (row == nullptr && flag.starts_with(no)) {
            row = find_option(flag.substr(no.size()));
        }
        return row != nullptr && row->is_boolean();
    }

    // The parser stops at its first error, and users want all of them: the word at fault is taken out and the
    // rest parsed again.
    void read_flags(std::vector<std::string> arguments) {
        static const po::options_description options = described_options();
        arguments = joined_booleans(arguments);
        while (true) {
            try {
                using Style = po::command_line_style::style_t;
                const auto parsed = po::command_line_parser(arguments)
                                        .options(options)
                                        .style(Style::unix_style & ~Style::allow_guessing)
                                        .allow_unregistered()
                                        .run();
                for (const auto& option : parsed.options) {
                    take_flag(option);
                }
                return;
            } catch (const po::error_with_option_name& error) {
                const std::string name = error.get_option_name();
                const auto culprit = std::find_if(
                    arguments.begin(), arguments.end(),
                    [&](const std::string& word) { return word == name || word.starts_with(name + "="); });
                fault(fmt::format("{} needs a value", name), "", "see vm-launch --help");
                if (culprit == arguments.end()) {
                    return;
                }
                arguments.erase(culprit);
            }
        }
    }

    void take_flag(const po::option& option) {
        if (option.position_key >= 0) {
            for (const std::string& word : option.value) {
                take_word(word);
            }
        } else if (option.unregistered) {
            const std::string& flag = option.original_tokens.front();
            const std::string name = flag.substr(0, flag.find('='));
            fault(fmt::format("there is no option {}", name), "",
                  did_you_mean(name, known_flags(), "see vm-launch --help; options of QEMU go behind --"));
        } else {
            take_known_flag(option.string_key, option.value.empty() ? "1" : option.value.front());
        }
    }

    void take_word(const std::string& word) {
        static const std::set<std::string, std::less<>> with_words{
            "rom", "help", "status", "stop", "reset", "resume", "console", "screenshot", "health", "exec"};
        if (with_words.contains(result_.command.subcommand)) {
            result_.command.words.push_back(word);
        } else {
            fault(fmt::format("'{}' stands alone", word), "every setting is an option",
                  "see vm-launch --help; arguments for QEMU go behind --");
        }
    }

    void take_known_flag(const std::string& key, const std::string& value) {
        if (key == "help") {
            result_.command.help = true;
        } else if (key == "version") {
            result_.command.version = true;
        } else if (key == "config") {
            config_ = Raw{value, "--config"};
        } else if (key == "format") {
            take_format(value);
        } else if (key == "nic") {
            raw_nics_.push_back({Raw{value, "--nic"}, {}});
        } else if (key == "disk") {
            raw_disks_.push_back({value, "--disk"});
        } else if (find_option(key) == nullptr) {
            const std::string positive = key.substr(std::string_view{"no-"}.size());
            raw_.insert_or_assign(positive, Raw{negated(value), "--" + key});
        } else {
            raw_.insert_or_assign(key, Raw{value, "--" + key});
        }
    }

    static std::string negated(const std::string& value) {
        try {
            return parse_boolean(value) ? "0" : "1";
        } catch (const ValueError&) {
            return value;  // refused when the setting is assigned, with its origin
        }
    }

    void take_format(const std::string& value) {
        const auto& all = subcommands();
        const auto command = std::find_if(all.begin(), all.end(), [&](const Subcommand& s) {
            return s.name == result_.command.subcommand;
        });
        const std::map<std::string, OutputFormat, std::less<>> formats{
            {"text", OutputFormat::text}, {"json", OutputFormat::json}, {"sh", OutputFormat::sh}};
        const auto found = formats.find(value);
        if (command->formats.empty()) {
            fault(fmt::format("--format does not go with '{}'", command->name), "", "see vm-launch --help");
        } else if (found == formats.end() || command->formats.find(value) == std::string_view::npos) {
            fault(fmt::format("--format: '{}' is not one of them", value), "",
                  fmt::format("possible: {}", command->formats));
        } else {
            result_.command.format = found->second;
        }
    }

    [[nodiscard]] const std::string* variable(std::string_view name) const {
        const auto found = environment_.find(name);
        return found == environment_.end() || found->second.empty() ? nullptr : &found->second;
    }

    void read_environment() {
        for (const OptionRow& row : option_table()) {
            for (const std::string_view name : {row.environment, row.also}) {
                if (const std::string* value = row.flag == "disk" ? nullptr : variable(name)) {
                    raw_.try_emplace(std::string{row.flag}, Raw{*value, fmt::format("${}", name)});
                }
            }
        }
        if (raw_nics_.empty()) {
            read_nic_variables();
        }
        if (raw_disks_.empty()) {
            read_disk_variables();
        }
        read_verbose();
        if (const std::string* path = variable(config_variable); path != nullptr && !config_) {
            config_ = Raw{*path, fmt::format("${}", config_variable)};
        }
    }

    // Only for the subcommands that use the settings.
    void look_for_misspelt_variables() {
        constexpr std::array<std::string_view, 3> readers{"run", "plan", "doctor"};
        const CommandLine& command = result_.command;
        if (command.help || command.version ||
            std::find(readers.begin(), readers.end(), command.subcommand) == readers.end()) {
            return;
        }
        const std::vector<std::string> known = known_variables();
        for (const auto& [name, value] : environment_) {
            if (const auto meant = misspelt_variable(without_number(name), known)) {
                result_.warnings.push_back(
                    fmt::format("${} is no setting and has no effect: did you mean {}?", name, *meant));
            }
        }
    }

    // NETWORK2_MODE, NETWORK2_BRIDGE, …, NETWORK3_MODE, … up to the first number without any.
    void read_nic_variables() {
        for (int number = 2;; ++number) {
            RawNic nic;
            for (const NicKey& key : nic_keys()) {
                const std::string name = fmt::format("NETWORK{}_{}", number, key.environment);
                if (const std::string* value = variable(name)) {
                    nic.keys.emplace_back(key.key, Raw{*value, "$" + name});
                }
            }
            if (nic.keys.empty()) {
                return;
            }
            raw_nics_.push_back(std::move(nic));
        }
    }

    // DISK, DISK2, DISK3, … up to the first number without one; DISK itself may be missing.
    void read_disk_variables() {
        for (int number = 1;; ++number) {
            const std::string name = number == 1 ? "DISK" : fmt::format("DISK{}", number);
            if (const std::string* value = variable(name)) {
                raw_disks_.push_back({*value, "$" + name});
            } else if (number > 1) {
                return;
            }
        }
    }

    // LOG_VERBOSE=1 is Docker-VM-Runner's way to say --log-level debug; LOG_LEVEL wins over it.
    void read_verbose() {
        const std::string* verbose = variable("LOG_VERBOSE");
        if (verbose == nullptr) {
            return;
        }
        try {
            if (parse_boolean(*verbose)) {
                raw_.try_emplace("log-level", Raw{"debug", "$LOG_VERBOSE"});
            }
        } catch (const ValueError& error) {
            fault(fmt::format("$LOG_VERBOSE: {}", error.what()), "", error.hint());
        }
    }

    void read_config() {
        if (!config_) {
            return;
        }
        try {
            const nlohmann::json config = nlohmann::json::parse(read_file_(config_->text));
            if (!config.is_object()) {
                fault(fmt::format("{}: {} holds no JSON object", config_->origin, config_->text), "",
                      R"(for example {"ipxe": true, "boot-order": ["network", "hd"]})");
                return;
            }
            for (const auto& [key, value] : config.items()) {
                take_config_value(key, value);
            }
        } catch (const nlohmann::json::exception& error) {
            fault(fmt::format("{}: {} is not JSON", config_->origin, config_->text), error.what(), "");
        } catch (const Error& error) {
            fault(fmt::format("{}: {}", config_->origin, error.faults().front().what),
                  error.faults().front().why, "name a readable file");
        }
    }

    void take_config_value(const std::string& key, const nlohmann::json& value) {
        const std::string origin = fmt::format("'{}' in {}", key, config_->text);
        if (find_option(key) == nullptr) {
            std::vector<std::string> keys;
            for (const OptionRow& row : option_table()) {
                keys.emplace_back(row.flag);
            }
            fault(fmt::format("{}: there is no such setting", origin), "",
                  did_you_mean(key, keys, "keys are the long options without dashes"));
        } else if (key == "nic") {
            take_config_list(value, origin, !raw_nics_.empty(), "NIC", "mode=bridge,bridge=br0",
                             [this](Raw nic) {
                                 raw_nics_.push_back({std::move(nic), {}});
                             });
        } else if (key == "disk") {
            take_config_list(value, origin, !raw_disks_.empty(), "disk", "/images/disk.qcow2",
                             [this](Raw disk) { raw_disks_.push_back(std::move(disk)); });
        } else if (const std::optional<std::string> text = text_of(value, key == "extra-args")) {
            raw_.try_emplace(key, Raw{*text, origin});
        } else {
            fault(fmt::format("{}: a {} cannot be a setting", origin, value.type_name()), "",
                  "use a string, a number, a boolean or a list of strings");
        }
    }

    // A list of which each item is written as its flag takes it. Flags and variables (`given`) win over all
    // of it.
    template <typename Take>
    void take_config_list(const nlohmann::json& value, const std::string& origin, bool given,
                          std::string_view noun, std::string_view example, Take take) {
        for (const nlohmann::json& item : value.is_array() ? value : nlohmann::json::array({value})) {
            if (!item.is_string()) {
                fault(fmt::format("{}: a {} cannot be a {}", origin, item.type_name(), noun), "",
                      fmt::format("write each as a string: \"{}\"", example));
            } else if (!given) {
                take(Raw{item.get<std::string>(), origin});
            }
        }
    }

    // A list becomes the comma list of the command line; one of QEMU's words, the words that a shell would
    // split.
    static std::optional<std::string> text_of(const nlohmann::json& value, bool shell_words) {
        if (value.is_boolean()) {
            return value.get<bool>() ? "1" : "0";
        }
        if (value.is_number_unsigned()) {
            return std::to_string(value.get<std::uint64_t>());
        }
        if (value.is_string()) {
            return value.get<std::string>();
        }
        if (!value.is_array()) {
            return std::nullopt;
        }
        std::vector<std::string> parts;
        for (const nlohmann::json& element : value) {
            if (!element.is_string()) {
                return std::nullopt;
            }
            parts.push_back(shell_words ? shell_quoted(element.get<std::string>())
                                        : element.get<std::string>());
        }
        return fmt::format("{}", fmt::join(parts, shell_words ? " " : ","));
    }

    template <typename Assign>
    void assign(const Raw& raw, Assign assign_value) {
        try {
            assign_value();
        } catch (const ValueError& error) {
            fault(fmt::format("{}: {}", raw.origin, error.what()), "", error.hint());
        }
    }

    void assign_all() {
        for (const auto& [flag, raw] : raw_) {
            assign(raw, [&, &flag = flag, &raw = raw] {
                find_option(flag)->assign(result_.settings, raw.text);
                result_.origins.emplace(flag, raw.origin);
            });
        }
        for (const RawNic& nic : raw_nics_) {
            assign_nic(nic);
        }
        for (const Raw& disk : raw_disks_) {
            assign(disk, [&] {
                find_option("disk")->assign(result_.settings, disk.text);
                result_.origins.emplace("disk", disk.origin);
            });
        }
        if (qemu_words_ && result_.command.subcommand == "exec") {
            result_.command.guest_command = *qemu_words_;
        } else if (qemu_words_) {
            result_.settings.extra_args = *qemu_words_;
            result_.origins["extra-args"] = "--";
        }
    }

    void assign_nic(const RawNic& raw) {
        NicSettings nic;
        if (raw.whole) {
            assign(*raw.whole, [&] { nic = parse_nic(raw.whole->text); });
        }
        for (const auto& [key, value] : raw.keys) {
            assign(value, [&, &key = key, &value = value] { set_nic_key(nic, key, value.text); });
        }
        result_.settings.nics.push_back(std::move(nic));
    }

    const Environment& environment_;
    const ReadFile& read_file_;
    ReadResult result_;
    RawSettings raw_;
    std::vector<RawNic> raw_nics_;
    std::vector<Raw> raw_disks_;
    std::optional<Raw> config_;
    std::optional<std::vector<std::string>> qemu_words_;
};

}  // namespace

std::string origin_of(const Origins& origins, std::string_view flag) {
    const auto found = origins.find(flag);
    return found == origins.end() ? fmt::format("--{} (default)", flag) : found->second;
}

ReadResult read_settings(const std::vector<std::string>& arguments, const Environment& environment,
                         const ReadFile& read_file) {
    return Reader{environment, read_file}.read(arguments);
}

const std::vector<Subcommand>& subcommands() {
    static const std::vector<Subcommand> all{
        {"run", "[OPTIONS] [-- QEMU-ARGS…]", "", "start a VM (this is what happens without a subcommand)"},
        {"plan", "[OPTIONS] [-- QEMU-ARGS…]", "text, json, sh",
         "print what run would do, and why; starts nothing"},
        {"doctor", "[OPTIONS]", "",
         "check the host for what the same options would need (network boot, if they name nothing else)"},
        {"status", "[NAME]", "text, json",
         "what a running VM is, how far its boot got, and what it may do, as the kernel tells it"},
        {"stop", "[NAME]", "", "stop a VM: the guest's power button, then by force; waits for the end"},
        {"reset", "[NAME]", "", "press a VM's reset button"},
        {"resume", "[NAME]", "", "let a VM go on that is paused, for example by a full disk"},
        {"console", "[NAME]", "", "this terminal on a VM's serial console; Ctrl-] detaches"},
        {"screenshot", "[NAME] FILE.png", "", "a picture of a VM's screen (--graphics vnc)"},
        {"health", "[NAME]", "",
         "0 while QEMU answers and no error stopped the VM; with --health-stage, once its boot got there"},
        {"exec", "[NAME] -- COMMAND…", "",
         "run a command in the guest by its agent, qemu-ga; its output and exit status"},
        {"rom", "FILE…", "text, json", "tell what is inside an option ROM and where it can run"},
        {"help", "[man|settings]", "", "print this help, the man page's source, or the table of settings"},
    };
    return all;
}

}  // namespace vml
