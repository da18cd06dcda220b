// --kernel, --initrd and --append → an iPXE script. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/vm/served_file.h"

namespace vml {

// Names and URLs as the script has them: relative to where it comes from itself.
struct KernelBoot {
    std::string kernel;
    std::vector<std::string> initrds;  // in the order in which the kernel unpacks them
    std::string append;
    bool uefi = false;
};

// Under UEFI the kernel's own stub asks iPXE for the RAM disks, by the names on its command line (Linux,
// Documentation/admin-guide/efi-stub.rst); else iPXE hands them over. They are called initrd0, initrd1, …:
// iPXE's own names for them may be the same.
[[nodiscard]] std::string kernel_script(const KernelBoot& boot);

// What would not stay one word of a script.
[[nodiscard]] std::optional<Fault> fault_of_url(const std::string& url);

// What iPXE would not take for a part of the command line.
[[nodiscard]] std::optional<Fault> fault_of_append(const std::string& append);

// The file's name where it is served, with letters alone that need no escape in a URL and no quoting in a
// script, and that none of the others has.
[[nodiscard]] std::string served_name(const std::string& file, const std::vector<ServedFile>& others);

}  // namespace vml
