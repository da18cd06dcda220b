#include "launcher/host/host.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "control/folder.h"
#include "launcher/host/asked_program.h"
#include "launcher/host/boot_programs.h"
#include "launcher/host/data_files.h"
#include "launcher/host/file_head.h"
#include "launcher/host/firmware_files.h"
#include "launcher/host/image_chain.h"
#include "launcher/host/image_look.h"
#include "launcher/host/image_probe.h"
#include "launcher/host/kvm_probe.h"
#include "launcher/host/netboot_look.h"
#include "launcher/host/ports.h"
#include "launcher/host/rom_files.h"
#include "launcher/host/system_facts.h"
#include "launcher/host/user_data_file.h"
#include "launcher/process/landlock.h"
#include "launcher/process/run_user.h"
#include "launcher/settings/disk_options.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/user_data.h"
#include "netsetup/capture.h"
#include "netsetup/segment.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

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
    const int of_bootfile = errors.back() == ENOENT ? 0 : errors.back();  // which is told otherwise
    facts.netboot->folder.user_error = errors.front() != 0 ? errors.front() : of_bootfile;
}

std::vector<std::string> bridges_of(const Settings& settings) {
    std::vector<std::string> names;
    for (const NicSettings& nic : settings.nics) {
        if (nic.network == NetworkMode::bridge && nic.bridge &&
            std::find(names.begin(), names.end(), *nic.bridge) == names.end()) {
            names.push_back(*nic.bridge);
        }
    }
    return names;
}

void look_at_network(const Settings& settings, Moment moment, HostFacts& facts) {
    if (needs_links(settings)) {
        facts.network = net::host_network_facts();
        facts.network->in_container = facts.in_container;
        if (moment == Moment::counts) {
            facts.network->forwarding = net::forwarding_of(bridges_of(settings), facts.network->links);
        }
        facts.vhost_error = vhost_open_error();
        facts.capture_error = net::capture_obstacle();
    }
}

// It is made to find out, and gone at once.
void look_at_segments(const Settings& settings, HostFacts& facts) {
    if (std::any_of(settings.nics.begin(), settings.nics.end(),
                    [](const NicSettings& nic) { return nic.network == NetworkMode::isolated; })) {
        facts.segment_fault = net::segment_obstacle();
    }
}

void look_at_user_data(const Settings& settings, HostFacts& facts) {
    if (settings.user_data) {
        facts.user_data = look_at(*settings.user_data, O_RDONLY);
        UserDataFile file = read_user_data(*settings.user_data);
        facts.user_data_text = std::move(file.text);
        facts.user_data_fault = std::move(file.fault);
    }
}

// "~/.ssh/id_ed25519.pub": no shell has spelled the home folder out where a variable names it.
void look_at_ssh_key(const Settings& settings, const std::string& home, HostFacts& facts) {
    if (!settings.ssh_public_key || !names_key_file(*settings.ssh_public_key)) {
        return;
    }
    std::string path{trimmed(*settings.ssh_public_key)};
    if (path.starts_with("~/")) {
        path.replace(0, 1, home);
    }
    FileText file{path, 0, ""};
    if (std::optional<std::string> text = read_file(path)) {
        file.text = *std::move(text);
    } else {
        file.error = errno;
    }
    facts.ssh_key_file = std::move(file);
}

void look_at_disks(const Settings& settings, const std::string& search_path, HostFacts& facts) {
    const auto probe = [&](const fs::path& path) {
        return probe_image(find_program("qemu-img", search_path), path,
                           facts.run_user.can_change ? facts.run_user.user : std::nullopt);
    };
    for (const fs::path& path : settings.disks) {
        const std::optional<std::string> stated = stated_format(settings, facts.disks.size());
        DiskFacts disk{look_at(path, O_RDWR), std::nullopt};
        if (disk.path.kind == PathFacts::Kind::file && disk.path.open_error == 0) {
            disk.content = content_of(path);
            if (!stated || *stated == "vmdk") {
                disk.image = probe(path);
            } else if (*stated == "qcow2") {
                follow_names(path, probe, disk);
            }
        }
        facts.disks.push_back(std::move(disk));
    }
}

void look_at_amounts(HostFacts& facts) {
    facts.cpus = usable_cpus();
    facts.memory_limit_mib = memory_limit_mib();
    const std::uint64_t host = host_memory_mib();
    facts.memory_mib = std::min(host, facts.memory_limit_mib.value_or(host));
}

// Of characters that are not taken for each other.
std::string fresh_password(std::size_t length) {
    constexpr std::string_view characters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    std::random_device source;
    std::uniform_int_distribution<std::size_t> any{0, characters.size() - 1};
    std::string password(length, ' ');
    std::generate(password.begin(), password.end(), [&] { return characters[any(source)]; });
    return password;
}

void look_at_secrets(const Settings& settings, Moment moment, HostFacts& facts) {
    constexpr std::size_t most_of_vnc = 8;  // RFC 6143, 7.2.2
    constexpr std::size_t of_guest = 14;
    facts.fresh_password = settings.graphics == Graphics::none ? "" : fresh_password(most_of_vnc);
    facts.fresh_guest_password =
        settings.guest_password && moment == Moment::counts ? fresh_password(of_guest) : "";
}

