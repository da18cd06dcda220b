// A script of any bytes. Holds that what is found has a place in it and is bounded by it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ipxescript/check.h"
#include "tests/fuzz/require.h"

using namespace vml::ipxescript;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const Script script = read_script(bytes);
    const auto lines = 1 + std::count(bytes.begin(), bytes.end(), '\n');
    int last = 0;
    for (const Line& line : script.lines) {
        require(line.number > last && line.number <= lines);
        last = line.number;
        require(!line.label.empty() || !line.commands.empty());
        for (const Command& command : line.commands) {
            require(!command.words.empty() && !command.name().empty());
        }
    }
    for (const Build build : {Build::any, Build::y2019, Build::y2025}) {
        for (const Finding& finding : check(script, build)) {
            require(finding.line >= 1 && finding.line <= lines);
        }
    }
    require(files_of(script).size() <= most_files);
    return 0;
}
