// docs/verdicts.md and the code tell the same verdicts.
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

TEST_CASE("each verdict has a row in docs/verdicts.md, and each row is a verdict") {
    std::map<std::string, std::vector<std::string>> rows;
    std::istringstream text{read_file(root() / "docs/verdicts.md")};
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with("| `")) {
            const auto row = cells(line);
            REQUIRE(row.size() == 5);
            INFO(line);
            CHECK(rows.emplace(row[0], row).second);
            for (const std::string& cell : row) {
                CHECK_FALSE(cell.empty());
            }
        }
    }
    for (const VerdictRow& verdict : verdict_rows) {
        INFO(verdict.name);
        const auto row = rows.find("`" + std::string{verdict.name} + "`");
        REQUIRE(row != rows.end());
        std::string sentence{verdict.sentence};
        if (const std::size_t at = sentence.find("{}"); at != std::string::npos) {
            sentence.replace(at, 2, "…");
        }
        CHECK(row->second[1] == sentence);
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
