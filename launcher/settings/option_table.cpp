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

}  // namespace vml
