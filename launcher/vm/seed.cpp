#include "launcher/vm/seed.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "launcher/vm/identity.h"

namespace vml {

namespace {

constexpr std::string_view empty_user_data = "#cloud-config\n{}\n";

}  // namespace

SeedSpec make_seed(std::string_view vm_name, std::string_view hostname,
                   const std::optional<std::string>& user_data,
                   const std::vector<std::string>& ssh_public_keys) {
    SeedSpec seed{user_data.value_or(std::string{empty_user_data}), ""};
    nlohmann::ordered_json meta_data{
        {"instance-id", uuid_of(fmt::format("{}\n{}", vm_name, seed.user_data))},
        {"local-hostname", hostname},
    };
    if (!ssh_public_keys.empty()) {
        meta_data["public-keys"] = ssh_public_keys;
    }
    seed.meta_data = meta_data.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    return seed;
}

}  // namespace vml
