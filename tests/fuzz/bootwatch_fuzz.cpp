// Console bytes → lines → sightings → progress, with whatever a guest may write. The input's first byte sizes
// the chunks, the rest is the console.
//
// Holds that chunks do not matter, that lines are plain text of a bounded length, and that progress never
// goes back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bootwatch/console_text.h"
#include "bootwatch/stage.h"

namespace {

using namespace vml::boot;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

bool is_plain(const std::string& line) {
    return std::all_of(line.begin(), line.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t'; });
}

struct Read {
    std::vector<std::string> lines;
    std::string partial;

    bool operator==(const Read&) const = default;
};

Read read_in_chunks(std::string_view bytes, std::size_t chunk) {
    ConsoleText text;
    Read read;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
        for (std::string& line : text.feed(bytes.substr(at, chunk))) {
            read.lines.push_back(std::move(line));
        }
    }
    read.partial = text.partial();
    return read;
}

void follow(const std::vector<std::string>& lines) {
    Progress progress;
    std::optional<Stage> last;
    for (const std::string& line : lines) {
        require(!line.empty() && line.size() <= ConsoleText::longest_line && is_plain(line));
        const std::optional<Sighting> sighting = sighting_in_line(line);
        if (!sighting) {
            continue;
        }
        const std::optional<Sighting> news = progress.see(*sighting);
        require(!progress.see(*sighting));  // told once is told
        require(progress.stage() >= last && (!news || news->stage == progress.stage()));
        last = progress.stage();
    }
    progress.reset();
    require(!progress.stage() && !progress.os_runs());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string bytes(data + 1, data + size);
    const Read whole = read_in_chunks(bytes, bytes.size());
    require(whole == read_in_chunks(bytes, std::size_t{1} + data[0] % 64U));
    require(whole.partial.size() < ConsoleText::longest_line && is_plain(whole.partial));
    follow(whole.lines);
    return 0;
}
