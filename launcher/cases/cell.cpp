#include "launcher/cases/cell.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/logins.h"
#include "base/text.h"
#include "launcher/cases/default_matrix.h"
#include "launcher/cases/matrix.h"
#include "launcher/settings/option_table.h"

namespace vml::cases {

namespace {

struct Written {
    std::vector<std::string> arguments;
    Environment secrets;
};

// A value that is empty is a word of its own: "--append=" would be taken for one that is missing.
void write_flag(std::string_view flag, const std::string& text, Written& written) {
    if (text.empty()) {
        written.arguments.insert(written.arguments.end(), {fmt::format("--{}", flag), ""});
    } else {
        written.arguments.push_back(fmt::format("--{}={}", flag, text));
    }
}

// Layers of flags and files alone: what variables say, the VM's vm-launch reads itself.
Written written_out(const Layer& layer, const std::optional<std::vector<std::string>>& qemu_args) {
    Written written{{"run"}, {}};
    if (layer.config) {
        write_flag("config", layer.config->text, written);
    }
    for (const auto& [flag, raw] : layer.values) {
        const OptionRow* row = find_option(flag);
        const bool hidden = row != nullptr && (row->is_secret || without_logins(raw.text) != raw.text);
        if (hidden && !row->environment.empty()) {
            written.secrets.insert_or_assign(std::string{row->environment}, raw.text);
        } else {
            write_flag(flag, raw.text, written);
        }
    }
    for (const RawNic& nic : layer.nics) {
        if (nic.whole) {
            write_flag("nic", nic.whole->text, written);
        }
    }
    const std::array<std::pair<std::string_view, const std::vector<Raw>*>, 3> lists{
        {{"disk", &layer.disks}, {"extra-disk", &layer.extra_disks}, {"dhcp-option", &layer.dhcp_options}}};
    for (const auto& [flag, list] : lists) {
        for (const Raw& raw : *list) {
            write_flag(flag, raw.text, written);
        }
    }
    if (qemu_args) {
        written.arguments.emplace_back("--");
        written.arguments.insert(written.arguments.end(), qemu_args->begin(), qemu_args->end());
    }
    return written;
}

void set(Layer& layer, const std::string& flag, const std::string& text, const std::string& origin) {
    const Raw raw{text, origin};
    if (flag == "nic") {
        layer.nics = {{raw, {}}};
    } else if (flag == "disk") {
        layer.disks = {raw};
    } else if (flag == "extra-disk") {
        layer.extra_disks = {raw};
    } else if (flag == "dhcp-option") {
        layer.dhcp_options = {raw};
    } else {
        layer.values.insert_or_assign(flag, raw);
    }
}

bool is_set(const Layer& layer, const std::string& flag) {
    return layer.values.contains(flag) || (flag == "nic" && !layer.nics.empty()) ||
           (flag == "disk" && !layer.disks.empty()) || (flag == "extra-disk" && !layer.extra_disks.empty()) ||
           (flag == "dhcp-option" && !layer.dhcp_options.empty());
}

// What the boot runs for, where no setting says so.
std::string goal_of(const Expectation& expect) {
    if (expect.exit_code == 0 && expect.stage) {
        return std::string{boot::name_of(*expect.stage)};
    }
    return expect.exit_code == 0 && expect.console ? "console:" + *expect.console : "os";
}

template <typename Item>
void add_once(std::vector<Item>& all, const std::vector<Item>& more) {
    for (const Item& item : more) {
        if (std::find(all.begin(), all.end(), item) == all.end()) {
            all.push_back(item);
        }
    }
}

std::string stem_of(std::size_t number, std::string_view name) {
    constexpr std::size_t longest = 80;
    std::string stem = fmt::format("{:02}-", number);
    for (const char c : name.substr(0, longest)) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_';
        if (plain || stem.back() != '-') {
            stem += plain ? c : '-';
        }
    }
    while (stem.back() == '-') {
        stem.pop_back();
    }
    return stem;
}

std::vector<Axis> axes_of(const CellSource& source, const Case& each, std::vector<Fault>& faults) {
    std::vector<Axis> axes = source.matrix;
    for (const Axis& axis : each.matrix) {
        if (std::any_of(axes.begin(), axes.end(), [&](const Axis& one) { return one.flag == axis.flag; })) {
            faults.push_back(
                {fmt::format("{} is in the matrix of the case '{}' and in --matrix", axis.flag, each.name),
                 "", "leave one of them out", ExitCode::settings});
        } else {
            axes.push_back(axis);
        }
    }
    return axes;
}

// The flag says what the axis says too.
bool says_the_same(const Layer& flags, const std::string& flag, const Axis& axis) {
    const auto given = flags.values.find(flag);
    return given != flags.values.end() &&
           std::all_of(axis.values.begin(), axis.values.end(), [&](const std::string& value) {
               const std::vector<Assignment> all = assignments_of(axis.flag, value);
               return std::all_of(all.begin(), all.end(), [&](const Assignment& each) {
                   return each.flag != flag || each.text == given->second.text;
               });
           });
}

// What an axis sets, neither a flag nor another axis does.
void check_axes(const std::vector<Axis>& axes, const Layer& flags, std::vector<Fault>& faults) {
    std::map<std::string, std::string> set_by;
    for (const Axis& axis : axes) {
        const bool bundle = bundles_of(axis.flag) != nullptr;
        for (const std::string& flag : flags_set_by(axis)) {
            if (is_set(flags, flag) && !(bundle && says_the_same(flags, flag, axis))) {
                add_once(faults, {{fmt::format("--{} says one value, and the matrix others", flag),
                                   bundle ? fmt::format("{} sets it", axis.flag) : "",
                                   bundle ? fmt::format("leave it out, or name the values of {} that do not: "
                                                        "--matrix {}=…",
                                                        axis.flag, axis.flag)
                                          : "leave one of them out",
                                   ExitCode::settings}});
            }
            const auto [other, is_new] = set_by.emplace(flag, axis.flag);
            if (!is_new) {
                add_once(faults,
                         {{fmt::format("{} and {} are both in the matrix", other->second, axis.flag),
                           fmt::format("each sets {}", flag), "leave one of them out", ExitCode::settings}});
            }
        }
    }
}

// Where other servers answer, or other programs run, nothing is known.
bool knows_gaps(const Settings& settings) {
    return settings.nics.front().network == NetworkMode::isolated && !settings.ipxe_rom &&
           !settings.firmware_code;
}

std::string gap_of(std::string_view way, const std::vector<Axis>& axes, const Combination& combination) {
    for (const Gap& gap : known_gaps()) {
        for (std::size_t i = 0; i < axes.size(); ++i) {
            if ((axes[i].by_default || gap.misleads) && gap.way == way && gap.axis == axes[i].flag &&
                gap.value == combination[i]) {
                return std::string{gap.why};
            }
        }
    }
    return "";
}

class CellMaker {
  public:
    explicit CellMaker(const CellSource& source) : source_{source} {}

