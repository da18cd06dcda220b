#include "launcher/remote/told.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace vml {

namespace {

using nlohmann::json;

constexpr std::size_t most_devices = 256;

struct Kind {
    std::string_view name;
    bool (*fits)(const json& value);
};
constexpr Kind text{"a string", [](const json& value) { return value.is_string(); }};
constexpr Kind amount{"a whole number", [](const json& value) { return value.is_number_unsigned(); }};
constexpr Kind number{"a number", [](const json& value) { return value.is_number(); }};
constexpr Kind flag{"true or false", [](const json& value) { return value.is_boolean(); }};
constexpr Kind devices{"a short list of objects", [](const json& value) {
                           return value.is_array() && value.size() <= most_devices &&
                                  std::all_of(value.begin(), value.end(),
                                              [](const json& each) { return each.is_object(); });
                       }};

constexpr std::size_t most_forwards = 4096;
constexpr Kind forwards{"a list of objects", [](const json& value) {
                            return value.is_array() && value.size() <= most_forwards &&
                                   std::all_of(value.begin(), value.end(),
                                               [](const json& each) { return each.is_object(); });
                        }};

constexpr Kind one_object{"an object", [](const json& value) { return value.is_object(); }};

struct Member {
    const char* key;
    const Kind& kind;
};
constexpr std::array<Member, 22> of_vm{{{"name", text},        {"uuid", text},
                                        {"pid", amount},       {"qemu_pid", amount},
                                        {"phase", text},       {"uptime", number},
                                        {"stage", text},       {"stage_detail", text},
                                        {"paused", text},      {"machine", text},
                                        {"firmware", text},    {"secure_boot", flag},
                                        {"accelerator", text}, {"accelerator_reason", text},
                                        {"cpus", amount},      {"memory_mib", amount},
                                        {"nics", devices},     {"disks", devices},
                                        {"vnc", one_object},   {"guest_agent", flag},
                                        {"landlock", amount},  {"own_landlock", amount}}};
constexpr std::array<Member, 3> of_screen{{{"address", text}, {"port", amount}, {"password", text}}};
constexpr std::array<Member, 14> of_device{{{"id", text},
                                            {"model", text},
                                            {"mac", text},
                                            {"mode", text},
                                            {"bridge", text},
                                            {"device", text},
                                            {"rom", text},
                                            {"format", text},
                                            {"file", text},
                                            {"size", amount},
                                            {"bootindex", amount},
                                            {"address", text},
                                            {"address_by", text},
                                            {"forwards", forwards}}};
constexpr std::array<Member, 4> of_forward{
    {{"protocol", text}, {"address", text}, {"host_port", amount}, {"guest_port", amount}}};

std::string oddity_in(const json& object, std::span<const Member> members) {
    for (const Member& member : members) {
        const auto found = object.find(member.key);
        if (found != object.end() && !found->is_null() && !member.kind.fits(*found)) {
            return fmt::format("\"{}\" is not {}", member.key, member.kind.name);
        }
    }
    return {};
}

std::string oddity_in_device(const json& device) {
    std::string oddity = oddity_in(device, of_device);
    const auto list = device.find("forwards");
    if (oddity.empty() && list != device.end() && list->is_array()) {
        for (const json& forward : *list) {
            oddity = oddity.empty() ? oddity_in(forward, of_forward) : oddity;
        }
    }
    return oddity;
}

}  // namespace

std::string oddity_of(const json& told) {
    if (!told.is_object()) {
        return "it is not an object";
    }
    std::string oddity = oddity_in(told, of_vm);
    if (const auto screen = told.find("vnc"); oddity.empty() && screen != told.end() && !screen->is_null()) {
        oddity = oddity_in(*screen, of_screen);
    }
    for (const char* list : {"nics", "disks"}) {
        const auto found = told.find(list);
        if (!oddity.empty() || found == told.end()) {
            continue;
        }
        for (const json& device : *found) {
            oddity = oddity.empty() ? oddity_in_device(device) : oddity;
        }
    }
    return oddity;
}

}  // namespace vml
