#include "launcher/settings/values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/pattern.h"
#include "launcher/settings/suggest.h"

namespace vml {

namespace {

std::string lower(std::string_view text) {
    std::string result{text};
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Empty parts ("a,,b", a trailing comma) are left out: they cannot mean anything.
std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        if (const std::string_view part = trimmed(text.substr(0, comma)); !part.empty()) {
            parts.emplace_back(part);
        }
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return parts;
}

template <typename Value>
struct Choice {
    std::string_view name;
    Value value;
};

template <typename Choices>
std::vector<std::string> names_of(const Choices& choices) {
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& choice : choices) {
        names.emplace_back(choice.name);
    }
    return names;
}

// "did you mean 'network'? possible: network, hd, cdrom"
std::string hint_for_choice(std::string_view word, const std::vector<std::string>& names) {
    const std::string possible = fmt::format("possible: {}", fmt::join(names, ", "));
    const std::optional<std::string> guess = nearest(word, names);
    return guess ? fmt::format("did you mean '{}'? {}", *guess, possible) : possible;
}

template <typename Value, std::size_t Count>
Value choose(std::string_view text, const std::array<Choice<Value>, Count>& choices) {
    const std::string word = lower(trimmed(text));
    const auto found =
        std::find_if(choices.begin(), choices.end(), [&](const auto& choice) { return choice.name == word; });
    if (found == choices.end()) {
        throw ValueError{fmt::format("'{}' is not one of them", text),
                         hint_for_choice(word, names_of(choices))};
    }
    return found->value;
}

std::uint64_t parse_number(std::string_view text, std::string_view hint) {
    const std::string_view digits = trimmed(text);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        throw ValueError{fmt::format("'{}' is not a number that fits", text), std::string{hint}};
    }
    return number;
}

std::uint64_t in_range(std::uint64_t number, std::uint64_t low, std::uint64_t high) {
    if (number < low || number > high) {
        throw ValueError{fmt::format("{} is out of range", number), fmt::format("use {} to {}", low, high)};
    }
    return number;
}

// The power of two of a size's last letter; 0 when it is no unit.
int unit_shift(char letter) {
    switch (std::toupper(static_cast<unsigned char>(letter))) {
        case 'K':
            return 10;
        case 'M':
            return 20;
        case 'G':
            return 30;
        case 'T':
            return 40;
        default:
            return 0;
    }
}

// Bytes. A number without a unit counts in units of 2^default_shift bytes; "4G", "4GB" and "4GiB" are the
// same.
std::uint64_t parse_size(std::string_view text, int default_shift, std::string_view hint) {
    std::string_view digits = trimmed(text);
    if (digits.ends_with('B') || digits.ends_with('b')) {
        digits.remove_suffix(1);
        if (digits.ends_with('i')) {
            digits.remove_suffix(1);
        }
    }
    int shift = default_shift;
    if (!digits.empty() && unit_shift(digits.back()) != 0) {
        shift = unit_shift(digits.back());
        digits.remove_suffix(1);
    }
    const std::uint64_t number = parse_number(digits, hint);
    if (number > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
        throw ValueError{fmt::format("'{}' is too large", text), std::string{hint}};
    }
    return number << shift;
}

std::optional<Share> parse_share(std::string_view text) {
    const std::string word = lower(trimmed(text));
    if (word == "half") {
        return Share::half;
    }
    if (word == "max") {
        return Share::max;
    }
    return std::nullopt;
}

// Quoting as in POSIX.1-2017, Shell Command Language, 2.2: nothing is expanded. Boost.Program_options'
// split_unix() does not know empty words, newlines between words, open quotes or a backslash within single
// quotes.
class ShellWords {
  public:
    std::vector<std::string> split(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            i += take(text[i], i + 1 < text.size() ? std::optional{text[i + 1]} : std::nullopt);
        }
        if (quote_ != '\0') {
            throw ValueError{fmt::format("a quote ({}) is not closed", quote_),
                             "check quotes and backslashes"};
        }
        end_word();
        return std::move(words_);
    }

  private:
    // How many more characters were used up.
    std::size_t take(char c, std::optional<char> next) {
        if (c == '\\' && quote_ != '\'') {
            return take_backslash(next);
        }
        if (quote_ != '\0') {
            c == quote_ ? void(quote_ = '\0') : put(c);
        } else if (c == '\'' || c == '"') {
            quote_ = c;
            word_.emplace(word_.value_or(""));
        } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            end_word();
        } else {
            put(c);
        }
        return 0;
    }

    std::size_t take_backslash(std::optional<char> next) {
        if (!next) {
            throw ValueError{"a backslash ends it", "check quotes and backslashes"};
        }
        constexpr std::string_view special = "\"\\$`\n";  // what a backslash quotes within double quotes
        if (quote_ == '"' && special.find(*next) == std::string_view::npos) {
            put('\\');
            return 0;
        }
        if (*next != '\n') {  // a backslash before a newline joins the lines
            put(*next);
        }
        return 1;
    }

    void put(char c) { word_ = word_.value_or("") + c; }

    void end_word() {
        if (word_) {
            words_.push_back(*std::exchange(word_, std::nullopt));
        }
    }

    char quote_ = '\0';
    std::optional<std::string> word_;  // none between words
    std::vector<std::string> words_;
};

