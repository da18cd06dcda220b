#include "launcher/start/apply.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/process/landlock.h"
#include "launcher/process/spawn.h"
#include "launcher/start/file_limit.h"
#include "launcher/start/files.h"
#include "launcher/start/kept_files.h"
#include "launcher/start/opener.h"
#include "netserve/http_server.h"
#include "netserve/tftp_server.h"
#include "netsetup/capture.h"

namespace vml {

namespace {

// A macvtap shares its lower device with others: which way a frame goes there is told from the other side.
bool is_tap(const Plan& plan, unsigned nic) {
    return std::any_of(plan.links.begin(), plan.links.end(), [nic](const net::Operation& operation) {
        const auto* tap = std::get_if<net::CreateTap>(&operation);
        return tap != nullptr && tap->nic == nic;
    });
}

void make_links(const Plan& plan, RunningVm& vm, net::KernelExecutor::Homes ahead) {
    if (plan.links.empty()) {
        return;
    }
    vm.links = std::make_unique<HostLinks>(plan.links, std::move(ahead));
    for (const PortWait& wait : plan.port_waits) {
        net::KernelExecutor& executor = vm.links->executor();
        vm.port_watches.push_back({wait, executor.link_name(wait.nic), executor.watch(wait.nic)});
    }
    for (const WirePoint& point : plan.wire) {
        if (point.filter.empty() && plan.segment_of(point.nic) == nullptr) {
            const net::KernelExecutor& executor = vm.links->executor();
            vm.wire.push_back({point.id, point.mac, executor.capture(point.nic),
                               executor.link_index(point.nic), is_tap(plan, point.nic)});
        }
    }
}

void join_segments(const Plan& plan, const OnSegmentWait& on_wait, RunningVm& vm) {
    for (const PlannedSegment& planned : plan.segments) {
        net::SegmentWish wish{planned.segment, planned.mtu, planned.watched};
        if (on_wait) {
            wish.on_wait = [&] { on_wait(planned.segment); };
        }
        vm.segments.push_back(net::join_segment(wish));
        net::SegmentLink& link = vm.segments.back();
        if (planned.watched) {
            vm.wire.push_back(
                {planned.id, planned.mac, std::move(link.fd(net::SegmentFd::capture)), link.index, true});
        }
    }
}

// QEMU or a helper.
struct Child {
    const std::filesystem::path& program;
    std::vector<std::string> args;
    const std::vector<PlannedFd>& fds;
};

// What its descriptors stand for is opened first, so that nothing runs where that fails.
class Starter {
  public:
    Starter(Child child, Opener& opener) : child_{std::move(child)} {
        for (const PlannedFd& planned : child_.fds) {
            open_.push_back(opener.open(planned));
        }
    }

    [[nodiscard]] pid_t start(int output, const std::optional<RunUser>& user,
                              const std::optional<Confinement>& confinement) const {
        SpawnRequest request{child_.program, child_.args, {}, output, user, confinement};
        for (std::size_t i = 0; i < open_.size(); ++i) {
            request.inherited.push_back({open_[i].get(), child_.fds[i].number});
        }
        return spawn(request);
    }

  private:
    Child child_;
    std::vector<OwnedFd> open_;
};

serve::Content opened(const Netboot& netboot) {
    serve::Content content;
    if (netboot.folder) {
        content.folder = open_file(*netboot.folder, O_PATH | O_DIRECTORY);
    }
    for (const ServedFile& file : netboot.files) {
        if (!file.file.empty()) {
            content.files.push_back({file.name, open_file(file.file.parent_path(), O_PATH | O_DIRECTORY),
                                     file.file.filename().string()});
            continue;
        }
        OwnedFd memory = memory_file(std::nullopt, fmt::format("cannot serve {}", file.name));
        if (const int error = write_whole(memory.get(), file.text, 0); error != 0) {
            throw failed(fmt::format("cannot serve {}", file.name), error, "");
        }
        content.files.push_back({file.name, std::move(memory), ""});
    }
    return content;
}

// On the guest's own link, where vm-launch serves its guest on a bridge.
void listen_on_link(const Plan& plan, RunningVm& vm) {
    const PlannedOffer& offer = *plan.offer;
    const int link = vm.links->executor().link_index(offer.nic);
    if (offer.by_http()) {
        serve::Listener listener = serve::listen_on(offer.from);
        vm.http = std::move(listener.socket);
        vm.http_port = listener.port;
        vm.connections = net::open_connection_capture(link, {offer.from, listener.port});
    }
    if (offer.tftp_block > 0) {
        vm.tftp = net::open_datagram_capture(link, {offer.from, {serve::tftp_port}, {}, {}});
    }
}

// Opens what serves the guest, and gives the arguments with the HTTP server's port in them.
std::vector<std::string> with_servers(const Plan& plan, RunningVm& vm) {
    if (plan.http) {
        vm.served = opened(*plan.http);
    }
    if (plan.http && plan.offers_on_link()) {
        listen_on_link(plan, vm);
    } else if (plan.http && !plan.serves_on_segment()) {
        serve::Listener listener = serve::listen_on_loopback();
        vm.http = std::move(listener.socket);
        vm.http_port = listener.port;
    }
    return argv_of(plan.args, vm.http_port);
}

}  // namespace

HostLinks::HostLinks(const std::vector<net::Operation>& operations, net::KernelExecutor::Homes ahead)
    : executor_{std::move(ahead)} {
    applied_.apply(operations);
}

RunningVm apply(const Plan& plan, net::KernelExecutor::Homes ahead, const OnSegmentWait& on_wait) {
    allow_open_files(plan.fds);
    RunningVm vm;
    if (plan.state_folder) {
        vm.state_folder = open_state_folder(*plan.state_folder);
    }
    make_links(plan, vm, std::move(ahead));
    join_segments(plan, on_wait, vm);
    Opener opener{plan, vm};
    const Starter qemu{{plan.program, with_servers(plan, vm), plan.fds}, opener};
    std::array<int, 2> output{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0) {
        throw failed("cannot make a pipe", errno, "");
    }
    vm.output.reset(output[0]);
    const OwnedFd write_end{output[1]};
    if (plan.tpm) {
        const Starter tpm{{plan.tpm->program, argv_of(plan.tpm->args, 0), plan.tpm->fds}, opener};
        vm.tpm_pid = tpm.start(write_end.get(), plan.run_user, plan.tpm->confinement);
    }
    vm.landlock = plan.confinement ? landlock_abi() : 0;
    vm.pid = qemu.start(write_end.get(), plan.run_user, plan.confinement);
    return vm;
}

}  // namespace vml