    void add_case(const Case& each) {
        made_.faults.insert(made_.faults.end(), each.settings.faults.begin(), each.settings.faults.end());
        std::vector<Axis> axes = axes_of(source_, each, made_.faults);
        leave_offers_to_network(each, axes);
        check_axes(axes, source_.flags, made_.faults);
        const auto all = combinations(axes, most_cells - made_.cells.size());
        if (!all) {
            add_once(made_.faults, {{fmt::format("these are more than {} VMs", most_cells), "",
                                     "try fewer values at a time", ExitCode::settings}});
            return;
        }
        for (const Combination& combination : *all) {
            add_cell(each, axes, combination);
        }
    }

    [[nodiscard]] Cells take() { return std::move(made_); }

  private:
    // vm-launch chooses how the file is named on a segment alone.
    void leave_offers_to_network(const Case& each, std::vector<Axis>& axes) {
        const auto offers = std::find_if(axes.begin(), axes.end(), [](const Axis& axis) {
            return axis.by_default && axis.flag == offer_axis;
        });
        if (offers == axes.end()) {
            return;
        }
        Layer layer = source_.flags;
        add_weaker(layer, each.settings);
        Cell scratch;
        read_once(layer, scratch);
        const ReadResult& read = scratch.read;
        const NetworkMode network = read.settings.nics.front().network;
        if (read.origins.contains("network") && network != NetworkMode::isolated) {
            add_once(made_.warnings,
                     {fmt::format("the matrix is without {}: {} is {}, where other servers say how the boot "
                                  "file is named",
                                  offer_axis, origin_of(read.origins, "network"), to_string(network))});
            axes.erase(offers);
        }
    }

