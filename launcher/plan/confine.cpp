#include "launcher/plan/confine.h"

#include <algorithm>
#include <variant>

namespace vml {

namespace {

// Distributions' places for programs and libraries; and the program's own, for one that was built by hand:
// `bin` and what lies beside it.
std::vector<Reach> programs(const std::filesystem::path& program) {
    std::vector<Reach> files;
    for (const char* folder : {"/usr", "/lib", "/lib64", "/nix/store", "/gnu/store"}) {
        files.push_back({folder, FileUse::run});
    }
    const std::filesystem::path own = program.parent_path();
    const bool in_bin = own.filename() == "bin" && own.parent_path().has_relative_path();
    files.push_back({in_bin ? own.parent_path() : own, FileUse::run});
    files.push_back({"/etc/ld.so.cache"});
    files.push_back({"/dev/null", FileUse::device});
    files.push_back({"/dev/urandom"});
    files.push_back({"/dev/random"});
    return files;
}

// A guest in user mode connects to wherever it wants, as QEMU.
bool is_in_user_mode(const VmSpec& spec) {
    return std::any_of(spec.nics.begin(), spec.nics.end(),
                       [](const NicSpec& nic) { return std::holds_alternative<Nat>(nic.net); });
}

}  // namespace

Confinement confinement_of_qemu(const VmSpec& spec) {
    Confinement confinement{.files = programs(spec.qemu), .reopens = false, .tcp_ports = std::nullopt};
    for (const char* file :
         {"/sys/devices/system", "/sys/bus/nd", "/sys/kernel/mm", "/etc/localtime", "/etc/resolv.conf"}) {
        confinement.files.push_back({file});
    }
    if (spec.accelerator == Accelerator::kvm) {
        confinement.files.push_back({"/dev/kvm", FileUse::device});
        confinement.files.push_back({"/sys/module"});
    }
    for (const NicSpec& nic : spec.nics) {
        if (nic.netboot.tftp) {
            confinement.files.push_back({*nic.netboot.tftp});
            for (const std::filesystem::path& target : nic.netboot.linked) {
                confinement.files.push_back({target});
            }
        }
    }
    if (is_in_user_mode(spec)) {
        // A rule holds for the file that was there at the start. These services put another one in its place
        // when the host's name servers change, and /etc/resolv.conf is a link into their folders.
        for (const char* folder : {"/run/systemd/resolve", "/run/resolvconf"}) {
            confinement.files.push_back({folder});
        }
    } else {
        confinement.tcp_ports.emplace();
        if (spec.vnc) {
            confinement.tcp_ports->push_back(spec.vnc->port);
        }
    }
    return confinement;
}

Confinement confinement_of_swtpm(const TpmSpec& tpm) {
    Confinement confinement{programs(tpm.program), true, std::vector<std::uint16_t>{}};
    confinement.files.push_back({"/etc/ssl"});
    return confinement;
}

}  // namespace vml
