#include "launcher/host/kvm_probe.h"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "base/fd.h"

namespace vml {

namespace {

KvmFacts unusable(std::string why_not, std::string hint) {
    return {false, std::move(why_not), std::move(hint)};
}

KvmFacts not_opened(int error_number) {
    std::string why_not = fmt::format("/dev/kvm cannot be opened: {}", errno_text(error_number));
    switch (error_number) {
        case ENOENT:
            return unusable(std::move(why_not),
                            "load the kvm module, or give the container --device /dev/kvm");
        case EACCES:
        case EPERM:
            return unusable(std::move(why_not),
                            "add the user to the kvm group, or give the container --device /dev/kvm");
        default:
            return unusable(std::move(why_not), "switch virtualisation on in the host's firmware");
    }
}

#if defined(__x86_64__)
constexpr bool is_x86 = true;
#else
constexpr bool is_x86 = false;
#endif

// The first "flags" line is enough: all CPUs of a host are alike in this.
std::string read_cpuinfo() {
    std::ifstream stream{"/proc/cpuinfo"};
    std::string line;
    while (std::getline(stream, line)) {
        if (line.starts_with("flags")) {
            return line;
        }
    }
    return {};
}

}  // namespace

bool cpu_shows_virtualisation(std::string_view cpuinfo) {
    const std::string padded = fmt::format(" {} ", cpuinfo.substr(0, cpuinfo.find('\n')));
    return padded.find(" vmx ") != std::string::npos || padded.find(" svm ") != std::string::npos;
}

KvmFacts probe_kvm() {
    const OwnedFd device{::open("/dev/kvm", O_RDWR | O_CLOEXEC)};
    if (!device) {
        return not_opened(errno);
    }
    constexpr int stable_api = 12;
    if (const int version = ::ioctl(device.get(), KVM_GET_API_VERSION, 0); version != stable_api) {
        return unusable(fmt::format("/dev/kvm speaks API version {}, not 12", version), "");
    }
    if (is_x86 && !cpu_shows_virtualisation(read_cpuinfo())) {
        return unusable(
            "the CPU shows neither vmx nor svm: such a nested KVM starts and then dies in firmware",
            "switch nested virtualisation on in the outer host");
    }
    const OwnedFd vm{::ioctl(device.get(), KVM_CREATE_VM, 0)};
    if (!vm) {
        return unusable(fmt::format("/dev/kvm cannot create a VM: {}", errno_text(errno)), "");
    }
    return {true, {}, {}};
}

}  // namespace vml
