#include "launcher/link_rest.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "bootwatch/console_mark.h"

namespace vml {

namespace {

// As edk2 writes it: "UEFI PXEv4 (MAC:525400123456)".
std::string as_edk2_writes(const std::string& mac) {
    std::string text = "(MAC:";
    for (const char c : mac) {
        if (c != ':') {
            text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
    }
    return text + ")";
}

}  // namespace

std::vector<LinkSwitch> LinkRest::line(std::string_view line) {
    if (nics_.empty()) {
        return {};
    }
    const auto mark = boot::mark_in_line(line);
    if (!mark ||
        (mark->sign != boot::ConsoleSign::firmware_failed && mark->sign != boot::ConsoleSign::next_device)) {
        return {};
    }
    std::vector<LinkSwitch> switches = reset();
    if (mark->text.find("PXEv") == std::string::npos) {
        return switches;
    }
    for (const Nic& nic : nics_) {
        if (mark->text.find(as_edk2_writes(nic.mac)) != std::string::npos) {
            down_.push_back(nic.id);
            switches.push_back({nic.id, false});
        }
    }
    return switches;
}

std::vector<LinkSwitch> LinkRest::reset() {
    std::vector<LinkSwitch> switches;
    for (std::string& nic : std::exchange(down_, {})) {
        switches.push_back({std::move(nic), true});
    }
    return switches;
}

}  // namespace vml
