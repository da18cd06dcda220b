#include "launcher/commands/init_folder.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/output.h"
#include "base/shell.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_script = R"(#!ipxe
# What the VM boots. iPXE's commands: https://ipxe.org/cmd

echo ${net0/mac} has ${net0/ip}; ${platform}, ${buildarch}

# Where the kernel writes to: the serial port, which vm-launch shows.
set console ttyS0
iseq ${buildarch} arm64 && set console ttyAMA0 ||

# The kernel and its initial RAM disk, beside this file. UEFI needs initrd=; BIOS does not mind it.
kernel vmlinuz initrd=initrd.img console=${console}
initrd initrd.img
boot
)";

[[noreturn]] void refuse(const fs::path& path, const std::error_code& error) {
    throw Error{{fmt::format("cannot write {}", path.string()), error.message(), "", ExitCode::host}};
}

void write_script(const fs::path& path) {
    std::ofstream file{path, std::ios::binary};
    file << first_script;
    file.close();
    if (!file) {
        refuse(path, {errno, std::generic_category()});
    }
}

// As a word that is taken for a folder, wherever it is.
std::string as_folder(const fs::path& folder) {
    const std::string name = folder == "." ? "./" : folder.string();
    const std::string path =
        folder.is_absolute() || name.starts_with("./") || name.starts_with("../") ? name : "./" + name;
    return shell_quoted(path.ends_with('/') ? path : path + "/");
}

}  // namespace

int init_folder(const CommandLine& command) {
    if (command.words.size() > 1) {
        throw Error{{"init takes one folder", "", "vm-launch init DIR", ExitCode::settings}};
    }
    const fs::path folder = command.words.empty() ? "." : command.words.front();
    const fs::path script = folder / "boot.ipxe";
    std::error_code error;
    if (fs::exists(fs::symlink_status(script, error))) {
        throw Error{{fmt::format("{} is there already", script.string()), "",
                     fmt::format("vm-launch {} boots it", as_folder(folder)), ExitCode::host}};
    }
    fs::create_directories(folder, error);
    if (error) {
        refuse(folder, error);
    }
    write_script(script);
    print(
        fmt::format("{} is written. It boots vmlinuz with initrd.img: put both beside it. A distribution's "
                    "own are in /boot, its "
                    "installer's in the folder \"netboot\" of its mirrors.\n"
                    "Then: vm-launch {}\n",
                    script.string(), as_folder(folder)));
    return 0;
}

}  // namespace vml
