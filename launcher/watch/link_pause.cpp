#include "launcher/watch/link_pause.h"

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

std::vector<std::string> LinkPause::named_in(std::string_view text) const {
    std::vector<std::string> named;
    if (text.find("PXEv") != std::string_view::npos) {
        for (const Nic& nic : nics_) {
            if (text.find(as_edk2_writes(nic.mac)) != std::string_view::npos) {
                named.push_back(nic.id);
            }
        }
    }
    return named;
}

// These are down and no others.
std::vector<LinkSwitch> LinkPause::down(std::vector<std::string> wanted) {
    if (wanted == down_) {
        return {};
    }
    std::vector<LinkSwitch> switches = reset();
    if (wanted.empty() || ++pauses_ > most_pauses) {
        return switches;
    }
    for (const std::string& nic : wanted) {
        switches.push_back({nic, false});
    }
    down_ = std::move(wanted);
    return switches;
}

std::vector<LinkSwitch> LinkPause::line(std::string_view line) {
    if (nics_.empty()) {
        return {};
    }
    if (line.starts_with("BdsDxe: loading ") || line.starts_with("BdsDxe: starting ")) {
        trying_ = named_in(line);
    }
    const auto mark = boot::mark_in_line(line);
    if (!mark) {
        return {};
    }
    switch (mark->sign) {
        case boot::ConsoleSign::firmware_error:
            return trying_.empty() ? std::vector<LinkSwitch>{} : down(trying_);
        case boot::ConsoleSign::firmware_failed:
            return down(named_in(mark->text));
        case boot::ConsoleSign::next_device:
        case boot::ConsoleSign::efi_stub:  // whatever it says: a kernel was loaded
        case boot::ConsoleSign::kernel:
        case boot::ConsoleSign::init:
            return reset();
        default:
            return {};
    }
}

std::vector<LinkSwitch> LinkPause::reset() {
    trying_.clear();
    std::vector<LinkSwitch> switches;
    for (std::string& nic : std::exchange(down_, {})) {
        switches.push_back({std::move(nic), true});
    }
    return switches;
}

}  // namespace vml
