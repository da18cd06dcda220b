#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/report_page.h"
#include "launcher/cases/results.h"

namespace vml::cases {

namespace {

// So much of one cell's pictures goes into the page: a boot has some 20 KB.
constexpr std::size_t most_of_a_picture = std::size_t{256} << 10;

constexpr std::string_view style_of_cells = R"css(
body { max-width: none; }
.cells { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 40rem), 1fr)); gap: 1.2rem; }
.cells section { min-width: 0; } .cells h2 { margin: .2rem 0; } .cells svg { min-width: 0; }
.cells .verdict.none { border-color: var(--line); }
@media print { .cells { display: block; } .cells section { break-inside: avoid; } }
)css";

std::string picture_html(const Result& result, const std::vector<Picture>& pictures) {
    const auto picture = std::find_if(pictures.begin(), pictures.end(), [&](const Picture& each) {
        return !each.stem.empty() && each.stem == result.stem;
    });
    if (picture == pictures.end()) {
        return {};
    }
    std::string html;
    for (const std::string& waterfall : picture->waterfalls) {
        if (html.size() + waterfall.size() > most_of_a_picture) {
            return html + "<p class=\"sub\">there is more in its own report</p>\n";
        }
        html += fmt::format("<div class=\"waterfall\">\n{}</div>\n", waterfall);
    }
    return html;
}

std::string_view class_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::passed:
            return "verdict";
        case Outcome::failed:
            return "verdict bad";
        default:
            return "verdict none";
    }
}

std::string cell_html(const Result& result, const std::vector<Picture>& pictures) {
    std::string html =
        fmt::format("<section>\n<h2>{}</h2>\n<div class=\"{}\"><b>{}</b>", boot::breakable(result.name),
                    class_of(result.outcome), to_string(result.outcome));
    for (const std::string& reason : result.reasons) {
        html += fmt::format("<span><i>{}</i></span>", boot::breakable(reason));
    }
    if (result.exit_code) {
        html += fmt::format("<span>{}</span><span>{:.1f} s, exit code {}", boot::breakable(result.verdict),
                            result.seconds, *result.exit_code);
        html += result.stem.empty() ? "</span>"
                                    : fmt::format(
                                          "; <a href=\"{0}.html\">report</a>, "
                                          "<a href=\"{0}.console.log\">console</a></span>",
                                          boot::escaped(result.stem));
    }
    return html + "</div>\n" + picture_html(result, pictures) + "</section>\n";
}

}  // namespace

std::string results_as_page(const std::vector<Result>& results, const std::vector<Picture>& pictures) {
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>vm-launch test</title>\n<style>{}{}</style></head>\n<body>\n<h1>vm-launch test</h1>\n"
        "<p class=\"sub\">{}</p>\n{}<div class=\"cells\">\n",
        boot::report_style, style_of_cells, boot::escaped(summary_line(results)), boot::report_legend);
    for (const Result& result : results) {
        html += cell_html(result, pictures);
    }
    return html + "</div>\n</body></html>\n";
}

}  // namespace vml::cases
