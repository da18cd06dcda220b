// What vm-launch's own HTTP server serves, and to whom alone. Makes system calls.
#pragma once

#include "launcher/keeper/vm_files.h"
#include "launcher/plan/plan.h"
#include "launcher/start/apply.h"
#include "netserve/http_server.h"

namespace vml {

// Takes the VM's socket, and its view of the guest's connections. `files` must outlive the server.
[[nodiscard]] serve::HttpServer::Config netboot_server(const Plan& plan, RunningVm& vm, VmFiles& files);

}  // namespace vml
