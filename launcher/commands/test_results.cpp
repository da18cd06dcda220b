#include "launcher/commands/test_results.h"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/file.h"
#include "base/output.h"
#include "bootwatch/report_page.h"
#include "launcher/cases/results.h"

namespace vml {

namespace {

constexpr std::string_view standard_output = "-";
constexpr std::string_view page_file = "index.html";  // in the folder of the reports
constexpr std::string_view results_file = "results.json";

struct ResultFile {
    std::string_view flag;
    const std::optional<std::filesystem::path>& path;
    std::string (*text)(const std::vector<cases::Result>& results);
};

std::vector<ResultFile> result_files(const TestFlags& flags) {
    return {{"--junit", flags.junit, cases::results_as_junit}, {"--tap", flags.tap, cases::results_as_tap}};
}

void write_page(const ReportFolder& folder, const std::vector<cases::Result>& results) {
    constexpr std::size_t largest_page = std::size_t{8} << 20;  // a report's page has 4 MiB at most
    std::vector<cases::Picture> pictures;
    for (const cases::Result& result : results) {
        if (!result.stem.empty()) {
            const auto page = read_file(folder.path() / (result.stem + ".html"), largest_page);
            pictures.push_back({result.stem, boot::waterfalls_in(page.value_or(""))});
        }
    }
    write_result_file(folder.path() / page_file, cases::results_as_page(results, pictures));
    write_result_file(folder.path() / results_file, cases::results_as_json(results).dump(2) + "\n");
}

}  // namespace

std::filesystem::path real_path(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::absolute(std::filesystem::weakly_canonical(path, ignored), ignored);
}

bool takes_standard_output(const ReadResult& read) {
    const TestFlags& flags = read.command.test;
    return read.command.format == OutputFormat::json || flags.junit == standard_output ||
           flags.tap == standard_output;
}

void check_outputs_of_test(const ReadResult& read) {
    const TestFlags& flags = read.command.test;
    const int takers = static_cast<int>(read.command.format == OutputFormat::json) +
                       static_cast<int>(flags.junit == standard_output) +
                       static_cast<int>(flags.tap == standard_output);
    if (takers > 1) {
        throw Error{{"test: standard output can have one kind of result alone", "",
                     "name files for the others", ExitCode::settings}};
    }
    std::map<std::filesystem::path, std::string> taken;
    for (const std::string& word : read.command.words) {
        taken.emplace(real_path(word), "the file of the cases");
    }
    if (flags.report) {
        taken.emplace(real_path(*flags.report / page_file), "a file of --report");
        taken.emplace(real_path(*flags.report / results_file), "a file of --report");
    }
    for (const ResultFile& file : result_files(flags)) {
        if (!file.path || *file.path == standard_output) {
            continue;
        }
        const auto [other, is_new] = taken.emplace(real_path(*file.path), std::string{file.flag} + "'s");
        if (!is_new) {
            throw Error{{fmt::format("{}: {} is {}", file.flag, file.path->string(), other->second), "",
                         "name another file", ExitCode::settings}};
        }
    }
}

void claim_result_files(const TestFlags& flags) {
    for (const ResultFile& file : result_files(flags)) {
        if (file.path && *file.path != standard_output) {
            claim_result_file(*file.path, file.flag);
        }
    }
}

std::vector<Fault> tell_results(const ReadResult& read, const ReportFolder& folder,
                                const std::vector<cases::Result>& results) {
    std::vector<Fault> faults;
    const auto attempt = [&](const std::function<void()>& write) {
        try {
            write();
        } catch (const Error& error) {
            faults.insert(faults.end(), error.faults().begin(), error.faults().end());
        }
    };
    for (const ResultFile& file : result_files(read.command.test)) {
        if (file.path == standard_output) {
            attempt([&] { print(file.text(results)); });
        } else if (file.path) {
            attempt([&] { write_result_file(*file.path, file.text(results)); });
        }
    }
    if (read.command.format == OutputFormat::json) {
        attempt([&] { print(cases::results_as_json(results).dump(2) + "\n"); });
    }
    if (folder.keeps()) {
        attempt([&] { write_page(folder, results); });
    }
    return faults;
}

}  // namespace vml
