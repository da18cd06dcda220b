#include "launcher/host/host.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <variant>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "launcher/host/firmware_files.h"
#include "launcher/host/image_probe.h"
#include "launcher/host/kvm_probe.h"
#include "launcher/host/link_search.h"
#include "launcher/host/script_facts.h"
#include "launcher/process/run_user.h"
#include "launcher/settings/machine_options.h"
#include "launcher/vm/boot_sources.h"
#include "netserve/folder.h"
#include "netsetup/capture.h"
#include "rom/efi_program.h"
#include "rom/match.h"
#include "rom/rom_file.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// More than any cloud's limit for user data.
constexpr std::size_t longest_user_data = std::size_t{4} << 20;

Arch host_arch() {
#if defined(__aarch64__)
    return Arch::aarch64;
#else
    return Arch::x86_64;
#endif
}

std::string value_of(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
}

std::optional<fs::path> find_program(const std::string& name, const std::string& search_path) {
    std::istringstream folders{search_path.empty() ? "/usr/local/bin:/usr/bin:/bin" : search_path};
    std::string folder;
    while (std::getline(folders, folder, ':')) {
        const fs::path candidate = fs::path{folder} / name;
        std::error_code ignored;
        if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0 &&
            fs::is_regular_file(candidate, ignored)) {
            return fs::absolute(candidate);
        }
    }
    return std::nullopt;
}

PathFacts::Kind kind_of(mode_t mode) {
    if (S_ISDIR(mode)) {
        return PathFacts::Kind::folder;
    }
    // A block device is as good a disk as a file.
    return S_ISREG(mode) || S_ISBLK(mode) ? PathFacts::Kind::file : PathFacts::Kind::other;
}

PathFacts look_at(const fs::path& path, int flags) {
    PathFacts facts;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        facts.open_error = errno;
        return facts;
    }
    facts.kind = kind_of(status.st_mode);
    const OwnedFd fd{::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK)};
    facts.open_error = fd ? 0 : errno;
    return facts;
}

bool is_url(const std::string& name) {
    return name.find("://") != std::string::npos;
}

std::string head_of(const fs::path& path, std::size_t size) {
    std::ifstream stream{path, std::ios::binary};
    std::string head(size, '\0');
    stream.read(head.data(), static_cast<std::streamsize>(size));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    return head;
}

// vm-launch serves without the privileges that it starts with, so root is nobody special.
int plain_read_obstacle(const fs::path& path, mode_t needed) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return errno;
    }
    const mode_t own = status.st_uid == ::geteuid() ? needed << 6U : needed;
    return (status.st_mode & own) == own ? 0 : EACCES;
}

int http_obstacle(const fs::path& folder, const fs::path& script) {
    constexpr mode_t list_and_enter = S_IROTH | S_IXOTH;
    if (const int error = serve::folder_obstacle(folder.string()); error != 0) {
        return error;
    }
    const int error = plain_read_obstacle(folder, list_and_enter);
    return error != 0 ? error : plain_read_obstacle(script, S_IROTH);
}

// The file that DHCP is to name, in the folder.
std::string netboot_file(const std::optional<std::string>& bootfile) {
    return fs::path{bootfile.value_or("boot.ipxe")}.relative_path().string();
}

// What the script is, and what it fetches, in the folder.
std::vector<std::string> names_of(const std::optional<ScriptFacts>& script) {
    std::vector<std::string> names;
    if (script) {
        names.push_back(script->name);
        for (const ScriptFacts::File& file : script->files) {
            names.push_back(file.name);
        }
    }
    return names;
}

NetbootFacts look_at_netboot(const fs::path& folder, const std::optional<std::string>& bootfile) {
    NetbootFacts facts;
    constexpr std::string_view magic = "#!ipxe";
    if (!bootfile || !is_url(*bootfile)) {
        const fs::path script = folder / netboot_file(bootfile);
        facts.script = head_of(script, magic.size()) == magic;
        facts.http_error = facts.script ? http_obstacle(folder, script) : 0;
        facts.read = read_netboot_script(folder, netboot_file(bootfile));
        facts.outside_links = outside_links(folder, names_of(facts.read));
    }
    facts.folder = look_at(folder, O_RDONLY);
    facts.has_boot_ipxe = look_at(folder / "boot.ipxe", O_RDONLY).kind == PathFacts::Kind::file;
    if (bootfile && !is_url(*bootfile)) {
        facts.bootfile = look_at(folder / fs::path{*bootfile}.relative_path(), O_RDONLY);
    }
    return facts;
}

RomCandidate load_candidate(const fs::path& path) {
    try {
        rom::RomFile file = rom::read_rom_file(path);
        return {path, std::move(file.rom), std::nullopt, std::move(file.bytes)};
    } catch (const Error& error) {
        return {path, std::nullopt, error.faults().front()};
    }
}