constexpr std::array<Choice<BootDevice>, 3> boot_devices{
    {{"network", BootDevice::network}, {"hd", BootDevice::hd}, {"cdrom", BootDevice::cdrom}}};
constexpr std::array<Choice<FirmwareMode>, 3> firmware_modes{
    {{"legacy", FirmwareMode::legacy}, {"uefi", FirmwareMode::uefi}, {"secure", FirmwareMode::secure}}};
constexpr std::array<Choice<PxeClient>, 4> pxe_clients{
    {{"v4", PxeClient::v4}, {"v6", PxeClient::v6}, {"http4", PxeClient::http4}, {"http6", PxeClient::http6}}};
constexpr std::array<Choice<NetworkMode>, 3> network_modes{
    {{"nat", NetworkMode::nat}, {"bridge", NetworkMode::bridge}, {"direct", NetworkMode::direct}}};
constexpr std::array<Choice<Arch>, 4> architectures{{{"x86_64", Arch::x86_64},
                                                     {"aarch64", Arch::aarch64},
                                                     {"amd64", Arch::x86_64},
                                                     {"arm64", Arch::aarch64}}};
constexpr std::array<Choice<AccelChoice>, 3> accelerators{
    {{"auto", AccelChoice::automatic}, {"kvm", AccelChoice::kvm}, {"tcg", AccelChoice::tcg}}};
constexpr std::array<Choice<DiskBus>, 4> disk_buses{
    {{"virtio", DiskBus::virtio}, {"scsi", DiskBus::scsi}, {"nvme", DiskBus::nvme}, {"sata", DiskBus::sata}}};
constexpr std::array<Choice<DiskCache>, 3> disk_caches{
    {{"writeback", DiskCache::writeback}, {"none", DiskCache::none}, {"unsafe", DiskCache::unsafe}}};
constexpr std::array<Choice<OnIoError>, 2> io_error_actions{
    {{"stop", OnIoError::stop}, {"resume", OnIoError::resume}}};
constexpr std::array<Choice<std::string_view>, 2> disk_formats{{{"raw", "raw"}, {"qcow2", "qcow2"}}};
constexpr std::array<Choice<bool>, 8> booleans{{{"1", true},
                                                {"0", false},
                                                {"true", true},
                                                {"false", false},
                                                {"yes", true},
                                                {"no", false},
                                                {"on", true},
                                                {"off", false}}};
constexpr std::array<Choice<LogLevel>, 4> log_levels{{{"debug", LogLevel::debug},
                                                      {"info", LogLevel::info},
                                                      {"warning", LogLevel::warning},
                                                      {"error", LogLevel::error}}};
constexpr std::array<Choice<LogFormat>, 2> log_formats{
    {{"text", LogFormat::text}, {"json", LogFormat::json}}};

template <typename Value, std::size_t Count>
std::string_view name_of(Value value, const std::array<Choice<Value>, Count>& choices) {
    return std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.value == value; })
        ->name;
}

boot::Stage stage_of(std::string_view word, std::string_view text) {
    const std::optional<boot::Stage> stage = boot::stage_named(word);
    if (!stage) {
        const auto names = boot::stage_names();
        throw ValueError{fmt::format("'{}' is no stage of a boot", text),
                         hint_for_choice(word, {names.begin(), names.end()})};
    }
    return *stage;
}

}  // namespace

bool parse_boolean(std::string_view text) {
    return choose(text, booleans);
}

