// vm-launch's own servers: what they serve, and to whom alone. Makes system calls.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "launcher/keeper/vm_files.h"
#include "launcher/plan/plan.h"
#include "launcher/start/apply.h"
#include "launcher/watch/guest_tftp.h"
#include "netserve/http_server.h"

namespace vml {

struct NetbootServers {
    std::optional<serve::HttpServer> http;
    std::unique_ptr<GuestTftp> tftp;
};

// Those that the plan has. Takes the VM's sockets. `files` must outlive the servers; `on_request` gets a line
// for each request.
[[nodiscard]] NetbootServers netboot_servers(boost::asio::io_context& io, const Plan& plan, RunningVm& vm,
                                             VmFiles& files,
                                             const std::function<void(const std::string&)>& on_request);

}  // namespace vml
