// Session::feed with whatever a peer may send. The input's first byte sizes the chunks, the rest is the wire.
//
// Holds that chunks do not matter, and that each command comes back exactly once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "qmp/session.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml::qmp;

constexpr int commands = 4;
constexpr std::size_t line_limit = 512;  // small, so that it is met

struct Run {
    std::vector<Delivery> deliveries;
    std::vector<Failure> unanswered;

    bool operator==(const Run&) const = default;
};

// What has come back for each id.
void check_ids(const Run& run) {
    std::map<std::uint64_t, int> times;
    for (const Delivery& delivery : run.deliveries) {
        if (const auto* reply = std::get_if<Reply>(&delivery)) {
            ++times[reply->id];
        } else if (const auto* failure = std::get_if<Failure>(&delivery)) {
            ++times[failure->id.value()];
        }
    }
    for (const Failure& failure : run.unanswered) {
        ++times[failure.id.value()];
    }
    require(times.size() == commands);
    require(std::all_of(times.begin(), times.end(), [](const auto& entry) { return entry.second == 1; }));
}

Run converse(std::string_view wire, std::size_t chunk) {
    Session session{line_limit};
    for (int i = 0; i < commands; ++i) {
        require(session.command({"query-status"}).has_value());
    }
    Run run;
    for (std::size_t at = 0; at < wire.size(); at += chunk) {
        session.feed(wire.substr(at, chunk));
        while (auto delivery = session.next()) {
            run.deliveries.push_back(std::move(*delivery));
        }
    }
    run.unanswered = session.close("end");
    require(session.pending() == 0 && !session.next());
    return run;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string wire(data + 1, data + size);
    const Run chunked = converse(wire, std::size_t{1} + data[0] % 64U);
    check_ids(chunked);
    require(chunked == converse(wire, wire.size()));
    return 0;
}
