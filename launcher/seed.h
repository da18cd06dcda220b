// What cloud-init finds when the guest boots (cloud-init's NoCloud data source): a small CD image with two
// files, whose volume is labelled cidata.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vml {

struct SeedSpec {
    std::string user_data;  // as the user wrote it
    std::string meta_data;  // YAML: cloud-init reads JSON as such

    bool operator==(const SeedSpec&) const = default;
};

// The instance's id changes with the user data, so that cloud-init runs again for new ones. Pure.
[[nodiscard]] SeedSpec make_seed(std::string_view vm_name, std::string_view hostname,
                                 const std::optional<std::string>& user_data,
                                 const std::optional<std::string>& ssh_public_key);

// The image, ISO 9660 with the Joliet and Rock Ridge names that cloud-init needs. libarchive keeps it in a
// temporary file without a name while it is made. Throws Error.
[[nodiscard]] std::string seed_image(const SeedSpec& seed);

}  // namespace vml
