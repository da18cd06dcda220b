// A file of test cases, what a VM writes while it runs and the report that it leaves, in one input cut at NUL
// bytes: the file's kind and text, events, console, report → results in every form.
//
// Holds that nothing but a fault comes of a wrong file, that what a VM writes takes no memory without end,
// and that TAP, JUnit, JSON and the page stay text of their own, in UTF-8 and without controls.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "launcher/cases/judge.h"
#include "launcher/cases/progress.h"
#include "launcher/cases/results.h"
#include "launcher/cases/test_file.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::cases;

std::string_view next_part(std::string_view& input) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    const std::string_view part = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return part;
}

// What checks is not what is to be covered.
__attribute__((no_sanitize("coverage"))) void require_plain(std::string_view text) {
    require(is_utf8(text));
    require(std::none_of(text.begin(), text.end(), [](char c) { return c != '\n' && c >= 0 && c < ' '; }));
}

Evidence evidence_of(std::string_view& input, const Expectation& expect) {
    constexpr std::size_t longest_tail = std::size_t{16} << 10;
    Progress progress{expect.console};
    progress.events(next_part(input));
    progress.console(next_part(input));
    progress.log(next_part(input));
    progress.finish();
    require_plain(progress.stage());
    require(progress.console_tail().size() <= longest_tail && progress.log_tail().size() <= longest_tail);
    Evidence evidence;
    evidence.console = progress.console_tail();
    evidence.log = progress.log_tail();
    evidence.console_seen = progress.console_seen();
    evidence.console_matched = progress.console_matched();
    nlohmann::json report = parse_json(next_part(input));
    evidence.report = report.is_object() ? report : nlohmann::json(nullptr);
    return evidence;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input{reinterpret_cast<const char*>(data), size};
    const bool toml = next_part(input) == "toml";
    const TestFile file = read_test_file(next_part(input), toml ? "folder/boot.toml" : "folder/boot.json");
    for (const Fault& fault : file.faults) {
        require(!fault.what.empty() && fault.code == ExitCode::settings);
    }
    std::vector<Result> results;
    for (const Case& each : file.cases) {
        Cell cell;
        cell.name = each.name;
        cell.expect = each.expect;
        results.push_back(result_of(cell, evidence_of(input, each.expect)));
        require_plain(as_line(results.back(), 0));
    }
    require_plain(results_as_tap(results));
    require_plain(results_as_junit(results));
    require_plain(results_as_page(results, {}));
    require_plain(results_as_json(results).dump());
    return 0;
}
