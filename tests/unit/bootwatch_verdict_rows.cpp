// docs/verdicts.md and the code tell the same verdicts.
#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "bootwatch/verdict_rows.h"
#include "tests/unit/bootwatch_evidence.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

std::filesystem::path root() {
    return std::filesystem::path{VML_TEST_DIR}.parent_path();
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The cells of a table's row.
std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> all;
    std::istringstream stream{line.substr(1)};
    for (std::string cell; std::getline(stream, cell, '|');) {
        all.push_back(trimmed(cell));
    }
    return all;
}

// The rows of docs/verdicts.md by their first cell.
std::map<std::string, std::vector<std::string>> documented() {
    std::map<std::string, std::vector<std::string>> rows;
    std::istringstream text{read_file(root() / "docs/verdicts.md")};
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with("| `")) {
            const auto row = cells(line);
            REQUIRE(row.size() == 5);
            REQUIRE(
                std::none_of(row.begin(), row.end(), [](const std::string& cell) { return cell.empty(); }));
            CHECK(row[4].find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos);  // a healthy boot
            REQUIRE(rows.emplace(row[0], row).second);
        }
    }
    return rows;
}

std::string sentence_of(const VerdictRow& verdict) {
    std::string sentence{verdict.sentence};
    const std::size_t at = sentence.find("{}");
    return at == std::string::npos ? sentence : sentence.replace(at, 2, "…");
}

TEST_CASE("each verdict has a row in docs/verdicts.md, and each row is a verdict") {
    const auto rows = documented();
    for (const VerdictRow& verdict : verdict_rows) {
        INFO(verdict.name);
        const auto row = rows.find("`" + std::string{verdict.name} + "`");
        REQUIRE(row != rows.end());
        CHECK(row->second[1] == sentence_of(verdict));
        CHECK(row->second[2] == std::to_string(static_cast<int>(verdict.code)));
    }
    CHECK(rows.size() == verdict_rows.size());
}

TEST_CASE("each verdict is told somewhere, and none without its row") {
    std::string code;
    for (const auto& entry : std::filesystem::directory_iterator{root() / "bootwatch"}) {
        const std::string name = entry.path().filename();
        if (name.starts_with("verdict") && name.ends_with(".cpp")) {
            code += read_file(entry.path());
        }
    }
    for (const VerdictRow& verdict : verdict_rows) {
        INFO(verdict.name);
        CHECK(code.find("\"" + std::string{verdict.name} + "\"") != std::string::npos);
    }
    CHECK(code.find("Fault{") == std::string::npos);
}

}  // namespace
}  // namespace vml::boot
