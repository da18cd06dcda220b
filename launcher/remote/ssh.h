// `vm-launch ssh`: the user's own ssh, to a running VM's guest. Makes system calls.
//
// A guest is made anew more often than not, and its host key with it, so ssh neither checks nor keeps it: a
// key that changes at every start would teach its user to remove it unread. A forwarded port does not leave
// the host; on a bridge whoever is on it can pass for the guest, so nothing of the user's is handed on: no
// agent, no X11. Options of the user's own come first, and ssh takes the first of each: a guest that is kept
// is checked with `-- -o StrictHostKeyChecking=yes -o UserKnownHostsFile=~/.ssh/known_hosts`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/settings/settings_reader.h"

namespace vml {

struct SshWay {
    std::string host;  // an IP address, whoever told it
    std::uint16_t port = 22;
    std::string doubt = {};  // why it may be another machine's; empty: it is the guest's own

    bool operator==(const SshWay&) const = default;
};

// By what the VM tells of itself (docs/control.md, "status"): a forwarded port, else the guest's address on a
// bridge. Throws Error, with what would make a way. Pure.
[[nodiscard]] SshWay ssh_way(const std::string& name, const nlohmann::json& told);

// ssh's argument list. Of `rest` the leading options go before the host, what follows is the guest's command.
// Pure.
[[nodiscard]] std::vector<std::string> ssh_words(const SshWay& way, const std::optional<std::string>& user,
                                                 const std::vector<std::string>& rest);

// Becomes ssh, whose exit code is the process's. A doubt is told first. Throws Error.
[[nodiscard]] int ssh_to_vm(const ReadResult& read, std::string_view runtime_dir);

}  // namespace vml