// By what a VM is told from others.
void look_at_identity(HostFacts& facts) {
    facts.default_name = default_name();
    facts.random_name = has_random_name();
    facts.machine_id = machine_id();
}

void look_at_iso(const Settings& settings, HostFacts& facts) {
    if (settings.iso) {
        facts.iso = look_at(*settings.iso, O_RDONLY);
        facts.iso_content = content_of(*settings.iso);
    }
}

// The C library's own search would load modules, which a program that is linked statically cannot.
std::string user_in_other_sources(const std::string& key) {
    try {
        return answer_of({"/usr/bin/getent", {"passwd", "--", key}});
    } catch (const Error&) {
        return "";
    }
}

// Who only asks gets the user that the VM will have if it is free.
void look_at_user(const Settings& settings, const std::optional<RunUser>& own, HostFacts& facts) {
    const bool will_have = !own && !settings.run_as && may_have_own_user();
    facts.run_user = look_for_run_user(
        settings.run_as, will_have ? std::optional{own_user(preferred_uid(settings.name.value_or("")))} : own,
        user_in_other_sources);
    ask_for_user(settings, facts);
}

void look_at_others(const Settings& settings, const std::string& runtime_dir, HostFacts& facts) {
    facts.port_obstacles = look_at_ports(settings, facts);
    if (settings.memory_mib.number) {
        facts.memory_error = memory_obstacle(*settings.memory_mib.number);
    }
    for (const control::Address& vm : control::running_in(control::folders_of(::geteuid(), runtime_dir))) {
        facts.running_vms.push_back(vm.name);
    }
}

std::optional<FirmwareFileFacts> look_at_firmware_file(const std::optional<fs::path>& file) {
    if (!file) {
        return std::nullopt;
    }
    std::error_code none;
    const std::uintmax_t size = fs::file_size(*file, none);
    return FirmwareFileFacts{look_at(*file, O_RDONLY), none ? 0 : size};
}

void look_at_uefi(const Settings& settings, const std::string& config_home, HostFacts& facts) {
    const Arch arch = arch_of(settings, facts.arch);
    facts.uefi = own_uefi(settings, arch, facts.working_folder);
    if (facts.uefi.empty()) {
        facts.uefi = installed(read_firmware_descriptors(firmware_folders(config_home)));
    }
    const auto chosen = choose_firmware(facts.uefi, firmware_of(settings, arch) == FirmwareMode::secure, arch,
                                        machine_of(settings, arch));
    facts.nvram_template = chosen ? look_at_template(*chosen) : std::nullopt;
}

// Where blank disks are made (start/opener.cpp): in the data folder, or as files without a name.
void look_at_room(const Settings& settings, HostFacts& facts) {
    const auto is_share = [](const Amount& size) { return size.share.has_value(); };
    if (!is_share(settings.disk_size) &&
        std::none_of(settings.extra_disks.begin(), settings.extra_disks.end(), is_share)) {
        return;
    }
    const bool kept = facts.data && settings.persist.value_or(true);
    std::error_code none;
    const fs::space_info room = fs::space(kept ? facts.data->folder : "/var/tmp", none);
    facts.disk_room = none ? 0 : room.available;
}

}  // namespace

HostFacts look(const Settings& settings, const Environment& environment, Moment moment,
               const std::optional<RunUser>& own) {
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
    facts.landlock_abi = landlock_abi();
    look_at_amounts(facts);
    facts.in_container = in_container();
    look_at_identity(facts);
    if (needs_rom(settings, firmware)) {
        facts.roms = load_candidates(settings, firmware, arch);
    }
    facts.firmware_code = look_at_firmware_file(settings.firmware_code);
    facts.firmware_vars = look_at_firmware_file(settings.firmware_vars);
    if (firmware != FirmwareMode::legacy) {
        look_at_uefi(settings, value_of(environment, "XDG_CONFIG_HOME"), facts);
    }
    look_at_netboot(settings, facts);
    look_at_user(settings, own, facts);
    facts.boot_programs = boot_programs(settings, firmware, arch, facts.run_user.user);
    if (moment == Moment::counts) {
        look_at_others(settings, value_of(environment, "XDG_RUNTIME_DIR"), facts);
        look_at_segments(settings, facts);
    }
    look_at_network(settings, moment, facts);
    if (firmware != FirmwareMode::legacy && settings.ipxe) {
        facts.ipxe_programs = efi_programs(settings, arch);
    }
    if (wants_tpm(settings, firmware)) {
        facts.swtpm = find_program("swtpm", value_of(environment, "PATH"));
    }
    look_at_user_data(settings, facts);
    look_at_secrets(settings, moment, facts);
    look_at_ssh_key(settings, value_of(environment, "HOME"), facts);
    look_at_disks(settings, value_of(environment, "PATH"), facts);
    facts.data =
        look_for_data(settings, {facts.random_name ? lasting_name : facts.default_name, facts.random_name});
    look_at_room(settings, facts);
    look_at_iso(settings, facts);
    return facts;
}

}  // namespace vml
