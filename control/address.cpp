#include "control/address.h"

#include <algorithm>

#include <fmt/format.h>

namespace vml::control {

namespace {

constexpr std::string_view lock_suffix = ".lock";
constexpr std::size_t longest_name = 63;

// Not isalnum(3): what a letter is must not depend on the locale.
bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool can_be_a_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && is_letter_or_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

std::vector<Folder> folders_of(uid_t user, std::string_view runtime_dir) {
    std::vector<Folder> folders;
    const auto add = [&](std::string path) {
        const Folder folder{std::move(path), user};
        if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
            folders.push_back(folder);
        }
    };
    if (user == 0) {
        add("/run/vm-launch");
    } else {
        if (runtime_dir.starts_with('/')) {
            add(fmt::format("{}/vm-launch", runtime_dir.substr(0, runtime_dir.find_last_not_of('/') + 1)));
        }
        add(fmt::format("/run/user/{}/vm-launch", user));
    }
    add(fmt::format("/tmp/vm-launch-{}", user));
    return folders;
}

std::string socket_file(std::string_view name) {
    return fmt::format("{}.sock", name);
}

std::string lock_file(std::string_view name) {
    return fmt::format("{}{}", name, lock_suffix);
}

std::optional<std::string> name_of_lock(std::string_view file) {
    if (!file.ends_with(lock_suffix)) {
        return std::nullopt;
    }
    file.remove_suffix(lock_suffix.size());
    return can_be_a_name(file) ? std::optional{std::string{file}} : std::nullopt;
}

}  // namespace vml::control
