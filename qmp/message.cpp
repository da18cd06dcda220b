#include "qmp/message.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace vml::qmp {
namespace {

using nlohmann::json;

constexpr std::size_t excerpt_bytes = 96;

// Looks for the depth before the parser runs, which would keep a stack entry for each open bracket. Counts as
// the parser does up to the first mistake in the text, and after that the line is garbage anyway.
bool too_deep(std::string_view line) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            if (++depth > max_depth) {
                return true;
            }
        } else if (!in_string && (c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

// The member of that name; none when it is missing or `object` is not an object.
const json* member(const json& object, const char* key) {
    if (!object.is_object()) {
        return nullptr;
    }
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

const std::string* text_member(const json& object, const char* key) {
    const json* value = member(object, key);
    return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

// The value as a signed integer; none for anything else, and for what does not fit.
std::optional<std::int64_t> integer(const json* value) {
    if (value == nullptr || !value->is_number_integer()) {
        return std::nullopt;
    }
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > max) {
        return std::nullopt;
    }
    return value->get<std::int64_t>();
}

std::optional<int> version_part(const json& version, const char* key) {
    const auto number = integer(member(version, key));
    if (!number || *number < 0 || *number > std::numeric_limits<int>::max()) {
        return std::nullopt;
    }
    return static_cast<int>(*number);
}

// One kind of message each: the object, and its member that tells the kind. Garbage carries no excerpt yet.

Message greeting(json& /*object*/, json& body) {
    const json* version = member(body, "version");
    const json* qemu = version == nullptr ? nullptr : member(*version, "qemu");
    if (qemu == nullptr) {
        return Garbage{"a greeting without a version", {}};
    }
    const auto major = version_part(*qemu, "major");
    const auto minor = version_part(*qemu, "minor");
    const auto micro = version_part(*qemu, "micro");
    if (!major || !minor || !micro) {
        return Garbage{"a greeting whose version is not three numbers", {}};
    }
    const std::string* package = text_member(*version, "package");
    return Greeting{*major, *minor, *micro, package == nullptr ? std::string{} : *package};
}

Message reply(json& object, json& value) {
    const json* id = member(object, "id");
    if (id == nullptr || !id->is_number_unsigned()) {
        return Garbage{"a reply without an id of ours", {}};
    }
    return Reply{id->get<std::uint64_t>(), std::move(value)};
}

Message failure(json& object, json& error) {
    const std::string* error_class = text_member(error, "class");
    const std::string* description = text_member(error, "desc");
    if (error_class == nullptr || description == nullptr) {
        return Garbage{"an error without a class or a description", {}};
    }
    Failure result{std::nullopt, *error_class, *description};
    if (const json* id = member(object, "id")) {
        if (!id->is_number_unsigned()) {
            return Garbage{"an error whose id is not one of ours", {}};
        }
        result.id = id->get<std::uint64_t>();
    }
    return result;
}

// A lost SHUTDOWN would cost more than a lost clock, so an event may lack its timestamp, but not have a wrong
// one.
bool read_timestamp(const json& object, Event& event) {
    const json* timestamp = member(object, "timestamp");
    if (timestamp == nullptr) {
        return true;
    }
    const auto seconds = integer(member(*timestamp, "seconds"));
    const auto microseconds = integer(member(*timestamp, "microseconds"));
    if (!seconds || !microseconds) {
        return false;
    }
    event.seconds = *seconds;
    event.microseconds = *microseconds;
    return true;
}

Message event(json& object, json& name) {
    if (!name.is_string()) {
        return Garbage{"an event whose name is not a string", {}};
    }
    Event result{name.get<std::string>(), json::object()};
    if (!read_timestamp(object, result)) {
        return Garbage{"an event whose timestamp is not two numbers", {}};
    }
    const auto data = object.find("data");
    if (data != object.end()) {
        if (!data->is_object()) {
            return Garbage{"an event whose data is not an object", {}};
        }
        result.data = std::move(*data);
    }
    return result;
}

struct Kind {
    const char* key;
    Message (*read)(json& object, json& body);
};

constexpr std::array kinds{Kind{"return", reply}, Kind{"event", event}, Kind{"error", failure},
                           Kind{"QMP", greeting}};

Message read_object(json& object) {
    const auto is_of = [&object](const Kind& kind) { return object.contains(kind.key); };
    const auto matches = std::count_if(kinds.begin(), kinds.end(), is_of);
    if (matches != 1) {
        return Garbage{matches == 0 ? "an object that is no QMP message" : "two QMP messages in one object",
                       {}};
    }
    const Kind& kind = *std::find_if(kinds.begin(), kinds.end(), is_of);
    return kind.read(object, object[kind.key]);
}

Message read_line(std::string_view line) {
    if (too_deep(line)) {
        return Garbage{"JSON that is nested too deeply", {}};
    }
    json value = json::parse(line.begin(), line.end(), nullptr, false);
    if (value.is_discarded()) {
        return Garbage{"not JSON", {}};
    }
    if (!value.is_object()) {
        return Garbage{"JSON, but not an object", {}};
    }
    return read_object(value);
}

}  // namespace

Message parse_message(std::string_view line) {
    Message message = read_line(line);
    if (auto* garbage = std::get_if<Garbage>(&message)) {
        garbage->excerpt = excerpt_of(line);
    }
    return message;
}

std::string to_line(const Command& command, std::uint64_t id) {
    json line = json::object();
    line["execute"] = command.execute;
    line["id"] = id;
    if (!command.arguments.empty()) {
        line["arguments"] = command.arguments;
    }
    return line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string excerpt_of(std::string_view line) {
    std::string text{line.substr(0, excerpt_bytes)};
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (line.size() > excerpt_bytes) {
        text += "...";
    }
    return text;
}

}  // namespace vml::qmp
