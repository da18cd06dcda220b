#include "rom/describe.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "rom/runs_on.h"

namespace vml::rom {

namespace {

constexpr std::size_t width = 100;
constexpr std::size_t columns = 11;
using Row = std::array<std::string, columns>;

std::string clipped(const std::string& text, std::size_t limit) {
    return text.size() <= limit ? text : text.substr(0, limit - 1) + "~";
}

std::string device_cell(const Image& image) {
    if (image.devices.empty()) {
        return "-";
    }
    const std::size_t more = image.devices.size() - 1;
    return fmt::format("{:04x}{}", image.devices.front(), more == 0 ? "" : fmt::format(" +{}", more));
}

std::string efi_entry_cell(const Efi& efi) {
    const std::string_view packed = efi.compression == 0 ? "" : ", packed";
    switch (efi.subsystem) {
        case 0x0B:
            return fmt::format("driver{}", packed);
        case 0x0C:
            return fmt::format("rt driver{}", packed);
        default:
            return fmt::format("subsystem 0x{:x}", efi.subsystem);
    }
}

// How the firmware starts the image.
std::string entry_cell(const Image& image) {
    if (image.efi) {
        return efi_entry_cell(*image.efi);
    }
    if (!image.pnp) {
        return has_checksum(image) ? "no $PnP" : "-";
    }
    if (image.pnp->bev != 0) {
        return fmt::format("BEV 0x{:04x}", image.pnp->bev);
    }
    return image.pnp->bcv != 0 ? fmt::format("BCV 0x{:04x}", image.pnp->bcv) : "no BEV";
}

std::string sum_cell(const Image& image) {
    if (!has_checksum(image)) {
        return "-";
    }
    return image.checksum_ok ? "ok" : "bad";
}

Row row_of(const Image& image, std::size_t index) {
    const bool pcir = image.code_type != CodeType::none;
    const std::string code =
        image.efi ? "EFI " + machine_name(image.efi->machine) : to_string(image.code_type);
    return {fmt::format("{}", index + 1),
            fmt::format("0x{:x}", image.offset),
            fmt::format("{}", image.length),
            fmt::format("{}", image.init_size),
            clipped(code, 13),
            pcir ? to_string(image.id) : "-",
            clipped(device_cell(image), 8),
            pcir ? fmt::format("{:06x}", image.class_code) : "-",
            clipped(entry_cell(image), 16),
            sum_cell(image),
            image.last ? "yes" : "no"};
}

std::vector<Row> rows_of(const OptionRom& rom) {
    std::vector<Row> rows{
        {"#", "offset", "length", "init", "code", "id", "devices", "class", "entry", "sum", "last"}};
    for (std::size_t i = 0; i < rom.images.size(); ++i) {
        rows.push_back(row_of(rom.images[i], i));
    }
    return rows;
}

std::array<std::size_t, columns> widths_of(const std::vector<Row>& rows) {
    std::array<std::size_t, columns> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < columns; ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    return widths;
}

// Two spaces between columns, or one where two would make it too wide.
std::string image_table(const OptionRom& rom) {
    const std::vector<Row> rows = rows_of(rom);
    const auto widths = widths_of(rows);
    std::size_t total = 2 * (columns - 1);
    for (const std::size_t w : widths) {
        total += w;
    }
    const std::string gap(total > width ? 1 : 2, ' ');
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < columns; ++i) {
            text += fmt::format("{:<{}}{}", row[i], widths[i], gap);
        }
        text += row.back() + "\n";
    }
    return text;
}

// `start` and the words of `text`, wrapped; the lines after the first are indented as far as `start` goes.
std::string wrapped(const std::string& start, std::string_view text) {
    std::string result;
    std::string line = start;
    bool empty = true;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (!empty && line.size() + 1 + word.size() > width) {
            result += line + "\n";
            line.assign(start.size(), ' ');
            empty = true;
        }
        line += (empty ? "" : " ") + std::string{word};
        empty = false;
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return result + line + "\n";
}

template <class Items, class ToText>
std::string listed(const Items& items, const ToText& to_text) {
    std::string text;
    for (const auto& item : items) {
        text += (text.empty() ? "" : ", ") + to_text(item);
    }
    return text;
}

std::string summary(const OptionRom& rom) {
    std::string text = fmt::format("{} bytes, {} image{}", rom.file_size, rom.images.size(),
                                   rom.images.size() == 1 ? "" : "s");
    if (rom.trailing_bytes > 0) {
        text += fmt::format(", {} bytes after the last one", rom.trailing_bytes);
    }
    if (rom.is_ipxe) {
        text += ", iPXE " + rom.ipxe_version.value_or("(the version cannot be read)");
    }
    return text;
}

std::string pnp_lines(const OptionRom& rom) {
    std::string text;
    for (std::size_t i = 0; i < rom.images.size(); ++i) {
        if (const auto& pnp = rom.images[i].pnp) {
            text += wrapped(
                image_label(i) + " calls itself ",
                fmt::format(R"("{}" by "{}")", clipped(pnp->product, 60), clipped(pnp->manufacturer, 60)));
        }
    }
    return text;
}

std::string verdict_text(const RunsOn& verdict) {
    const std::string ids = listed(verdict.ids, [](PciId id) { return to_string(id); });
    const std::string models = listed(verdict.nic_models, [](const std::string& name) { return name; });
    const std::string_view condition = verdict.firmware == Firmware::bios
                                           ? "on a device with the ID"
                                           : "with any ID; its driver is made for";
    return fmt::format("{}, {} {} ({})", image_label(*verdict.image_index), condition, ids,
                       models.empty() ? "none of the NIC models" : models);
}

// "yes" is only what boots, and a driver alone leaves that to the firmware.
std::string_view answer(const RunsOn& verdict) {
    return !verdict.image_index ? "no:" : verdict.role == IpxeRole::driver ? "driver:" : "yes:";
}

std::string verdict_lines(const RunsOn& verdict) {
    const std::string where = fmt::format("{} {}", to_string(verdict.arch), to_string(verdict.firmware));
    std::string text;
    std::string start = fmt::format("  {:<12}  {:<4} ", where, answer(verdict));
    const auto add = [&](const std::string& sentence) {
        text += wrapped(start, sentence);
        start.assign(start.size(), ' ');
    };
    if (verdict.image_index) {
        add(verdict_text(verdict));
    }
    std::for_each(verdict.reasons.begin(), verdict.reasons.end(), add);
    std::for_each(verdict.notes.begin(), verdict.notes.end(), add);
    return text;
}

std::string runs_on_lines(const OptionRom& rom) {
    std::string text = "network boot on\n";
    for (const RunsOn& verdict : where_it_runs(rom)) {
        text += verdict_lines(verdict);
    }
    return text;
}

std::string problem_lines(const OptionRom& rom) {
    if (rom.problems.empty()) {
        return "problems: none\n";
    }
    std::string text = "problems\n";
    for (const std::string& problem : rom.problems) {
        text += wrapped("  - ", problem);
    }
    return text;
}

// Keeps UTF-8, drops what could move the cursor.
std::string without_controls(std::string_view text) {
    std::string safe{text};
    std::replace_if(
        safe.begin(), safe.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
        '?');
    return safe;
}

}  // namespace

std::string to_table(const OptionRom& rom, std::string_view path) {
    return without_controls(path) + "\n" + wrapped("  ", summary(rom)) + "\n" + image_table(rom) +
           pnp_lines(rom) + "\n" + runs_on_lines(rom) + "\n" + problem_lines(rom);
}

}  // namespace vml::rom
