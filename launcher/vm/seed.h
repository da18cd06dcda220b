// What cloud-init finds when the guest boots (cloud-init's NoCloud data source): a small CD image with two
// files, whose volume is labelled cidata. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

struct SeedSpec {
    std::string user_data;      // as cloud-init takes it
    std::string meta_data;      // YAML: cloud-init reads JSON as such
    std::string vendor_data{};  // what gives way to the user data; empty: there is none

    bool operator==(const SeedSpec&) const = default;
};

// The instance's id changes with the user data, so that cloud-init runs again for new ones.
[[nodiscard]] SeedSpec make_seed(std::string_view vm_name, std::string_view hostname,
                                 const std::optional<std::string>& user_data,
                                 const std::vector<std::string>& ssh_public_keys,
                                 std::string vendor_data = {});

// Cloud-init's vendor data that gives the image's own user a password, which ssh takes too.
[[nodiscard]] std::string password_vendor_data(std::string_view password);

}  // namespace vml
