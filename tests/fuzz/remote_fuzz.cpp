// What other VMs and their guests say: answers to `status`, processes' arguments and rights, run states, and
// whatever comes out of a guest agent's port.
//
// Holds that nothing is thrown, that what is shown commands no terminal and is UTF-8, that JSON is JSON, that
// both are bounded by what was told, and that a guest's lines are bounded, in whatever pieces they come.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "control/protocol.h"
#include "launcher/remote/agent_lines.h"
#include "launcher/remote/run_state.h"
#include "launcher/remote/status.h"
#include "launcher/remote/told.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;

constexpr std::size_t frame = 4096;  // of what is shown of a VM, without what it told
constexpr std::size_t longest_escape = 6;
constexpr std::size_t deepest_indent = 2 * (deepest_json + 4);  // before a value, which may be one digit

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\0'), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

// `told`: the bytes that were.
void check_shown(const std::vector<RunningStatus>& vms, std::size_t told) {
    require(status_as_text(vms).size() <= frame + longest_escape * told);
    require(status_as_json(vms).size() <= frame + (longest_escape + deepest_indent) * told);
    for (const std::string& shown : {status_as_text(vms), status_as_json(vms)}) {
        require(std::none_of(shown.begin(), shown.end(),
                             [](char c) { return c != '\n' && static_cast<unsigned char>(c) < ' '; }));
    }
    require(!parse_json(status_as_json(vms)).is_discarded());
}

void check_told(std::string_view text) {
    const auto answer = control::parse_answer(text);
    const auto* told = std::get_if<nlohmann::json>(&answer);
    if (told != nullptr && oddity_of(*told).empty()) {
        RunningStatus vm{.name = "vm", .qemu = {.pid = 2}, .launcher = {.pid = 1}};
        check_shown(with_told({vm}, {{.launcher = 1, .words = *told}}), text.size());
    }
}

void check_process(std::string_view text) {
    const RunningStatus vm{.name = printable(vm_name_in(words_of(text)))};
    static_cast<void>(parse_process_status(std::string{text}));  // the kernel's own words
    static_cast<void>(remedy_for(text));
    static_cast<void>(why_not_running(text));
    static_cast<void>(is_past_help(text));
    if (!vm.name.empty()) {
        check_shown({vm}, text.size());
    }
}

// The first byte says how large the pieces are.
void check_agent(std::string_view text) {
    constexpr std::size_t limit = 512;
    if (text.empty()) {
        return;
    }
    AgentLines lines{4};
    const std::size_t piece = 1 + static_cast<unsigned char>(text.front());
    for (text.remove_prefix(1); !text.empty();) {
        const AgentLines::Taken taken = lines.take(text.substr(0, piece), limit);
        require(taken.count > 0 && taken.count <= std::min(piece, text.size()));
        require(!taken.line || (taken.line->size() <= limit && taken.line->find('\n') == std::string::npos));
        text.remove_prefix(taken.count);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_told(input);
    check_process(input);
    check_agent(input);
    return 0;
}
