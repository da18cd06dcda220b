#include "launcher/settings/foreign_variables.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/settings/tidy.h"

namespace vml {

namespace {

constexpr std::string_view off = "0,off,no,false,none";

constexpr std::string_view no_catalogue =
    "vm-launch fetches no images: give a local one by DISK or BOOT_ISO, or boot from the network";
constexpr std::string_view no_image_password =
    "the password is of the image's own user: GUEST_PASSWORD sets it, or CLOUD_INIT_USER_DATA makes another "
    "one";
constexpr std::string_view no_redfish =
    "there is no Redfish service: `vm-launch stop`, `reset` and `status` do its work, and BOOT_ONCE orders "
    "one boot";
constexpr std::string_view no_ipmi =
    "there is no IPMI service: `vm-launch stop`, `reset` and `status` do its work, and BOOT_ONCE orders one "
    "boot";
constexpr std::string_view no_shares =
    "there are no shared folders: serve files by NETBOOT_DIR or the network, or add a device by EXTRA_ARGS";
constexpr std::string_view no_web_page = "there is no web page: GRAPHICS=vnc, and a VNC viewer on VNC_PORT";
constexpr std::string_view no_container_mode =
    "vm-launch does not take over the container's interface: NETWORK_MODE=bridge or direct with `--network "
    "host`, or nat";
constexpr std::string_view no_nat_address =
    "QEMU's user-mode network announces fec0::/64, and the guest makes its IPv6 address of it: "
    "NETWORK_GUEST_IP sets the IPv4 one, and PORT_FWD leads to that";
constexpr std::string_view no_gpu =
    "the guest's screen is GRAPHICS=vnc: a GPU of the host's needs EXTRA_ARGS (-device vfio-pci,host=…)";
constexpr std::string_view no_libvirt = "vm-launch runs QEMU itself, without libvirt";

std::vector<ForeignVariable> catalogue_variables() {
    return {
        {"DISTRO", "", no_catalogue},
        {"BASE_IMAGE", "", no_catalogue},
        {"CATALOG_URL", "", no_catalogue},
        {"CATALOG_CACHE", "", no_catalogue},
        {"CATALOG_OFFLINE", off, no_catalogue},
        {"DOWNLOAD_RETRIES", "", no_catalogue},
        {"DOWNLOAD_MAX_SIZE", "", no_catalogue},
        {"EXTRACT_MAX_SIZE", "", no_catalogue},
        {"ALLOCATE", off,
         "a blank disk takes room as it is written: make it with `qemu-img create -o "
         "preallocation=full`, and name it by DISK"},
    };
}

std::vector<ForeignVariable> guest_variables() {
    return {
        {"GUEST_USER", "", no_image_password},
        {"VM_PASSWORD", "", no_image_password},
        {"VM_USER", "", no_image_password},
        {login_shell, "/bin/bash,/bin/sh",
         "vm-launch makes no user: CLOUD_INIT_USER_DATA gives the guest's a `shell:`"},
        {"KEEP_ALIVE_AFTER_VM_STOP", off, "vm-launch ends with its VM: a restart policy starts it again"},
        {"FILESYSTEM_SOURCE", "", no_shares},
        {"FILESYSTEM_TARGET", "", no_shares},
        {"FILESYSTEM_DRIVER", "", no_shares},
        {"FILESYSTEM_ACCESSMODE", "", no_shares},
        {"FILESYSTEM_READONLY", off, no_shares},
        {"NOVNC_ENABLE", off, no_web_page},
        {"NOVNC_PORT", "", no_web_page},
        {"VNC_KEYMAP", "", "the VNC viewer's own layout is used"},
        {"GPU", off, no_gpu},
    };
}

std::vector<ForeignVariable> service_variables() {
    return {{"REDFISH_ENABLE", off, no_redfish},
            {"REDFISH_USERNAME", "", no_redfish},
            {"REDFISH_PASSWORD", "", no_redfish},
            {"REDFISH_PORT", "", no_redfish},
            {"REDFISH_SYSTEM_ID", "", no_redfish},
            {"REDFISH_STORAGE_PATH", "", no_redfish},
            {"REDFISH_STORAGE_POOL", "", no_redfish},
            {"IPMI_ENABLE", off, no_ipmi},
            {"IPMI_USERNAME", "", no_ipmi},
            {"IPMI_PASSWORD", "", no_ipmi},
            {"IPMI_PORT", "", no_ipmi},
            {"IPMI_SYSTEM_ID", "", no_ipmi},
            {"NETWORK_CONTAINER_INTERFACE", "", no_container_mode},
            {"NETWORK_CONTAINER_BRIDGE", "", no_container_mode},
            {"NETWORK_GUEST_IP6", "", no_nat_address},
            {"LIBVIRT_URI", "", no_libvirt}};
}

}  // namespace

const std::vector<ForeignVariable>& foreign_variables() {
    static const std::vector<ForeignVariable> all = [] {
        std::vector<ForeignVariable> rows;
        for (const auto& part : {catalogue_variables(), guest_variables(), service_variables()}) {
            rows.insert(rows.end(), part.begin(), part.end());
        }
        return rows;
    }();
    return all;
}

namespace {

// An environment has many names that are nobody's: each is looked for once.
const ForeignVariable* find_foreign(std::string_view name) {
    static const std::map<std::string_view, const ForeignVariable*> by_name = [] {
        std::map<std::string_view, const ForeignVariable*> rows;
        for (const ForeignVariable& variable : foreign_variables()) {
            rows.emplace(variable.name, &variable);
        }
        return rows;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

}  // namespace

std::optional<std::string> foreign_answer(std::string_view name, std::string_view value) {
    const ForeignVariable* found = find_foreign(name);
    if (found == nullptr && name.find_first_of("0123456789") != std::string_view::npos) {
        found = find_foreign(without_number(std::string{name}));
    }
    if (found == nullptr) {
        return std::nullopt;
    }
    const std::string asked = lower(within_surroundings(value));
    if (asked.empty()) {
        return std::nullopt;
    }
    const std::vector<std::string> idle = split_list(found->asks_no);
    if (std::find(idle.begin(), idle.end(), asked) != idle.end()) {
        return std::nullopt;
    }
    return fmt::format("${} has no effect here: {}", name, found->answer);
}

std::optional<std::string> foreign_flag_answer(std::string_view flag) {
    constexpr std::string_view by_plan =
        "it goes with `run` alone: `vm-launch plan` prints what settings would start";
    constexpr std::string_view no_xml =
        "vm-launch runs QEMU without libvirt, so that there is no XML: `vm-launch plan --format sh` prints "
        "what "
        "the same settings would start";
    constexpr auto answers = std::to_array<std::pair<std::string_view, std::string_view>>(
        {{"--list-distros", no_catalogue},
         {"--type", no_catalogue},
         {"--search", no_catalogue},
         {"--show-config", by_plan},
         {"--dry-run", by_plan},
         {"--show-xml", no_xml},
         {"--cleanup", "a VM leaves nothing behind, so that there is nothing to clean up"}});
    const auto* const found = std::find_if(answers.begin(), answers.end(),
                                           [flag](const auto& answer) { return answer.first == flag; });
    return found == answers.end() ? std::nullopt : std::optional{std::string{found->second}};
}

std::string without_number(std::string name) {
    const std::size_t digits = name.find_first_of("0123456789");
    if (digits != std::string::npos && (digits + 1 == name.size() || name[digits + 1] == '_')) {
        name.erase(digits, 1);
    }
    return name;
}

}  // namespace vml