    void add_cell(const Case& each, const std::vector<Axis>& axes, const Combination& combination) {
        Layer layer = source_.flags;
        layer.faults.clear();
        add_weaker(layer, each.settings);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            for (const Assignment& each_setting : assignments_of(axes[i].flag, combination[i])) {
                set(layer, each_setting.flag, each_setting.text, "the matrix");
            }
        }
        const std::string values = name_of(axes, combination);
        Cell cell;
        cell.name = printable(each.name) + (each.name.empty() || values.empty() ? "" : " ") + values;
        cell.stem = stem_of(made_.cells.size() + 1, without_logins(cell.name));
        cell.expect = each.expect;
        cell.is_combination = !axes.empty();
        read_once(layer, cell);
        take_way(axes, combination, cell);
        const Settings said = cell.read.settings;
        cell.vm = fmt::format("{}-{}", said.name.value_or("test"), made_.cells.size() + 1);
        set(layer, "name", cell.vm, "test");
        complete(layer, said, each.expect);
        read_once(layer, cell);
        add_once(made_.faults, cell.read.faults);
        add_once(made_.warnings, cell.read.warnings);
        made_.cells.push_back(std::move(cell));
    }

    static void take_way(const std::vector<Axis>& axes, const Combination& combination, Cell& cell) {
        for (std::size_t i = 0; i < axes.size(); ++i) {
            expect_of(axes[i].flag, combination[i], cell.expect);
            if (axes[i].flag == way_axis) {
                cell.is_a_way = true;
                if (knows_gaps(cell.read.settings)) {
                    cell.gap = gap_of(combination[i], axes, combination);
                }
            }
        }
    }

    // What is shown or written elsewhere is the test's own affair.
    static void complete(Layer& layer, const Settings& said, const Expectation& expect) {
        if (!said.until) {
            set(layer, "until", goal_of(expect), "expect");
        }
        if (!said.persist) {
            set(layer, "persist", "off", "test");
        }
        if (!said.boot_timeout) {
            set(layer, "boot-timeout", std::string{default_boot_timeout}, "test");
        }
        for (const char* flag : {"no-console", "console-raw"}) {
            set(layer, flag, "off", "test");
        }
        set(layer, "console", "auto", "test");
        set(layer, "log-format", "text", "test");
    }

    void read_once(const Layer& layer, Cell& cell) const {
        Written written = written_out(layer, source_.qemu_args);
        Environment environment = source_.environment;
        for (const auto& [name, value] : written.secrets) {
            environment.insert_or_assign(name, value);
        }
        cell.read = read_settings(written.arguments, environment, source_.read_file, source_.subcommands);
        cell.arguments = std::move(written.arguments);
        cell.secrets = std::move(written.secrets);
    }

    const CellSource& source_;
    Cells made_;
};

}  // namespace

std::optional<TimeLimit> time_limit_of(const Settings& settings) {
    constexpr std::chrono::seconds slack{60};
    const auto boot = settings.boot_timeout.value_or(std::chrono::seconds{0});
    if (boot.count() == 0) {
        return std::nullopt;
    }
    return TimeLimit{boot + settings.stop_timeout + slack, settings.stop_timeout + slack};
}

Cells cells_of(const CellSource& source) {
    CellMaker maker{source};
    for (const Case& each : source.cases) {
        maker.add_case(each);
    }
    Cells made = maker.take();
    if (made.cells.size() == 1 && made.cells.front().expect == Expectation{} &&
        source.cases.front().name.empty() && made.cells.front().name.empty()) {
        made.cells.front().name = made.cells.front().vm;
    }
    return made;
}

}  // namespace vml::cases
