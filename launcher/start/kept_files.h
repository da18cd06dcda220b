// What a VM keeps between runs: files in its folder of the data directory. Makes system calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace vml {

// The folder, made for its owner alone if it is not there; a descriptor by which files in it are reached.
// Throws Error.
[[nodiscard]] OwnedFd open_state_folder(const std::filesystem::path& folder);

// UEFI's variables.
struct KeptStore {
    std::filesystem::path file;
    std::filesystem::path template_file;
    bool anew = false;   // what was kept is replaced
    std::string origin;  // to be written beside it (nvram_origin_file); empty: it stands there
};

// The file for reading and writing: as it was kept, or a new one, which is there whole or not at all: with
// the template's content, or empty and of `size` bytes. Throws Error; then nothing new is left behind.
[[nodiscard]] OwnedFd open_kept_store(const KeptStore& store);

// A disk, or the state of a TPM.
struct KeptBlank {
    std::filesystem::path file;
    std::uint64_t size = 0;  // bytes; what is kept and shorter grows to it
    bool direct = false;     // QEMU will go past the host's cache
};
[[nodiscard]] OwnedFd open_kept_blank(const KeptBlank& blank);

// What is in `from` goes to `to`, holes stay holes. Throws Error with this `what`.
void copy_sparse(int from, int to, std::string_view what);

// 0, or the errno of why it could not be made.
[[nodiscard]] int write_first_boot_mark(int state_folder);

}  // namespace vml
