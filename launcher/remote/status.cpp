#include "launcher/remote/status.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "launcher/handles/handles.h"
#include "launcher/remote/forwards.h"
#include "launcher/remote/nic_addresses.h"
#include "launcher/remote/run_state.h"

namespace vml {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string text_of(const fs::path& file) {
    return read_file(file).value_or("");
}

std::vector<std::string> split_at_nul(const std::string& text) {
    std::istringstream stream{text};
    std::vector<std::string> words;
    for (std::string word; std::getline(stream, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

fs::path proc(pid_t pid) {
    return fs::path{"/proc"} / std::to_string(pid);
}

ProcessRights rights_of(pid_t pid) {
    ProcessRights rights = parse_process_status(text_of(proc(pid) / "status"));
    rights.pid = pid;
    rights.own_session = ::getsid(pid) == pid;
    return rights;
}

// The fields of /proc/PID/stat behind the name, which may hold anything: "S 123 …", so field 3 comes first.
std::vector<std::string> stat_fields(pid_t pid) {
    const std::string text = text_of(proc(pid) / "stat");
    const std::size_t end_of_name = text.rfind(')');
    std::istringstream rest{end_of_name == std::string::npos ? "" : text.substr(end_of_name + 1)};
    return {std::istream_iterator<std::string>{rest}, {}};
}

pid_t parent_of(pid_t pid) {
    const auto fields = stat_fields(pid);
    return fields.size() > 1 ? whole_number<pid_t>(fields[1]).value_or(-1) : -1;
}

// Field 22 of proc(5), starttime, counts clock ticks since the host started.
double uptime_of(pid_t pid) {
    constexpr std::size_t start_time = 22 - 3;
    const auto fields = stat_fields(pid);
    std::istringstream host{text_of("/proc/uptime")};
    double host_uptime = 0;
    host >> host_uptime;
    if (fields.size() <= start_time) {
        return 0;
    }
    const double started =
        std::strtod(fields[start_time].c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    return std::max(0.0, host_uptime - started);
}

std::vector<pid_t> all_pids() {
    std::vector<pid_t> pids;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
        const std::string name = entry.path().filename();
        if (const auto pid = whole_number<pid_t>(name)) {
            pids.push_back(*pid);
        }
    }
    return pids;
}

ordered_json to_json(const ProcessRights& rights) {
    return {{"pid", rights.pid},
            {"uid", rights.uid},
            {"capabilities", rights.capabilities},
            {"no_new_privs", rights.no_new_privs},
            {"seccomp", rights.seccomp},
            {"own_session", rights.own_session}};
}

std::string line_of(std::string_view who, const ProcessRights& rights) {
    const std::string_view seccomp = rights.seccomp == 2 ? "filter" : rights.seccomp == 1 ? "strict" : "none";
    return fmt::format("  {:<10} pid {}, uid {}, CapEff {}, NoNewPrivs {}, seccomp {}\n", who, rights.pid,
                       rights.uid, rights.capabilities, rights.no_new_privs ? 1 : 0, seccomp);
}

std::string boots(const nlohmann::json& device) {
    const auto index = device.find("bootindex");
    return index == device.end() ? "" : fmt::format(", boots as number {}", index->dump());
}

std::string nic_line(const nlohmann::json& nic) {
    const std::string where = text_at(nic, "bridge") + text_at(nic, "device");
    const std::string rom = text_at(nic, "rom");
    const std::string address = address_words(nic);
    return fmt::format("  {:<10} {}, {}, {}{}{}{}\n", text_at(nic, "id"), text_at(nic, "model"),
                       text_at(nic, "mac"), text_at(nic, "mode"), where.empty() ? "" : " " + where,
                       rom.empty() ? "" : ", ROM " + rom, boots(nic)) +
           (address.empty() ? "" : fmt::format("  {:<10} {}\n", "address", address)) + forward_lines(nic);
}

std::string disk_line(const nlohmann::json& disk) {
    const std::string file = text_at(disk, "file");
    return fmt::format(
        "  {:<10} {}, {}{}\n", text_at(disk, "id"), text_at(disk, "format"),
        file.empty() ? fmt::format("blank, {} bytes", number_at<std::uint64_t>(disk, "size").value_or(0))
                     : file,
        boots(disk));
}

// Nothing where there is no such thing, or a VM of an older vm-launch does not tell.
std::string secure_boot_words(const nlohmann::json& told) {
    const auto found = told.find("secure_boot");
    if (found == told.end() || !found->is_boolean()) {
        return text_at(told, "firmware") == "secure" ? " (Secure Boot: not known)" : "";
    }
    return found->get<bool>() ? " (Secure Boot: on)" : " (Secure Boot: off)";
}

nlohmann::json list_at(const nlohmann::json& told, const char* key) {
    const auto found = told.find(key);
    return found != told.end() && found->is_array() ? *found : nlohmann::json::array();
}

std::string screen_line(const nlohmann::json& told) {
    const auto screen = told.find("vnc");
    if (screen == told.end() || !screen->is_object()) {
        return {};
    }
    const std::string password = text_at(*screen, "password");
    return fmt::format("  {:<10} VNC on {}:{}, {}\n", "screen", text_at(*screen, "address"),
                       number_at<int>(*screen, "port").value_or(0),
                       password.empty() ? "without a password" : "password " + password);
}

// Nothing where a VM of an older vm-launch does not tell.
std::string landlock_line(const nlohmann::json& told) {
    const auto abi = number_at<int>(told, "landlock");
    return !abi ? ""
                : fmt::format(
                      "  {:<10} {}{}\n", "Landlock",
                      *abi > 0 ? fmt::format("QEMU opens only what it needs (version {})", *abi)
                               : "none: QEMU opens whatever its user may",
                      number_at<int>(told, "own_landlock").value_or(0) > 0 ? "; vm-launch likewise" : "");
}

std::string told_lines(const nlohmann::json& told) {
    const std::string stage = text_at(told, "stage");
    std::string text = fmt::format("  {:<10} {}{}\n", "stage", stage.empty() ? "none yet" : stage,
                                   stage.empty() ? "" : ": " + text_at(told, "stage_detail"));
    const auto cpus = number_at<std::uint64_t>(told, "cpus").value_or(0);
    text += fmt::format("  {:<10} {}, {} firmware{}, {} CPU{}, {} MiB\n", "machine", text_at(told, "machine"),
                        text_at(told, "firmware"), secure_boot_words(told), cpus, cpus == 1 ? "" : "s",
                        number_at<std::uint64_t>(told, "memory_mib").value_or(0));
    text += fmt::format("  {:<10} {}: {}\n", "runs by", text_at(told, "accelerator"),
                        text_at(told, "accelerator_reason"));
    for (const auto& nic : list_at(told, "nics")) {
        text += nic_line(nic);
    }
    for (const auto& disk : list_at(told, "disks")) {
        text += disk_line(disk);
    }
    return text + screen_line(told) + landlock_line(told);
}

}  // namespace

std::vector<RunningStatus> with_told(std::vector<RunningStatus> vms, const std::vector<Told>& told) {
    for (RunningStatus& vm : vms) {
        const auto found = std::find_if(told.begin(), told.end(), [&](const Told& each) {
            return each.words.is_object() && each.launcher > 0 && each.launcher == vm.launcher.pid;
        });
        if (found != told.end()) {
            vm.told = found->words;
        }
    }
    return vms;
}

std::string vm_name_in(const std::vector<std::string>& argv) {
    constexpr std::string_view prefix = "guest=";
    const bool ours = std::find(argv.begin(), argv.end(), "chardev=qmp,mode=control") != argv.end();
    const auto option = std::find(argv.begin(), argv.end(), "-name");
    if (!ours || option == argv.end() || std::next(option) == argv.end() ||
        !std::next(option)->starts_with(prefix)) {
        return {};
    }
    return std::next(option)->substr(prefix.size());
}

ProcessRights parse_process_status(const std::string& text) {
    ProcessRights rights;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words{line};
        std::string key;
        words >> key;
        if (key == "Uid:") {
            words >> rights.uid >> rights.uid;  // real, then effective
        } else if (key == "CapEff:") {
            words >> rights.capabilities;
        } else if (key == "NoNewPrivs:") {
            words >> rights.no_new_privs;
        } else if (key == "Seccomp:") {
            words >> rights.seccomp;
        }
    }
    return rights;
}

std::vector<RunningStatus> running_vms() {
    std::vector<RunningStatus> vms;
    std::map<pid_t, pid_t> keepers;  // by their parent
    for (const pid_t pid : all_pids()) {
        const std::string name = vm_name_in(split_at_nul(text_of(proc(pid) / "cmdline")));
        if (!name.empty()) {
            vms.push_back({printable(name), uptime_of(pid), rights_of(pid), rights_of(parent_of(pid))});
        } else if (trimmed(text_of(proc(pid) / "comm")) == keeper_comm) {
            keepers.emplace(parent_of(pid), pid);
        }
    }
    for (RunningStatus& vm : vms) {
        if (const auto keeper = keepers.find(vm.launcher.pid); keeper != keepers.end()) {
            vm.files = rights_of(keeper->second);
        }
    }
    std::sort(vms.begin(), vms.end(), [](const auto& left, const auto& right) {
        return std::pair{left.name, left.qemu.pid} < std::pair{right.name, right.qemu.pid};
    });
    return vms;
}

std::string status_as_text(const std::vector<RunningStatus>& vms) {
    std::string text;
    for (const RunningStatus& vm : vms) {
        const std::string phase = vm.told.is_object() ? text_at(vm.told, "phase") + ", " : "";
        const std::string paused = vm.told.is_object() ? text_at(vm.told, "paused") : "";
        text += fmt::format("{}: {}runs for {:.0f} s\n", vm.name, phase, vm.uptime);
        text += paused.empty() ? ""
                               : fmt::format("  {:<10} {}; {}\n", "paused",
                                             why_not_running(paused).value_or(paused), remedy_for(paused));
        text += vm.told.is_object() ? told_lines(vm.told) : "";
        text += line_of("QEMU", vm.qemu) + line_of("vm-launch", vm.launcher) +
                (vm.files ? line_of("its files", *vm.files) : "");
    }
    return text;
}

std::string status_as_json(const std::vector<RunningStatus>& vms) {
    ordered_json list = ordered_json::array();
    for (const RunningStatus& vm : vms) {
        ordered_json object{{"name", vm.name},
                            {"uptime", vm.uptime},
                            {"qemu", to_json(vm.qemu)},
                            {"launcher", to_json(vm.launcher)},
                            {"files", vm.files ? to_json(*vm.files) : ordered_json()}};
        for (const auto& [key, value] : vm.told.items()) {
            object.emplace(key, value);  // what the kernel says stands
        }
        list.push_back(std::move(object));
    }
    return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace vml
