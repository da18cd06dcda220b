// How a run goes on and ends, what it shows and writes. Pure; each parse_… throws ValueError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

// 5900 and above: QEMU counts its displays from there.
[[nodiscard]] std::uint16_t parse_vnc_port(std::string_view text);
// "" for `none`.
[[nodiscard]] std::string parse_vnc_password(std::string_view text);
// The names of a boot's stages.
[[nodiscard]] std::vector<std::string> stage_words();
// A stage's name.
[[nodiscard]] std::string parse_health_stage(std::string_view text);
// A stage's name (boot::stage_names()), or "console:" and a regular expression.
[[nodiscard]] Until parse_until(std::string_view text);
// Paths of a kind that kind_of_report knows, separated by commas.
[[nodiscard]] std::vector<std::filesystem::path> parse_reports(std::string_view text);

// What a report is, by its name's end.
enum class ReportKind { json, page, packets };
// Nothing: a report has no such name.
[[nodiscard]] std::optional<ReportKind> kind_of_report(const std::filesystem::path& path);
// A path, "-" for standard output, or "fd:" and a descriptor's number.
[[nodiscard]] EventTarget parse_event_target(std::string_view text);
[[nodiscard]] std::vector<std::string> parse_extra_args(std::string_view text);

[[nodiscard]] std::vector<OptionRow> run_options();

}  // namespace vml
