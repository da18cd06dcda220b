// How a capture shows that a system runs, though it asks DHCP for nothing.
#include <algorithm>
#include <array>

#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

// Of an HTTP request.
std::string_view user_agent_of(std::string_view head) {
    for (const std::string_view field : {"\r\nUser-Agent: ", "\r\nuser-agent: "}) {
        if (const std::size_t at = head.find(field); at != std::string_view::npos) {
            const std::string_view rest = head.substr(at + field.size());
            return rest.substr(0, rest.find('\r'));
        }
    }
    return {};
}

bool is_of_a_boot_program(std::string_view user_agent) {
    constexpr std::array<std::string_view, 7> programs{"iPXE/", "gPXE/",     "UefiHttpBoot/", "GRUB",
                                                       "lwIP/", "Syslinux/", "U-Boot"};
    return std::any_of(programs.begin(), programs.end(),
                       [&](std::string_view program) { return user_agent.starts_with(program); });
}

}  // namespace

bool is_asked_by_a_system(const std::vector<Fetch>& fetches, double at, const TcpSegment& request) {
    constexpr double pause_s = 40;
    const std::string_view user_agent = user_agent_of(request.head);
    if (user_agent.empty() || is_of_a_boot_program(user_agent)) {
        return false;
    }
    const auto latest = latest_of(fetches, [](const Fetch& fetch) { return !fetch.bare; });
    return latest && fetches[*latest].state == FetchState::done && at - fetches[*latest].latest >= pause_s;
}

}  // namespace vml::boot
