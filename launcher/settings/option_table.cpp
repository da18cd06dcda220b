#include "launcher/settings/option_table.h"

#include <algorithm>

#include "launcher/settings/boot_options.h"
#include "launcher/settings/disk_options.h"
#include "launcher/settings/machine_options.h"
#include "launcher/settings/network_options.h"
#include "launcher/settings/run_options.h"

namespace vml {

namespace {

std::vector<OptionRow> all_options() {
    std::vector<OptionRow> rows;
    const auto add = [&](OptionGroup group, std::vector<OptionRow> part) {
        for (OptionRow& row : part) {
            row.group = group;
            rows.push_back(std::move(row));
        }
    };
    add(OptionGroup::boot, boot_options());
    add(OptionGroup::network, network_options());
    add(OptionGroup::machine, machine_options());
    add(OptionGroup::disks, disk_options());
    add(OptionGroup::running, run_options());
    return rows;
}

}  // namespace

const std::vector<OptionRow>& option_table() {
    static const std::vector<OptionRow> table = all_options();
    return table;
}

const OptionRow* find_option(std::string_view flag) {
    const auto& table = option_table();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const OptionRow& row) { return row.flag == flag; });
    return found == table.end() ? nullptr : &*found;
}

std::string_view title_of(OptionGroup group) {
    switch (group) {
        case OptionGroup::boot:
            return "What boots";
        case OptionGroup::network:
            return "Network";
        case OptionGroup::machine:
            return "Machine";
        case OptionGroup::disks:
            return "Disks";
        case OptionGroup::running:
            return "Running";
    }
    return "";
}

const std::vector<ExitCodeRow>& exit_code_table() {
    static const std::vector<ExitCodeRow> table{
        {"0", "the guest powered off, or a stop was asked for and was clean"},
        {"1", "vm-launch failed"},
        {"2", "the settings are wrong (all faults were listed)"},
        {"3", "the host lacks something (device, privilege, file, program)"},
        {"4", "QEMU could not start, or died"},
        {"10", "the ROM never ran"},
        {"11", "no DHCP offer, or none that the guest could use"},
        {"12", "an address, but nothing to boot (no filename, no script)"},
        {"13", "fetching failed (TFTP or HTTP error, name not found, no answer)"},
        {"14", "what was fetched could not be booted"},
        {"15", "the boot deadline passed (--boot-timeout), or the guest ended before --until was reached"},
        {"16", "a reboot loop was broken (--reboot-limit)"},
        {"20", "the guest panicked"},
        {"125", "exec: the command could not be run; any other status is the command's own"},
        {"128+n", "ended by signal n before the guest was down: it had to be forced"},
    };
    return table;
}

}  // namespace vml
