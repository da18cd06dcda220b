#include "launcher/cases/cell.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/logins.h"
#include "base/text.h"
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
    for (const Axis& axis : axes) {
        if (is_set(source.flags, axis.flag)) {
            faults.push_back({fmt::format("--{} says one value, and the matrix others", axis.flag), "",
                              "leave one of them out", ExitCode::settings});
        }
    }
    return axes;
}

class CellMaker {
  public:
    explicit CellMaker(const CellSource& source) : source_{source} {}

    void add_case(const Case& each) {
        made_.faults.insert(made_.faults.end(), each.settings.faults.begin(), each.settings.faults.end());
        const std::vector<Axis> axes = axes_of(source_, each, made_.faults);
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
    void add_cell(const Case& each, const std::vector<Axis>& axes, const Combination& combination) {
        Layer layer = source_.flags;
        layer.faults.clear();
        add_weaker(layer, each.settings);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            set(layer, axes[i].flag, combination[i], "the matrix");
        }
        const std::string values = name_of(axes, combination);
        Cell cell;
        cell.name = printable(each.name) + (each.name.empty() || values.empty() ? "" : " ") + values;
        cell.stem = stem_of(made_.cells.size() + 1, without_logins(cell.name));
        cell.expect = each.expect;
        cell.is_combination = !axes.empty();
        read_once(layer, cell);
        const Settings said = cell.read.settings;
        cell.vm = fmt::format("{}-{}", said.name.value_or("test"), made_.cells.size() + 1);
        set(layer, "name", cell.vm, "test");
        complete(layer, said, each.expect);
        read_once(layer, cell);
        add_once(made_.faults, cell.read.faults);
        add_once(made_.warnings, cell.read.warnings);
        made_.cells.push_back(std::move(cell));
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