std::vector<BootDevice> parse_boot_order(std::string_view text) {
    std::vector<BootDevice> order;
    for (const std::string& part : split_list(text)) {
        const BootDevice device = choose(part, boot_devices);
        if (std::find(order.begin(), order.end(), device) != order.end()) {
            throw ValueError{fmt::format("'{}' is there twice", part), "name each boot device once"};
        }
        order.push_back(device);
    }
    if (order.empty()) {
        throw ValueError{"the list is empty", "for example: network,hd"};
    }
    return order;
}

FirmwareMode parse_firmware(std::string_view text) {
    const std::string word = lower(trimmed(text));
    return word == "bios" ? FirmwareMode::legacy : choose(text, firmware_modes);
}

NetworkMode parse_network(std::string_view text) {
    return choose(text, network_modes);
}

std::string parse_nic_model(std::string_view text) {
    std::string word = lower(trimmed(text));
    if (rom::find_nic_model(word) == nullptr) {
        throw ValueError{fmt::format("'{}' is no NIC model", text),
                         hint_for_choice(word, names_of(rom::nic_models()))};
    }
    return word;
}

std::string parse_mac(std::string_view text) {
    std::string mac = lower(trimmed(text));
    std::replace(mac.begin(), mac.end(), '-', ':');
    bool shaped = mac.size() == 17;
    for (std::size_t i = 0; shaped && i < mac.size(); ++i) {
        shaped = i % 3 == 2 ? mac[i] == ':' : std::isxdigit(static_cast<unsigned char>(mac[i])) != 0;
    }
    if (!shaped) {
        throw ValueError{fmt::format("'{}' is no MAC address", text),
                         "six octets in hex, for example 52:54:00:12:34:56"};
    }
    constexpr std::string_view odd_digits =
        "13579bdf";  // bit 0 of the first octet: a group address (IEEE 802)
    if (odd_digits.find(mac[1]) != std::string_view::npos || mac == "00:00:00:00:00:00") {
        throw ValueError{
            fmt::format("'{}' cannot be the address of a NIC", text),
            "the first octet must be even (not a multicast address), for example 52:54:00:12:34:56"};
    }
    return mac;
}

std::string parse_link_name(std::string_view text) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ with its NUL is 16
    std::string name{trimmed(text)};
    const bool shaped = !name.empty() && name.size() <= longest && name != "." && name != ".." &&
                        name.find_first_of("/: \t\n") == std::string::npos;
    if (!shaped) {
        throw ValueError{fmt::format("'{}' cannot be a network link's name", text),
                         "1 to 15 characters without '/', ':' and blanks; `ip link` lists those there are"};
    }
    return name;
}

unsigned parse_mtu(std::string_view text) {
    constexpr std::uint64_t least = 68;
    constexpr std::uint64_t most = 65535;
    return static_cast<unsigned>(in_range(parse_number(text, "bytes, for example 1500"), least, most));
}

unsigned parse_queues(std::string_view text) {
    constexpr std::uint64_t most = 256;
    return static_cast<unsigned>(in_range(parse_number(text, "a count"), 1, most));
}

const std::vector<NicKey>& nic_keys() {
    using Text = std::string_view;
    static const std::vector<NicKey> keys{
        {"mode", "MODE", [](NicSettings& n, Text t) { n.network = parse_network(t); }},
        {"bridge", "BRIDGE", [](NicSettings& n, Text t) { n.bridge = parse_link_name(t); }},
        {"direct-dev", "DIRECT_DEV", [](NicSettings& n, Text t) { n.direct_dev = parse_link_name(t); }},
        {"mac", "MAC", [](NicSettings& n, Text t) { n.mac = parse_mac(t); }},
        {"model", "MODEL", [](NicSettings& n, Text t) { n.model = parse_nic_model(t); }},
        {"mtu", "MTU", [](NicSettings& n, Text t) { n.mtu = parse_mtu(t); }},
        {"boot", "BOOT", [](NicSettings& n, Text t) { n.boot = parse_boolean(t); }},
        {"queues", "QUEUES", [](NicSettings& n, Text t) { n.queues = parse_queues(t); }},
    };
    return keys;
}

void set_nic_key(NicSettings& nic, std::string_view key, std::string_view value) {
    std::vector<std::string> names;
    for (const NicKey& known : nic_keys()) {
        if (known.key == key) {
            known.assign(nic, value);
            return;
        }
        names.emplace_back(known.key);
    }
    throw ValueError{fmt::format("a NIC has no '{}'", key), hint_for_choice(key, names)};
}

