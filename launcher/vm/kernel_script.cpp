#include "launcher/vm/kernel_script.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

namespace {

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
    for (std::size_t i = 0; i < boot.initrds.size(); ++i) {
        names += boot.uefi ? fmt::format(" initrd=initrd{}", i) : "";
        fetches += fmt::format("initrd --name initrd{} {}\n", i, boot.initrds[i]);
    }
    return fmt::format("#!ipxe\nkernel {}{}{}{}\n{}boot\n", boot.kernel, names,
                       boot.append.empty() ? "" : " ", boot.append, fetches);
}

std::optional<Fault> fault_of_url(const std::string& url) {
    constexpr std::string_view local = "file://";
    if (url.starts_with(local)) {
        return Fault{fmt::format("iPXE cannot fetch '{}'", visible(url)),
                     "the guest has none of this host's files",
                     fmt::format("write the path alone: {}", url.substr(local.size())), ExitCode::settings};
    }
    if (url.find_first_of(" \t") == std::string::npos && !url.ends_with('\\')) {
        return std::nullopt;
    }
    return Fault{fmt::format("'{}' is no URL: a blank or a backslash is in it", visible(url)), "",
                 "write a blank as %20", ExitCode::settings};
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
