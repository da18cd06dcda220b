#include "launcher/remote/ssh.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "base/output.h"
#include "control/client.h"
#include "control/folder.h"
#include "launcher/remote/control_client.h"
#include "launcher/remote/forwards.h"
#include "launcher/remote/nic_addresses.h"
#include "launcher/remote/told.h"

namespace vml {

namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

// Of ssh(1), OpenSSH 9: the options whose value may be the next word.
constexpr std::string_view with_value = "BbcDEeFIiJLlmOoPpQRSWw";

// Where the options at the beginning end.
Words::const_iterator end_of_options(const Words& words) {
    auto word = words.begin();
    while (word != words.end() && word->size() > 1 && word->front() == '-' && *word != "--") {
        const std::size_t value = word->find_first_of(with_value, 1);
        const bool next_is_value = value != std::string::npos && value + 1 == word->size();
        ++word;
        word += next_is_value && word != words.end() ? 1 : 0;
    }
    return word;
}

Error no_way(const std::string& name, std::string why, std::string hint) {
    return Error{
        {fmt::format("no way to {}'s port 22", name), std::move(why), std::move(hint), ExitCode::failed}};
}

// By the networks that its NICs are on, the one that is nearest to a way first.
Error no_way_by(const std::string& name, const json& nics) {
    const auto on = [&](std::string_view mode) {
        return std::find_if(nics.begin(), nics.end(),
                            [&](const json& nic) { return text_at(nic, "mode") == mode; });
    };
    if (on("bridge") != nics.end()) {
        return no_way(
            name, "its address is not known: no DHCP was seen, and no guest agent tells it",
            "qemu-ga in the guest tells it; or look into the DHCP server's leases, then: ssh ADDRESS");
    }
    if (on("nat") != nics.end()) {
        return no_way(name, "its user-mode network lets nobody in, and no port of the host leads there",
                      "start it with --ssh-port 2222 (SSH_PORT), or --port-forward 2222:22");
    }
    if (const auto direct = on("direct"); direct != nics.end()) {
        const std::string address = text_at(*direct, "address");
        return no_way(
            name, "a macvtap hides the guest from the host that it runs on",
            fmt::format("from another machine: ssh {}", is_ip_address(address) ? address : "ADDRESS"));
    }
    if (on("isolated") != nics.end()) {
        return no_way(
            name, "an isolated segment leads to nobody but the VMs on it",
            fmt::format("vm-launch console {0}, or by the guest's agent: vm-launch exec {0} -- COMMAND",
                        name));
    }
    return no_way(name, "none of its NICs is reached from this host", "");
}

// The watch of a boot ends as the operating system begins, which may ask for an address in another way.
std::string doubt_of(const json& nic) {
    const std::string by = text_at(nic, "address_by");
    if (by != "ipxe" && by != "firmware") {
        return {};
    }
    return fmt::format(
        "{} is the address that {} got; the guest's operating system may have another one, and "
        "somebody else this one",
        text_at(nic, "address"), by == "ipxe" ? "iPXE" : "the firmware");
}

}  // namespace

SshWay ssh_way(const std::string& name, const json& told) {
    const auto found = told.find("nics");
    const json nics = found != told.end() && found->is_array() ? *found : json::array();
    for (const ToldForward& forward : all_forwards(nics)) {
        if (forward.protocol == "tcp" && forward.guest_port == ssh_port_of_guest) {
            return {forward.address, forward.host_port};
        }
    }
    for (const json& nic : nics) {
        const std::string address = text_at(nic, "address");
        if (text_at(nic, "mode") == "bridge" && is_ip_address(address)) {
            return {address, ssh_port_of_guest, doubt_of(nic)};
        }
    }
    throw no_way_by(name, nics);
}

Words ssh_words(const SshWay& way, const std::optional<std::string>& user, const Words& rest) {
    const auto end = end_of_options(rest);
    Words words{"ssh"};
    words.insert(words.end(), rest.begin(), end);
    for (const char* option : {"StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                               "ForwardAgent=no", "ForwardX11=no", "ConnectTimeout=15"}) {
        words.insert(words.end(), {"-o", option});
    }
    words.insert(words.end(), {"-p", std::to_string(way.port)});
    if (user) {
        words.insert(words.end(), {"-l", *user});
    }
    words.push_back(way.host);
    words.insert(words.end(), end != rest.end() && *end == "--" ? std::next(end) : end, rest.end());
    return words;
}

namespace {

[[noreturn]] void become(Words words) {
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    throw Error{{"cannot start ssh", errno_text(errno), "apt-get install openssh-client", ExitCode::host}};
}

}  // namespace

int ssh_to_vm(const ReadResult& read, std::string_view runtime_dir) {
    const Question question{read, control::folders_in_reach(runtime_dir)};
    const control::Address vm = named_vm(question);
    const json told = status_words(vm);
    if (const std::string oddity = oddity_of(told); !oddity.empty()) {
        throw Error{{"the VM's answer makes no sense", oddity, "", ExitCode::failed}};
    }
    const SshWay way = ssh_way(vm.name, told);
    if (!way.doubt.empty()) {
        write_out(stderr, fmt::format("vm-launch: warning: {}\n", way.doubt), "cannot write");
    }
    become(ssh_words(way, read.command.user, read.command.rest));
}

}  // namespace vml