NicSettings parse_nic(std::string_view text) {
    NicSettings nic;
    for (const std::string& part : split_list(text)) {
        const std::size_t equals = part.find('=');
        if (equals == std::string::npos) {
            throw ValueError{fmt::format("'{}' is no KEY=VALUE", part), "for example mode=bridge,bridge=br0"};
        }
        set_nic_key(nic, trimmed(std::string_view{part}.substr(0, equals)),
                    std::string_view{part}.substr(equals + 1));
    }
    return nic;
}

std::uint16_t parse_port(std::string_view text) {
    constexpr std::uint64_t last_port = 65535;
    return static_cast<std::uint16_t>(in_range(parse_number(text, "a port is 1 to 65535"), 1, last_port));
}

std::vector<PortForward> parse_port_forwards(std::string_view text) {
    std::vector<PortForward> forwards;
    std::set<std::uint16_t> used;
    for (const std::string& part : split_list(text)) {
        const std::size_t colon = part.find(':');
        if (colon == std::string::npos) {
            throw ValueError{fmt::format("'{}' is no port forward", part),
                             "use HOST:GUEST, for example 8080:80,2222:22"};
        }
        const PortForward forward{parse_port(part.substr(0, colon)), parse_port(part.substr(colon + 1))};
        if (!used.insert(forward.host_port).second) {
            throw ValueError{fmt::format("host port {} is there twice", forward.host_port),
                             "forward each port of the host once"};
        }
        forwards.push_back(forward);
    }
    return forwards;
}

Arch parse_arch(std::string_view text) {
    return choose(text, architectures);
}

AccelChoice parse_accel(std::string_view text) {
    return choose(text, accelerators);
}

Graphics parse_graphics(std::string_view text) {
    constexpr std::array<Choice<Graphics>, 3> kinds{
        {{"none", Graphics::none}, {"vnc", Graphics::vnc}, {"novnc", Graphics::novnc}}};
    return choose(text, kinds);
}

std::uint16_t parse_vnc_port(std::string_view text) {
    constexpr std::uint64_t first = 5900;
    constexpr std::uint64_t last = 65535;
    return static_cast<std::uint16_t>(in_range(parse_number(text, "a TCP port"), first, last));
}

std::string parse_health_stage(std::string_view text) {
    const std::string word = lower(trimmed(text));
    return std::string{boot::name_of(stage_of(word, text))};
}

Amount parse_cpus(std::string_view text) {
    if (const auto share = parse_share(text)) {
        return {{}, share};
    }
    constexpr std::uint64_t most_cpus =
        4096;  // QEMU's largest max_cpus of any machine (hw/i386/pc_q35.c, 9.1)
    return {in_range(parse_number(text, "a count, half or max"), 1, most_cpus), {}};
}

Amount parse_memory(std::string_view text) {
    if (const auto share = parse_share(text)) {
        return {{}, share};
    }
    constexpr std::string_view hint = "MiB, or a size with M, G or T, half or max; for example 2G";
    constexpr std::uint64_t least_mib = 16;
    constexpr std::uint64_t most_mib = std::uint64_t{1} << 24;  // 16 TiB
    return {in_range(parse_size(text, 20, hint) >> 20, least_mib, most_mib), {}};
}

std::uint64_t parse_disk_size(std::string_view text) {
    constexpr std::uint64_t sector = 512;
    const std::uint64_t bytes = parse_size(text, 30, "a size with M, G or T; for example 20G");
    return in_range(bytes, sector, std::uint64_t{1} << 50) / sector * sector;
}

PxeClient parse_pxe_client(std::string_view text) {
    return choose(text, pxe_clients);
}

std::vector<std::pair<std::string, std::string>> parse_smbios(std::string_view text) {
    const std::vector<std::string> known{"serial",  "asset", "manufacturer", "product",
                                         "version", "sku",   "family"};
    std::vector<std::pair<std::string, std::string>> fields;
    for (const std::string& part : split_list(text)) {
        const std::size_t equals = std::min(part.find('='), part.size());
        const std::string key{trimmed(std::string_view{part}.substr(0, equals))};
        if (equals == part.size()) {
            throw ValueError{fmt::format("'{}' is no FIELD=VALUE", part), "for example serial=S1,asset=A1"};
        }
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            throw ValueError{fmt::format("SMBIOS has no '{}' here", key), hint_for_choice(key, known)};
        }
        if (std::any_of(fields.begin(), fields.end(),
                        [&](const auto& field) { return field.first == key; })) {
            throw ValueError{fmt::format("'{}' is there twice", key), "name each field once"};
        }
        fields.emplace_back(key, part.substr(equals + 1));
    }
    return fields;
}

