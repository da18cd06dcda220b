// QEMU over QMP: what the run wants of it → commands, and its answers → what the supervisor is told.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "base/log.h"
#include "launcher/plan/plan.h"
#include "launcher/run/guest_power.h"
#include "launcher/run/supervisor.h"
#include "launcher/watch/link_pause.h"
#include "qmp/client.h"

namespace vml {

class QemuLink {
  public:
    struct Handlers {
        // QEMU answers: its version.
        std::function<void(const std::string& version)> on_version;
        std::function<void(supervise::Event event)> feed;
        std::function<void(const qmp::Event& event)> on_event;
        std::function<void()> on_closed;
    };

    // `x86`: the machine has ACPI's fixed registers.
    QemuLink(boost::asio::io_context& io, OwnedFd socket, bool x86, Log& log, Handlers handlers);

    void check(const std::vector<PropertyCheck>& checks);
    void change_boot_order(const std::vector<BootindexChange>& changes);
    void command(supervise::Command command);
    // Who has the guest's machine? The answer is supervise::PowerTold.
    void ask_power();
    // The machine was reset.
    void was_reset();
    // Of all disks, so far; 0 where QEMU does not tell.
    void ask_disk_requests(std::function<void(std::uint64_t count)> answer);

    void switch_link(const LinkSwitch& link);
    // QEMU writes its dump of a user-mode network, or leaves it.
    void switch_dump(const std::string& filter, bool on);
    // The space bar of the guest's keyboard.
    void press_key();

    void send(const qmp::Command& command, qmp::Callback callback) {
        client_.send(command, std::move(callback));
    }

  private:
    [[nodiscard]] qmp::Handlers client_handlers();
    template <typename Refused>
    void go_on();
    void ask_status();

    Log& log_;
    Handlers handlers_;
    qmp::Client client_;
    GuestPower power_;
};

}  // namespace vml