bool boots_ipxe(const RomCandidate& candidate, const rom::Target& target) {
    if (!candidate.rom) {
        return false;
    }
    const auto verdict = rom::match(*candidate.rom, target);
    const auto* fit = std::get_if<rom::Fit>(&verdict);
    return fit != nullptr && !rom::driver_alone(*candidate.rom, fit->image_index);
}

// Up to the first that fits: the others would only be read to be passed over.
std::vector<RomCandidate> bundled_candidates(const NicSettings& nic, FirmwareMode firmware, Arch arch) {
    const rom::NicModel* model = rom::find_nic_model(nic.model);
    const rom::Firmware kind = firmware != FirmwareMode::legacy ? rom::Firmware::uefi : rom::Firmware::bios;
    std::vector<RomCandidate> candidates;
    for (const fs::path& folder : rom::rom_folders()) {
        for (const std::string& file : rom::candidate_files(*model, kind)) {
            const auto is_here = [&](const RomCandidate& candidate) {  // a folder may be a link to another
                std::error_code ignored;
                return fs::equivalent(candidate.path, folder / file, ignored);
            };
            std::error_code ignored;
            if (fs::exists(folder / file, ignored) &&
                std::none_of(candidates.begin(), candidates.end(), is_here)) {
                candidates.push_back(load_candidate(folder / file));
                if (boots_ipxe(candidates.back(), {kind, arch, model->ids, false})) {
                    return candidates;
                }
            }
        }
    }
    return candidates;
}

// A ROM of the user's own is the first bootable NIC's alone; another NIC takes it where it fits.
std::vector<std::vector<RomCandidate>> load_candidates(const Settings& settings, FirmwareMode firmware,
                                                       Arch arch) {
    std::vector<std::vector<RomCandidate>> all;
    bool first = true;
    for (std::size_t i = 0; i < settings.nics.size(); ++i) {
        std::vector<RomCandidate> candidates;
        if (takes_part_in_boot(settings.nics[i], i)) {
            if (settings.ipxe_rom) {
                candidates.push_back(load_candidate(*settings.ipxe_rom));
            }
            if (!settings.ipxe_rom || !first) {
                auto bundled = bundled_candidates(settings.nics[i], firmware, arch);
                std::move(bundled.begin(), bundled.end(), std::back_inserter(candidates));
            }
            first = false;
        }
        all.push_back(std::move(candidates));
    }
    return all;
}

int vhost_open_error() {
    const OwnedFd fd{::open("/dev/vhost-net", O_RDWR | O_CLOEXEC)};
    return fd ? 0 : errno;
}

// The folder of the built-in TFTP is the one thing that QEMU opens by name while the guest runs, with its own
// rights.
void ask_for_user(const Settings& settings, HostFacts& facts) {
    if (!facts.netboot || !facts.run_user.user) {
        return;
    }
    const fs::path& folder = *settings.netboot_dir;
    std::vector<AccessQuestion> questions{{folder, O_RDONLY}};
    if (facts.netboot->bootfile) {
        questions.push_back({folder / fs::path{*settings.bootfile}.relative_path(), O_RDONLY});
    } else if (facts.netboot->has_boot_ipxe) {
        questions.push_back({folder / "boot.ipxe", O_RDONLY});
    }
    const std::vector<int> errors = open_errors_as(*facts.run_user.user, questions);
    facts.netboot->folder.user_error = errors.front() != 0 ? errors.front() : errors.back();
}

// iPXE's EFI program as distributions ship it: Debian 13's package ipxe, Debian 12's (which has none for
// 64-bit ARM; a link to /boot), Fedora's ipxe-bootimgs.
std::vector<fs::path> program_places(Arch arch) {
    if (arch == Arch::aarch64) {
        return {"/usr/lib/ipxe/ipxe-arm64.efi", "/usr/share/ipxe/arm64-efi/ipxe.efi"};
    }
    return {"/usr/lib/ipxe/ipxe-amd64.efi", "/usr/lib/ipxe/ipxe.efi", "/usr/share/ipxe/ipxe-x86_64.efi"};
}

// The program that the user names in place of a ROM, else the distribution's.
std::vector<EfiProgram> efi_programs(const Settings& settings, Arch arch) {
    const std::vector<fs::path> paths =
        settings.ipxe_rom ? std::vector{*settings.ipxe_rom} : program_places(arch);
    std::vector<EfiProgram> programs;
    for (const fs::path& path : paths) {
        if (const auto head = rom::efi_program_head(head_of(path, rom::efi_head_size))) {
            const bool own_nic = settings.ipxe_rom && rom::needs_network(head_of(path, rom::longest_ipxe));
            programs.push_back({path, head->arch, head->is_signed, own_nic});
        }
    }
    return programs;
}

