#include "ipxescript/commands.h"

#include <array>

namespace vml::ipxescript {

namespace {

// As `help` lists them; the BIOS and the EFI image of a ROM have the same.
constexpr auto of_2019 = std::to_array<std::string_view>(
    {"autoboot", "boot",    "chain",   "choose",    "clear",   "config", "cpuid",  "dhcp",    "echo",
     "exit",     "goto",    "help",    "ifclose",   "ifconf",  "ifopen", "ifstat", "imgargs", "imgexec",
     "imgfetch", "imgfree", "imgload", "imgselect", "imgstat", "inc",    "initrd", "iseq",    "isset",
     "item",     "kernel",  "login",   "menu",      "module",  "prompt", "pxebs",  "read",    "reboot",
     "route",    "sanboot", "sanhook", "sanunhook", "set",     "shell",  "show",   "sleep",   "sync"});

constexpr auto since_then_of_2025 = std::to_array<std::string_view>(
    {"certfree", "certstat", "certstore", "colour", "console", "cpair", "form", "iflinkwait", "ping",
     "poweroff", "present", "shim", "vcreate", "vdestroy"});

// What else its sources have (src/hci/commands, src/interface/efi; 2026), and what earlier ones had.
constexpr auto of_any = std::to_array<std::string_view>(
    {"bofm",      "color",      "digest",     "fcels",   "fcstat",   "fdt",       "gdbstub",   "ibstat",
     "ifwait",    "imgdecrypt", "imgextract", "imgmem",  "imgset",   "imgtrust",  "imgverify", "ipstat",
     "iwlist",    "iwstat",     "lotest",     "md4sum",  "md5sum",   "neighbour", "nslookup",  "nstat",
     "ntp",       "param",      "params",     "pciscan", "profstat", "sha1sum",   "sha224sum", "sha256sum",
     "sha384sum", "sha512sum",  "startpxe",   "stoppxe", "time",     "usbscan",   "vlan"});

}  // namespace

bool has_command(Build build, std::string_view name) {
    if (holds(of_2019, name)) {
        return true;
    }
    if (build == Build::y2019) {
        return false;
    }
    return holds(since_then_of_2025, name) || (build == Build::any && holds(of_any, name));
}

const std::vector<std::string>& all_commands() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> names{of_2019.begin(), of_2019.end()};
        names.insert(names.end(), since_then_of_2025.begin(), since_then_of_2025.end());
        names.insert(names.end(), of_any.begin(), of_any.end());
        return names;
    }();
    return all;
}

}  // namespace vml::ipxescript
