#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/user_data.h"

namespace vml {

std::vector<std::pair<std::string, std::string>> decide_smbios(const DecideInput& in, Findings& findings) {
    auto smbios = in.settings.smbios;
    if (!in.settings.cloud_init_url) {
        return smbios;
    }
    const bool serial_given =
        std::any_of(smbios.begin(), smbios.end(), [](const auto& field) { return field.first == "serial"; });
    if (serial_given) {
        findings.settings_fault(fmt::format("{} and the serial of {} contradict each other",
                                            in.origin("cloud-init-url"), in.origin("smbios")),
                                "cloud-init reads the URL from the serial number", "leave one of them out");
        return smbios;
    }
    const std::string& url = *in.settings.cloud_init_url;
    smbios.emplace_back("serial", fmt::format("ds=nocloud-net;s={}{}", url, url.ends_with('/') ? "" : "/"));
    return smbios;
}

namespace {

std::optional<std::string> user_data_of(const DecideInput& in, Findings& findings) {
    if (!in.settings.user_data) {
        return std::nullopt;
    }
    UserDataJudgement judged = judge_user_data(in.facts.user_data_text);
    if (in.facts.user_data_fault) {
        judged.why = in.facts.user_data_fault->why;
        judged.hint = in.facts.user_data_fault->hint;
    }
    const std::string what = fmt::format("{}: {}", in.origin("user-data"), in.settings.user_data->string());
    if (!judged.why.empty()) {
        findings.settings_fault(fmt::format("{} is no user data for cloud-init", what), judged.why,
                                judged.hint);
    }
    for (const std::string& note : judged.notes) {
        findings.note(fmt::format("{}: {}", what, note));
    }
    return std::move(judged.text);
}

std::vector<std::string> ssh_keys_of(const DecideInput& in, Findings& findings) {
    if (!in.settings.ssh_public_key) {
        return {};
    }
    const std::optional<FileText>& file = in.facts.ssh_key_file;
    const std::string what =
        fmt::format("{}: cannot use {}", in.origin("ssh-pubkey"), file ? file->path.string() : "the key");
    if (file && file->error != 0) {
        findings.host_fault(
            what, errno_text(file->error),
            "give the key itself, or a file that can be read; in a container, one that is mounted");
        return {};
    }
    SshKeys found = ssh_keys_in(file ? file->text : *in.settings.ssh_public_key);
    if (!found.why.empty()) {
        findings.settings_fault(
            what, found.why, "a public key is one line: ssh-ed25519 AAAA… NAME, as in ~/.ssh/id_ed25519.pub");
    }
    return found.keys;
}

// What would be in the seed, where none is made.
void note_unused_data(const DecideInput& in, Findings& findings) {
    const Settings& settings = in.settings;
    const std::string why =
        settings.cloud_init_url ? fmt::format("the guest fetches it from {}", in.origin("cloud-init-url"))
        : settings.cloud_init
            ? fmt::format("{} leaves out the seed for cloud-init that would hold it", in.origin("cloud-init"))
            : "it is part of a seed for cloud-init, and there is none (add --cloud-init)";
    for (const std::string_view flag : {"user-data", "ssh-pubkey", "guest-password", "hostname"}) {
        if (in.origins.contains(flag)) {
            findings.note(fmt::format("{} has no effect: {}", in.origin(flag), why));
        }
    }
}

// cloudinit/config/cc_set_passwords.py: two words for "make one up", and the hashes that it knows.
void check_password(const DecideInput& in, Findings& findings) {
    if (!in.settings.guest_password) {
        return;
    }
    const std::string& password = *in.settings.guest_password;
    const std::string what =
        fmt::format("{}: not the password that the guest would have", in.origin("guest-password"));
    if (password == "R" || password == "RANDOM") {
        findings.settings_fault(what, "cloud-init takes this word for \"make one up\", and tells nobody here",
                                "choose another one");
    } else if (password.starts_with("$y$") || password.starts_with("$gy$") || password.starts_with("$7$")) {
        findings.settings_fault(what,
                                "cloud-init knows no yescrypt: it would take the hash itself for a password",
                                "mkpasswd -m sha-512 makes one that it knows");
    } else if (!utf8::is_all(password)) {
        findings.settings_fault(what, "it is not UTF-8, as cloud-init's data are", "choose another one");
    }
}

// Everybody tries "password" first, and it is what users of Docker-VM-Runner have without having said so.
std::string vendor_data_of(const DecideInput& in, Findings& findings) {
    constexpr std::string_view everybodys = "password";
    if (!in.settings.guest_password) {
        return {};
    }
    if (*in.settings.guest_password != everybodys) {
        return password_vendor_data(*in.settings.guest_password);
    }
    const std::string& fresh = in.facts.fresh_guest_password;
    findings.note(fmt::format(
        "{}: '{}' is the first guess of whoever tries; {}. Each start makes another one up, "
        "by which cloud-init takes the guest for a new one and makes its SSH host keys anew: give "
        "one of your own to keep both",
        in.origin("guest-password"), everybodys,
        fresh.empty() ? "a start makes one up, and tells it"
                      : fmt::format("the guest's password is {}", fresh)));
    return password_vendor_data(fresh.empty() ? "(made up at the start)" : fresh);
}

}  // namespace

std::optional<SeedSpec> decide_seed(const DecideInput& in, const std::string& vm_name, Findings& findings) {
    const Settings& settings = in.settings;
    const bool any = settings.cloud_init.value_or(settings.user_data || settings.ssh_public_key ||
                                                  settings.guest_password);
    if (any && settings.cloud_init_url) {
        findings.settings_fault(fmt::format("{} contradicts the seed of {}", in.origin("cloud-init-url"),
                                            in.origin(settings.user_data            ? "user-data"
                                                      : settings.cloud_init == true ? "cloud-init"
                                                      : settings.ssh_public_key     ? "ssh-pubkey"
                                                                                    : "guest-password")),
                                "the guest fetches its data, or it has them", "leave one of them out");
        return std::nullopt;
    }
    if (!any) {
        note_unused_data(in, findings);
        return std::nullopt;
    }
    if (settings.user_data &&
        !check_path(in, {"user-data", *settings.user_data, *in.facts.user_data}, findings)) {
        return std::nullopt;
    }
    check_password(in, findings);
    return make_seed(vm_name, settings.hostname.value_or(vm_name), user_data_of(in, findings),
                     ssh_keys_of(in, findings), vendor_data_of(in, findings));
}

std::optional<VncSpec> decide_screen(const DecideInput& in, Findings& findings) {
    if (in.settings.graphics == Graphics::none) {
        for (const std::string_view flag : {"vnc-port", "vnc-password"}) {
            if (in.origins.contains(flag)) {
                findings.note(fmt::format("{} has no effect without --graphics vnc", in.origin(flag)));
            }
        }
        return std::nullopt;
    }
    if (in.settings.graphics == Graphics::novnc) {
        findings.note(fmt::format("{}: there is no web page here; a VNC viewer finds the screen on port {}",
                                  in.origin("graphics"), in.settings.vnc_port));
    }
    return VncSpec{in.listen_address(), in.settings.vnc_port,
                   in.settings.vnc_password.value_or(in.facts.fresh_password)};
}

}  // namespace vml