void look_at_disks(const Settings& settings, const std::string& search_path, HostFacts& facts) {
    for (const fs::path& path : settings.disks) {
        DiskFacts disk{look_at(path, O_RDWR), std::nullopt};
        if (disk.path.kind == PathFacts::Kind::file && disk.path.open_error == 0 && !settings.disk_format) {
            disk.image = probe_image(find_program("qemu-img", search_path), path,
                                     facts.run_user.can_change ? facts.run_user.user : std::nullopt);
        }
        facts.disks.push_back(std::move(disk));
    }
}

// The mount points are the fifth words of /proc/self/mountinfo's lines (proc(5)).
bool is_mount_point(std::string_view folder) {
    std::ifstream mounts{"/proc/self/mountinfo"};
    std::string line;
    while (std::getline(mounts, line)) {
        std::istringstream words{line};
        std::string word;
        for (int i = 0; i < 5; ++i) {
            words >> word;
        }
        if (word == folder) {
            return true;
        }
    }
    return false;
}

std::optional<DataFacts> look_for_data(const Settings& settings, const std::string& default_name) {
    constexpr const char* usual_folder = "/data";
    if (!settings.data_dir && !is_mount_point(usual_folder)) {
        return std::nullopt;
    }
    DataFacts data;
    data.folder = settings.data_dir.value_or(usual_folder);
    data.path = look_at(data.folder, O_RDONLY);
    std::error_code ignored;
    data.first_boot_done =
        fs::exists(data.folder / settings.name.value_or(default_name) / first_boot_mark, ignored);
    return data;
}

// The number after a key of /proc/meminfo, in kB there.
std::uint64_t meminfo_mib(std::string_view key) {
    std::ifstream stream{"/proc/meminfo"};
    std::string word;
    while (stream >> word) {
        if (word == key) {
            std::uint64_t kib = 0;
            stream >> kib;
            return kib >> 10;
        }
    }
    return 0;
}

// A container's limit (cgroup 2, then 1); without one, nothing.
std::uint64_t memory_limit_mib() {
    for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        std::ifstream stream{file};
        std::uint64_t bytes = 0;
        if (stream >> bytes) {
            return bytes >> 20;
        }
    }
    return std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    return static_cast<std::uint64_t>(CPU_COUNT(&set));
}

bool in_container() {
    return ::getpid() == 1 || ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0;
}

std::string default_name() {
    std::array<char, 256> host{};
    if (!in_container() || ::gethostname(host.data(), host.size() - 1) != 0) {
        return "vm";
    }
    try {
        return parse_name(host.data());
    } catch (const ValueError&) {
        return "vm";
    }
}

}  // namespace

HostFacts look(const Settings& settings, const Environment& environment) {
    HostFacts facts;
    std::error_code gone;  // then nothing relative is there
    facts.working_folder = fs::current_path(gone);
    facts.arch = host_arch();
    const Arch arch = arch_of(settings, facts.arch);
    const FirmwareMode firmware = firmware_of(settings, arch);
    facts.qemu_program = fmt::format("qemu-system-{}", to_string(arch));
    facts.qemu = find_program(facts.qemu_program, value_of(environment, "PATH"));
    if (settings.accel != AccelChoice::tcg || settings.require_kvm) {
        facts.kvm = probe_kvm();
    }
    facts.cpus = usable_cpus();
    facts.memory_mib = std::min(meminfo_mib("MemTotal:"), memory_limit_mib());
    facts.in_container = in_container();
    facts.default_name = default_name();
    if (needs_rom(settings, firmware)) {
        facts.roms = load_candidates(settings, firmware, arch);
    }
    if (firmware != FirmwareMode::legacy) {
        facts.uefi =
            installed(read_firmware_descriptors(firmware_folders(value_of(environment, "XDG_CONFIG_HOME"))));
    }
    if (settings.netboot_dir) {
        facts.netboot = look_at_netboot(*settings.netboot_dir, settings.bootfile);
        if (facts.netboot->read && !facts.roms.empty() && !facts.roms.front().empty()) {
            facts.netboot->read->ipxe = ipxe_build_of(facts.roms.front().front().path);
        }
    }
    facts.run_user = look_for_run_user(settings.run_as);
    ask_for_user(settings, facts);
    if (needs_links(settings)) {
        facts.network = net::host_network_facts();
        facts.vhost_error = vhost_open_error();
        facts.capture_error = net::capture_obstacle();
    }
    if (firmware != FirmwareMode::legacy && settings.ipxe) {
        facts.ipxe_programs = efi_programs(settings, arch);
    }
    if (wants_tpm(settings, firmware)) {
        facts.swtpm = find_program("swtpm", value_of(environment, "PATH"));
    }
    if (settings.user_data) {
        facts.user_data = look_at(*settings.user_data, O_RDONLY);
        facts.user_data_text = head_of(*settings.user_data, longest_user_data);
    }
    look_at_disks(settings, value_of(environment, "PATH"), facts);
    facts.data = look_for_data(settings, facts.default_name);
    if (settings.iso) {
        facts.iso = look_at(*settings.iso, O_RDONLY);
    }
    return facts;
}

}  // namespace vml
