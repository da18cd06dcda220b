#include "rom/ipxe_role.h"

#include <algorithm>
#include <array>

#include "rom/ipxe_text.h"

namespace vml::rom {

namespace {

constexpr std::string_view nobodys_guid = "#slow #unhelpful";

// usr/autoboot.c: the first since 2007, the others since 2011. One is enough, should another be reworded.
constexpr std::array<std::string_view, 3> boot_texts{"No more network devices", "Nothing to boot",
                                                     "Next server: "};

}  // namespace

IpxeRole ipxe_role(const Bytes& program) {
    const std::string_view text = program.chars();
    const auto holds = [&](std::string_view wanted) { return text.find(wanted) != std::string_view::npos; };
    if (!names_ipxe(program)) {
        return IpxeRole::unknown;
    }
    const bool boots = std::any_of(boot_texts.begin(), boot_texts.end(), holds);
    return boots && !holds(nobodys_guid) ? IpxeRole::whole : IpxeRole::driver;
}

std::string_view to_string(IpxeRole role) {
    switch (role) {
        case IpxeRole::whole:
            return "iPXE itself";
        case IpxeRole::driver:
            return "iPXE's network driver alone";
        case IpxeRole::unknown:
            return "unknown";
    }
    return "unknown";
}

}  // namespace vml::rom
