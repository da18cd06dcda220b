#include "launcher/settings/boot_word.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/url.h"

namespace vml {

namespace {

bool ends_with_any(std::string_view word, std::span<const std::string_view> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return word.ends_with(end); });
}

constexpr std::array<std::string_view, 6> disk_images{".qcow2", ".raw", ".img", ".vmdk", ".vdi", ".vhdx"};
constexpr std::array<std::string_view, 4> other_files{".iso", ".ipxe", ".efi", ".json"};

// "./debian-12.5", which no file is called.
bool is_dotted_path(std::string_view word) {
    return (word.starts_with("./") || word.starts_with("../")) && !ends_with_any(word, disk_images) &&
           !ends_with_any(word, other_files);
}

// Without a dot in its last part, unless that is a dot alone.
bool looks_like_folder(const std::string& word) {
    return word == "." || word == ".." || word.ends_with('/') || is_dotted_path(word) ||
           (word.find('/') != std::string::npos && !is_url(word) &&
            word.find('.', word.rfind('/')) == std::string::npos);
}

}  // namespace

std::optional<std::string_view> setting_of_word(const std::string& word) {
    if (word.ends_with(".ipxe")) {
        return "script";
    }
    if (is_url(word)) {
        return "bootfile";
    }
    return looks_like_folder(word) ? std::optional<std::string_view>{"netboot-dir"} : std::nullopt;
}

bool is_test_file(std::string_view word) {
    return (word.ends_with(".toml") || word.ends_with(".json")) && !is_url(word);
}

std::string hint_for_word(const std::string& word, std::string_view before) {
    if (before == "--persist") {
        return fmt::format("--persist takes no folder: did you mean --data-dir {}?", word);
    }
    if (before == "--blank-disk" && word.find_first_of("0123456789") == 0) {
        return fmt::format("--blank-disk takes no size: did you mean --disk-size {}?", word);
    }
    if (word.ends_with(".iso")) {
        return fmt::format("did you mean --iso {}?", word);
    }
    if (ends_with_any(word, disk_images)) {
        return fmt::format("did you mean --disk {}?", word);
    }
    return "a script to boot is FILE.ipxe, a folder ./DIR (see vm-launch --help); arguments for QEMU go "
           "after --";
}

}  // namespace vml
