#include "launcher/start/apply.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/process/spawn.h"
#include "launcher/start/file_limit.h"
#include "launcher/start/files.h"
#include "launcher/start/kept_files.h"
#include "launcher/start/opener.h"

namespace vml {

namespace {

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
        if (point.filter.empty()) {
            const net::KernelExecutor& executor = vm.links->executor();
            vm.wire.push_back(
                {point.id, point.mac, executor.capture(point.nic), executor.link_index(point.nic)});
        }
    }
}

// swtpm ends when its socket to QEMU closes. It opens its state by name, so the file is QEMU's user's.
pid_t start_tpm(const Plan& plan, RunningVm& vm, int output) {
    const std::string what = "cannot make the TPM's state";
    OwnedFd state = plan.tpm->kept ? open_kept_blank(*plan.tpm->kept, 0) : memory_file(plan.run_user, what);
    if (plan.run_user && ::fchown(state.get(), plan.run_user->uid, plan.run_user->gid) != 0) {
        throw failed(what, errno, "", ExitCode::host);
    }
    constexpr int state_number = 3;
    constexpr int socket_number = 4;
    const OwnedFd socket = std::move(vm.tpm_socket);
    return spawn(
        {plan.tpm->program,
         {"socket", "--tpm2", "--tpmstate", fmt::format("backend-uri=file:///proc/self/fd/{}", state_number),
          "--ctrl", fmt::format("type=unixio,clientfd={}", socket_number)},
         {{state.get(), state_number}, {socket.get(), socket_number}},
         output,
         plan.run_user});
}

// Opens the folder's server, and gives the arguments with its port in them.
std::vector<std::string> with_http(const Plan& plan, RunningVm& vm) {
    if (!plan.http_folder) {
        return argv_of(plan, 0);
    }
    serve::Listener listener = serve::listen_on_loopback();
    vm.http = serve::HttpServer::Config{std::move(listener.socket),
                                        open_file(*plan.http_folder, O_PATH | O_DIRECTORY),
                                        plan.run_user ? plan.run_user->uid : ::geteuid()};
    return argv_of(plan, listener.port);
}

}  // namespace

std::vector<ReportFile> open_reports(const std::vector<std::filesystem::path>& paths) {
    std::vector<ReportFile> files;
    for (const std::filesystem::path& path : paths) {
        OwnedFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
        if (!file) {
            throw Error{{fmt::format("cannot write the report {}", path.string()), errno_text(errno),
                         "check the folder and its mode", ExitCode::host}};
        }
        files.push_back({path, std::move(file)});
    }
    return files;
}

HostLinks::HostLinks(const std::vector<net::Operation>& operations, net::KernelExecutor::Homes ahead)
    : executor_{std::move(ahead)} {
    applied_.apply(operations);
}

RunningVm apply(const Plan& plan, net::KernelExecutor::Homes ahead) {
    allow_open_files(plan.fds);
    RunningVm vm;
    if (plan.state_folder) {
        vm.state_folder = open_state_folder(*plan.state_folder);
    }
    make_links(plan, vm, std::move(ahead));
    Opener opener{plan, vm};
    std::vector<OwnedFd> inherited;
    SpawnRequest request{plan.program, with_http(plan, vm), {}, -1, plan.run_user};
    for (const PlannedFd& planned : plan.fds) {
        inherited.push_back(opener.open(planned));
        request.inherited.push_back({inherited.back().get(), planned.number});
    }
    std::array<int, 2> output{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0) {
        throw failed("cannot make a pipe", errno, "");
    }
    vm.output.reset(output[0]);
    const OwnedFd write_end{output[1]};
    request.output = write_end.get();
    if (plan.tpm) {
        vm.tpm_pid = start_tpm(plan, vm, write_end.get());
    }
    vm.pid = spawn(request);
    return vm;
}

}  // namespace vml
