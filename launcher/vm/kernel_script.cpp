#include "launcher/vm/kernel_script.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

namespace {

// As iPXE calls an image: what stands behind the URL's last slash (src/core/image.c, image_set_uri).
std::string image_name(const std::string& source) {
    const std::string_view path = std::string_view{source}.substr(0, source.find_first_of("?#"));
    return std::string{path.substr(path.rfind('/') + 1)};
}

bool is_plain(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
}

std::string with_plain_letters(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](char letter) { return !is_plain(letter); }, '_');
    // A dash in front would make it an option.
    return name.empty() || name.front() == '-' || name.front() == '.' ? "file" + name : name;
}

}  // namespace

std::string kernel_script(const KernelBoot& boot) {
    std::string names;
    std::string fetches;
    for (const std::string& initrd : boot.initrds) {
        names += boot.uefi ? " initrd=" + image_name(initrd) : "";
        fetches += fmt::format("initrd {}\n", initrd);
    }
    return fmt::format("#!ipxe\nkernel {}{}{}{}\n{}boot\n", boot.kernel, names,
                       boot.append.empty() ? "" : " ", boot.append, fetches);
}

// src/core/exec.c: split_command, expand_command and the operators between commands.
std::optional<Fault> fault_of_append(const std::string& append) {
    std::istringstream words{append};
    for (std::string word; words >> word;) {
        if (word == "||" || word == "&&" || word == ";" || word.starts_with('#')) {
            return Fault{fmt::format("'{}' would end the kernel's command line", visible(word)),
                         "iPXE takes the word for its own",
                         "leave it out, or write a script of your own: --script FILE", ExitCode::settings};
        }
    }
    if (append.ends_with('\\')) {
        return Fault{"it ends with a backslash", "iPXE would take the next line for a part of it",
                     "leave the backslash out", ExitCode::settings};
    }
    return std::nullopt;
}

std::string served_name(const std::string& file, const std::vector<ServedFile>& others) {
    const std::string plain = with_plain_letters(file);
    std::string name = plain;
    const auto is_taken = [&](const ServedFile& other) { return other.name == name; };
    for (int number = 2; std::any_of(others.begin(), others.end(), is_taken); ++number) {
        name = fmt::format("{}-{}", number, plain);
    }
    return name;
}

}  // namespace vml
