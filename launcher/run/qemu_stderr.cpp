#include "launcher/run/qemu_stderr.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/start/files.h"

namespace vml {

namespace {

constexpr std::string_view lock_refused = R"(Failed to get "write" lock)";
constexpr std::string_view shared_lock_refused = R"(Failed to get shared "write" lock)";
constexpr std::string_view descriptor_set = "/dev/fdset/";

bool speaks_of_a_lock(const std::string& line) {
    return line.find(lock_refused) != std::string::npos ||
           line.find(shared_lock_refused) != std::string::npos;
}

// The file behind "[/dev/fdset/103]" or "filename=/dev/fdset/103".
std::optional<std::filesystem::path> file_in(const std::string& line,
                                             const std::vector<NamedDescriptor>& files) {
    const std::size_t at = line.find(descriptor_set);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const auto number = leading_number<int>(std::string_view{line}.substr(at + descriptor_set.size()));
    const auto found =
        std::find_if(files.begin(), files.end(), [number](const auto& file) { return file.first == number; });
    return found == files.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Fault> explain_lock(const std::vector<std::string>& lines,
                                  const std::vector<NamedDescriptor>& files) {
    if (std::none_of(lines.begin(), lines.end(), speaks_of_a_lock)) {
        return std::nullopt;
    }
    for (const std::string& line : lines) {
        if (const auto file = file_in(line, files)) {
            return image_in_use(file->string(), ExitCode::qemu);
        }
    }
    return std::nullopt;
}

// What stands between `before` and the next `after`; empty where they are not there.
std::string_view between(std::string_view line, std::string_view before, std::string_view after) {
    const std::size_t at = line.find(before);
    if (at == std::string_view::npos) {
        return {};
    }
    line.remove_prefix(at + before.size());
    return line.substr(0, std::min(line.find(after), line.size()));
}

Fault cannot_listen(std::string_view what, std::string_view words, std::string_view setting) {
    return {fmt::format("QEMU cannot listen on {}", what), std::string{words},
            fmt::format(
                "start again if somebody took it only just now, or take another port of the host ({}); `ss "
                "-lntup` shows who has it",
                setting),
            ExitCode::qemu};
}

// "tcp:127.0.0.1:8080-:80", of net/slirp.c (slirp_hostfwd); newer ones add the reason.
std::optional<Fault> explain_forward(const std::string& line) {
    constexpr std::string_view words = "Could not set up host forwarding rule '";
    const std::string_view rule = between(line, words, "'");
    const std::string_view host = rule.substr(0, rule.find('-'));
    const std::size_t first = host.find(':');
    const std::size_t last = host.rfind(':');
    if (first == std::string_view::npos || last == first) {
        return std::nullopt;
    }
    const std::string_view address = host.substr(first + 1, last - first - 1);
    return cannot_listen(
        fmt::format("{} port {} of {}", host.substr(0, first), host.substr(last + 1), address),
        line.substr(line.find(words)), "--port-forward, --ssh-port");
}

// "-vnc 127.0.0.1:1: Failed to find an available port: Address already in use", of ui/vnc.c; the display
// counts from port 5900.
std::optional<Fault> explain_screen(const std::string& line) {
    constexpr std::uint32_t first_port = 5900;
    const std::size_t words = line.find("Failed to ");
    const std::string_view option = between(line, " -vnc ", ": ");
    const std::size_t colon = option.rfind(':');
    const auto display = colon == std::string_view::npos
                             ? std::nullopt
                             : leading_number<std::uint32_t>(option.substr(colon + 1));
    if (!display || words == std::string::npos || line.find("Address already in use") == std::string::npos) {
        return std::nullopt;
    }
    return cannot_listen(fmt::format("tcp port {} of {}", first_port + *display, option.substr(0, colon)),
                         line.substr(words), "--vnc-port");
}

// target/i386/cpu.c and hw/core/cpu-common.c; of a feature: qom/object.c.
std::optional<Fault> explain_cpu(const std::string& line) {
    const std::string_view model = between(line, "unable to find CPU model '", "'");
    const std::string_view feature = between(line, ": Property '", "' not found");
    if (model.empty() && feature.find("-cpu.") == std::string_view::npos) {
        return std::nullopt;
    }
    return Fault{model.empty() ? fmt::format("this QEMU's CPU has no '{}'", feature)
                               : fmt::format("this QEMU has no CPU '{}'", model),
                 "",
                 fmt::format("{} -cpu help lists what it has; leave --cpu out for the best one",
                             line.substr(0, line.find(':'))),
                 ExitCode::settings};
}

// softmmu/vl.c (select_machine).
std::optional<Fault> explain_machine(const std::string& line) {
    const std::size_t words = line.find(": unsupported machine type");
    if (words == std::string::npos) {
        return std::nullopt;
    }
    return Fault{"this QEMU has no such machine (--machine)", line.substr(words + 2),
                 fmt::format("{} -machine help lists what it has; q35, pc or virt is its newest one",
                             line.substr(0, line.find(':'))),
                 ExitCode::settings};
}

// hw/core/machine-smp.c, hw/i386/x86.c.
std::optional<Fault> explain_cpus(const std::string& line) {
    const std::string_view asked = between(line, "Invalid SMP CPUs ", ".");
    const std::string_view most = between(line, "' is ", " ");
    if (!asked.empty() && !most.empty()) {
        return Fault{fmt::format("{} CPUs are more than the machine has room for", asked),
                     fmt::format("it takes {}", most), fmt::format("say --cpus {} or less", most),
                     ExitCode::settings};
    }
    if (line.find("-smp configuration requires kernel irqchip and X2APIC") != std::string::npos) {
        return Fault{"more than 255 CPUs need KVM with its own interrupt controller",
                     line.substr(line.find(": ") + 2), "say --cpus 255 or less", ExitCode::settings};
    }
    return std::nullopt;
}

// block.c: the backing file of an image that lies on what is no file.
std::optional<Fault> explain_protocol(const std::string& line) {
    const std::string_view protocol = between(line, "Unknown protocol '", "'");
    if (protocol.empty()) {
        return std::nullopt;
    }
    return Fault{
        fmt::format("an image lies on one that is reached by {}, which this QEMU cannot", protocol),
        line.substr(line.find(": ") + 2),
        "copy the lower image to a file and name that: qemu-img rebase -u -F FORMAT -b FILE IMAGE; or "
        "install QEMU's drivers (qemu-block-extra)",
        ExitCode::host};
}

// block/qcow2.c: what wrote the image is newer.
std::optional<Fault> explain_image_features(const std::string& line) {
    const std::size_t words = line.find("Unsupported qcow2 feature");
    if (words == std::string::npos) {
        return std::nullopt;
    }
    return Fault{"an image has what this QEMU does not know", line.substr(words),
                 "use the QEMU that made it, or a newer one; or convert the image there: qemu-img convert -O "
                 "qcow2 IMAGE NEW.qcow2",
                 ExitCode::host};
}

}  // namespace

std::optional<Fault> explain_qemu_stderr(const std::vector<std::string>& lines,
                                         const std::vector<NamedDescriptor>& files) {
    for (const std::string& line : lines) {
        for (const auto explain : {explain_forward, explain_screen, explain_cpu, explain_machine,
                                   explain_cpus, explain_protocol, explain_image_features}) {
            if (auto fault = explain(line)) {
                return fault;
            }
        }
    }
    return explain_lock(lines, files);
}

}  // namespace vml