DiskBus parse_disk_bus(std::string_view text) {
    return choose(text, disk_buses);
}

DiskCache parse_disk_cache(std::string_view text) {
    return choose(text, disk_caches);
}

OnIoError parse_on_io_error(std::string_view text) {
    return choose(text, io_error_actions);
}

std::string parse_disk_format(std::string_view text) {
    return std::string{choose(text, disk_formats)};
}

std::chrono::seconds parse_seconds(std::string_view text) {
    constexpr std::uint64_t longest = std::uint64_t{7} * 24 * 3600;
    const std::string_view digits = trimmed(text);
    const std::string_view number = digits.ends_with('s') ? digits.substr(0, digits.size() - 1) : digits;
    return std::chrono::seconds{in_range(parse_number(number, "whole seconds"), 0, longest)};
}

Until parse_until(std::string_view text) {
    constexpr std::string_view console = "console:";
    const std::string_view word = trimmed(text);
    if (word.starts_with(console)) {
        const std::string pattern{word.substr(console.size())};
        const auto compiled = Pattern::compile(pattern);
        if (const auto* wrong = std::get_if<std::string>(&compiled)) {
            throw ValueError{fmt::format("'{}' is no regular expression: {}", pattern, *wrong),
                             "RE2's syntax (no look-around, no back-references); \\ before . [ ] ( ) * + ? { "
                             "} ^ $ | takes "
                             "them as they are"};
        }
        if (pattern.empty()) {
            throw ValueError{"the regular expression is empty", "for example: console:login:"};
        }
        return {std::nullopt, pattern, std::string{word}};
    }
    return {stage_of(word, text), "", std::string{word}};
}

unsigned parse_reboot_limit(std::string_view text) {
    constexpr std::uint64_t most = 1000;
    return static_cast<unsigned>(
        in_range(parse_number(trimmed(text), "a count of reboots; 0: any number"), 0, most));
}

std::vector<std::filesystem::path> parse_reports(std::string_view text) {
    std::vector<std::filesystem::path> paths;
    for (const std::string& part : split_list(text)) {
        const std::filesystem::path path{part};
        if (path.extension() != ".json" && path.extension() != ".html") {
            throw ValueError{fmt::format("'{}' does not say what kind of report", part),
                             "end the name with .json or .html"};
        }
        paths.push_back(path);
    }
    return paths;
}

std::string parse_name(std::string_view text) {
    constexpr std::size_t longest_label = 63;
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    };
    std::string name{trimmed(text)};
    if (name.empty() || name.size() > longest_label || !std::all_of(name.begin(), name.end(), allowed) ||
        std::isalnum(static_cast<unsigned char>(name.front())) == 0) {
        throw ValueError{fmt::format("'{}' cannot be a VM's name", text),
                         "letters, digits, '.', '_' and '-', up to 63 characters, a letter or digit first"};
    }
    return name;
}

LogLevel parse_log_level(std::string_view text) {
    return choose(text, log_levels);
}

LogFormat parse_log_format(std::string_view text) {
    return choose(text, log_formats);
}

std::vector<std::string> parse_shell_words(std::string_view text) {
    return ShellWords{}.split(text);
}

std::string parse_text(std::string_view text) {
    if (trimmed(text).empty()) {
        throw ValueError{"the value is empty", "give a value or leave the setting out"};
    }
    if (text.find('\0') != std::string_view::npos) {
        throw ValueError{"the value holds a NUL byte", "give a value without it"};
    }
    return std::string{text};
}

std::string_view to_string(BootDevice device) {
    return name_of(device, boot_devices);
}

std::string_view to_string(FirmwareMode mode) {
    return name_of(mode, firmware_modes);
}

std::string_view to_string(DiskBus bus) {
    return name_of(bus, disk_buses);
}

std::string to_string(const std::vector<BootDevice>& order) {
    std::vector<std::string_view> names;
    names.reserve(order.size());
    for (const BootDevice device : order) {
        names.push_back(to_string(device));
    }
    return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace vml
