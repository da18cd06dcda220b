#include <algorithm>

#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"

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

std::optional<SeedSpec> decide_seed(const DecideInput& in, const std::string& vm_name, Findings& findings) {
    const Settings& settings = in.settings;
    const bool any = settings.cloud_init || settings.user_data || settings.ssh_public_key;
    if (any && settings.cloud_init_url) {
        findings.settings_fault(fmt::format("{} contradicts the seed of {}", in.origin("cloud-init-url"),
                                            in.origin(settings.user_data    ? "user-data"
                                                      : settings.cloud_init ? "cloud-init"
                                                                            : "ssh-pubkey")),
                                "the guest fetches its data, or it has them", "leave one of them out");
        return std::nullopt;
    }
    if (!any || (settings.user_data &&
                 !check_path(in, {"user-data", *settings.user_data, *in.facts.user_data}, findings))) {
        return std::nullopt;
    }
    return make_seed(vm_name, settings.hostname.value_or(vm_name),
                     settings.user_data ? std::optional{in.facts.user_data_text} : std::nullopt,
                     settings.ssh_public_key);
}

std::optional<VncSpec> decide_screen(const DecideInput& in, Findings& findings) {
    if (in.settings.graphics == Graphics::none) {
        return std::nullopt;
    }
    if (in.settings.graphics == Graphics::novnc) {
        findings.note(fmt::format("{}: there is no web page here; a VNC viewer finds the screen on port {}",
                                  in.origin("graphics"), in.settings.vnc_port));
    }
    return VncSpec{in.listen_address(), in.settings.vnc_port};
}

}  // namespace vml
