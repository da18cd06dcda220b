// QMP's messages: one line of JSON from QEMU to one typed value, one command to one line.
//
// Pure: no I/O, no state. Source: QEMU docs/interop/qmp-spec.txt, sections 2.2 (greeting), 2.3
// (commands), 2.4 (responses), 2.5 (events). The specification lets a server add keys and reorder them at
// will, so unknown keys are ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

namespace vml::qmp {

// The first line of a connection (2.2). It tells who is there, not that the machine exists: QEMU sends it
// while it still reads its own arguments.
struct Greeting {
    int major = 0;
    int minor = 0;
    int micro = 0;
    std::string package;  // the distribution's own version text; may be empty

    bool operator==(const Greeting&) const = default;
};

// A command that succeeded (2.4.1).
struct Reply {
    std::uint64_t id = 0;
    nlohmann::json value;  // an empty object for most commands

    bool operator==(const Reply&) const = default;
};

// A command that failed (2.4.2). QEMU leaves the id out when it could not make sense of what it was sent.
struct Failure {
    std::optional<std::uint64_t> id;
    std::string error_class;  // "GenericError", "CommandNotFound", ...; `disconnected` when no answer came
    std::string description;  // for humans; QEMU changes it between versions

    bool operator==(const Failure&) const = default;
};

// The class of a Failure that QEMU did not send: the connection ended before the answer.
inline constexpr std::string_view disconnected = "Disconnected";

// Something happened by itself (2.5).
struct Event {
    std::string name;
    nlohmann::json data;             // always an object, empty when the event has none
    std::int64_t seconds = -1;       // since 1970 by the host's clock; -1 when the host could not tell
    std::int64_t microseconds = -1;  // within that second; -1 likewise

    bool operator==(const Event&) const = default;
};

// A line that is none of the above.
struct Garbage {
    std::string why;
    std::string excerpt;

    bool operator==(const Garbage&) const = default;
};

using Message = std::variant<Greeting, Reply, Failure, Event, Garbage>;

// QEMU's own limit for what it is sent (qobject/json-streamer.c). Without a bound a line of brackets costs
// the stack of whatever walks the value later.
inline constexpr std::size_t max_depth = 1024;

// Whatever the bytes are, the answer is a Message; nothing is thrown (but for want of memory).
[[nodiscard]] Message parse_message(std::string_view line);

struct Command {
    std::string execute;
    nlohmann::json arguments = {};  // an object; null or empty when the command takes none

    bool operator==(const Command&) const = default;
};

// The command as one line with its newline, as short as can be: QEMU 7.2 takes some 7 µs for every byte that
// it reads. Bytes that are not UTF-8 are sent as U+FFFD, because JSON cannot carry them.
[[nodiscard]] std::string to_line(const Command& command, std::uint64_t id);

// The beginning of a line as printable text, for a message to a human.
[[nodiscard]] std::string excerpt_of(std::string_view line);

}  // namespace vml::qmp
