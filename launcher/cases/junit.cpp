// As python-junit-xml's and Jenkins's schema have it: testsuites, testsuite, testcase, and in that failure or
// skipped, then system-out and system-err.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "bootwatch/report_page.h"
#include "launcher/cases/results.h"

namespace vml::cases {

namespace {

// XML 1.0, 2.2: of what boot::escaped lets through, U+FFFE and U+FFFF are no characters there.
std::string xml(std::string_view text) {
    std::string safe = boot::escaped(text);
    for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
        for (std::size_t at = 0; (at = safe.find(none, at)) != std::string::npos;) {
            safe.replace(at, none.size(), "?");
        }
    }
    return safe;
}

std::string xml_lines(std::string_view text) {
    std::string lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines += xml(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string element(std::string_view name, std::string_view text) {
    return text.empty() ? std::string{} : fmt::format("      <{0}>{1}</{0}>\n", name, xml_lines(text));
}

std::string all_reasons(const Result& result) {
    std::string text;
    for (const std::string& reason : result.reasons) {
        text += (text.empty() ? "" : "\n") + reason;
    }
    return text;
}

std::string testcase(const Result& result) {
    std::string text = fmt::format("    <testcase classname=\"vm-launch\" name=\"{}\" time=\"{:.3f}\">\n",
                                   xml(result.name), result.seconds);
    const std::string first = result.reasons.empty() ? "" : result.reasons.front();
    if (result.outcome == Outcome::failed) {
        text += fmt::format("      <failure message=\"{}\" type=\"expectation\">{}</failure>\n", xml(first),
                            xml_lines(all_reasons(result)));
    } else if (result.outcome != Outcome::passed) {
        text += fmt::format("      <skipped message=\"{}\"/>\n", xml(all_reasons(result)));
    }
    return text + element("system-out", result.console) + element("system-err", result.log) +
           "    </testcase>\n";
}

}  // namespace

std::string results_as_junit(const std::vector<Result>& results) {
    const Tally tally = tally_of(results);
    const double seconds = std::accumulate(results.begin(), results.end(), 0.0,
                                           [](double sum, const Result& each) { return sum + each.seconds; });
    const std::string counts =
        fmt::format(R"(tests="{}" failures="{}" errors="0" skipped="{}" time="{:.3f}")", results.size(),
                    tally.failed, tally.skipped + tally.not_run, seconds);
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n"
        "  <testsuite name=\"vm-launch test\" {0}>\n",
        counts);
    for (const Result& result : results) {
        text += testcase(result);
    }
    return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace vml::cases
