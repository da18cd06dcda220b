#include "launcher/run/qemu_link.h"

#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace vml {

namespace {

// A command that got no answer because QEMU has gone says nothing of QEMU's opinion.
bool is_disconnected(const qmp::Result& result) {
    const auto* failure = std::get_if<qmp::Failure>(&result);
    return failure != nullptr && failure->error_class == qmp::disconnected;
}

// What QEMU said against a command; null when it obeyed, or has gone.
const qmp::Failure* refusal_in(const qmp::Result& result) {
    return is_disconnected(result) ? nullptr : std::get_if<qmp::Failure>(&result);
}

// Of all disks (QEMU qapi/block-core.json, BlockDeviceStats).
std::uint64_t disk_requests_in(const nlohmann::json& disks) {
    std::uint64_t count = 0;
    for (const nlohmann::json& disk : disks.is_array() ? disks : nlohmann::json::array()) {
        const nlohmann::json stats =
            disk.is_object() ? disk.value("stats", nlohmann::json{}) : nlohmann::json{};
        for (const char* key : {"rd_operations", "wr_operations"}) {
            count += number_at<std::uint64_t>(stats, key).value_or(0);
        }
    }
    return count;
}

// "10.0.2 (Debian 1:10.0.2+ds-2)"
std::string version_of(const qmp::Greeting& greeting) {
    return fmt::format("{}.{}.{}{}", greeting.major, greeting.minor, greeting.micro,
                       greeting.package.empty() ? "" : " (" + greeting.package + ")");
}

}  // namespace

QemuLink::QemuLink(boost::asio::io_context& io, OwnedFd socket, bool x86, Log& log, Handlers handlers)
    : log_{log},
      handlers_{std::move(handlers)},
      client_{io, std::move(socket), client_handlers()},
      power_{client_, x86} {}

qmp::Handlers QemuLink::client_handlers() {
    return {[this](const qmp::Greeting& greeting) {
                const std::string version = version_of(greeting);
                log_.debug(fmt::format("QEMU {} answers", version));
                handlers_.on_version(version);
                handlers_.feed(supervise::QmpReady{});
            },
            handlers_.on_event,
            [this](const qmp::ProtocolFault& fault) { log_.debug(fmt::format("QMP: {}", fault.why)); },
            [this] {
                handlers_.feed(supervise::QmpClosed{});
                handlers_.on_closed();
            }};
}

void QemuLink::check(const std::vector<PropertyCheck>& checks) {
    for (std::size_t index = 0; index < checks.size(); ++index) {
        client_.send({"qom-get", {{"path", checks[index].path}, {"property", checks[index].property}}},
                     [this, index](const qmp::Result& result) {
                         if (is_disconnected(result)) {
                             return;  // QEMU's end tells why
                         }
                         const auto* value = std::get_if<nlohmann::json>(&result);
                         const bool text = value != nullptr && value->is_string();
                         handlers_.feed(supervise::CheckAnswered{
                             index, text ? std::optional{value->get<std::string>()} : std::nullopt});
                     });
    }
}

void QemuLink::change_boot_order(const std::vector<BootindexChange>& changes) {
    for (const BootindexChange& change : changes) {
        client_.send(
            {"qom-set", {{"path", change.path}, {"property", "bootindex"}, {"value", change.bootindex}}},
            [this, last = &change == &changes.back()](const qmp::Result& result) {
                if (const auto* refusal = refusal_in(result)) {
                    handlers_.feed(supervise::BootOrderRefused{refusal->description});
                } else if (last) {
                    handlers_.feed(supervise::BootOrderChanged{});
                }
            });
    }
}

template <typename Refused>
void QemuLink::go_on() {
    client_.send({"cont"}, [this](const qmp::Result& result) {
        if (const auto* refusal = refusal_in(result)) {
            handlers_.feed(Refused{refusal->description});
        }
    });
}

void QemuLink::command(supervise::Command command) {
    switch (command) {
        case supervise::Command::cont:
            go_on<supervise::ContinueRefused>();
            break;
        case supervise::Command::resume:
            go_on<supervise::ResumeRefused>();
            break;
        case supervise::Command::query_status:
            ask_status();
            break;
        case supervise::Command::system_powerdown:
            client_.send({"system_powerdown"}, {});
            break;
        case supervise::Command::system_reset:
            client_.send({"system_reset"}, {});
            break;
        case supervise::Command::quit:
            client_.send({"quit"}, {});
            break;
    }
}

void QemuLink::ask_status() {
    client_.send({"query-status"}, [this](const qmp::Result& result) {
        const auto* value = std::get_if<nlohmann::json>(&result);
        if (const std::string status = value == nullptr ? "" : text_at(*value, "status"); !status.empty()) {
            handlers_.feed(supervise::StatusAnswered{status});
        }
    });
}

void QemuLink::ask_power() {
    power_.ask([this](const GuestSigns& signs) {
        log_.debug(description_of(signs));
        handlers_.feed(supervise::PowerTold{signs});
    });
}

void QemuLink::was_reset() {
    power_.reset([this](bool wrote) { handlers_.feed(supervise::WritesTold{wrote}); });
    client_.send({"query-rx-filter"},
                 {});  // the event of the guest's own driver comes once for each such question
}

void QemuLink::ask_disk_requests(std::function<void(std::uint64_t count)> answer) {
    client_.send({"query-blockstats"}, [answer = std::move(answer)](const qmp::Result& result) {
        const auto* disks = std::get_if<nlohmann::json>(&result);
        answer(disks == nullptr ? 0 : disk_requests_in(*disks));
    });
}

void QemuLink::switch_link(const LinkSwitch& link) {
    client_.send({"set_link", {{"name", link.nic}, {"up", link.up}}}, {});
}

void QemuLink::switch_dump(const std::string& filter, bool on) {
    client_.send(
        {"qom-set", {{"path", "/objects/" + filter}, {"property", "status"}, {"value", on ? "on" : "off"}}},
        [this, filter](const qmp::Result& result) {
            if (const auto* refusal = refusal_in(result)) {
                log_.debug(fmt::format("cannot switch {}: {}", filter, refusal->description));
            }
        });
}

void QemuLink::press_key() {
    client_.send({"send-key", {{"keys", {{{"type", "qcode"}, {"data", "spc"}}}}}}, {});
}

}  // namespace vml
