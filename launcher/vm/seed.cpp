#include "launcher/vm/seed.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "launcher/vm/identity.h"

namespace vml {

namespace {

constexpr std::string_view empty_user_data = "#cloud-config\n{}\n";

}  // namespace

SeedSpec make_seed(std::string_view vm_name, std::string_view hostname,
                   const std::optional<std::string>& user_data,
                   const std::vector<std::string>& ssh_public_keys, std::string vendor_data) {
    SeedSpec seed{user_data.value_or(std::string{empty_user_data}), "", std::move(vendor_data)};
    const std::string further = seed.vendor_data.empty() ? "" : "\n" + seed.vendor_data;
    nlohmann::ordered_json meta_data{
        {"instance-id", uuid_of(fmt::format("{}\n{}{}", vm_name, seed.user_data, further))},
        {"local-hostname", hostname},
    };
    if (!ssh_public_keys.empty()) {
        meta_data["public-keys"] = ssh_public_keys;
    }
    seed.meta_data = meta_data.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    return seed;
}

// cloud-init's modules set_passwords (cloudinit/config/cc_set_passwords.py) and, for YAML, JSON.
std::string password_vendor_data(std::string_view password) {
    const nlohmann::ordered_json words{
        {"password", password}, {"chpasswd", {{"expire", false}}}, {"ssh_pwauth", true}};
    return "#cloud-config\n" + words.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
}

}  // namespace vml
