// What a VM keeps between runs: files in its folder of the data directory. Makes system calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/fd.h"
#include "launcher/vm/facts.h"

namespace vml {

// The folder, made for its owner alone if it is not there; a descriptor by which files in it are reached, and
// which holds it: as long as it is open, nobody else gets one. Throws Error, also where another user could
// have put links into it: who runs this may be root, and read and write what they lead to.
[[nodiscard]] OwnedFd open_state_folder(const std::filesystem::path& folder);

// Of what follows, `state_folder` is that descriptor. What is there under the name and is no regular file is
// refused.

// UEFI's variables.
struct KeptStore {
    std::filesystem::path file;
    std::filesystem::path template_file;
    bool anew = false;   // what was kept is replaced
    std::string origin;  // to be written beside it (nvram_origin_file); empty: it stands there
};

// The file for reading and writing: as it was kept, or a new one, which is there whole or not at all: with
// the template's content, or empty and of `size` bytes. Throws Error; then nothing new is left behind.
[[nodiscard]] OwnedFd open_kept_store(int state_folder, const KeptStore& store);

struct KeptBlank {
    std::filesystem::path file;
    std::uint64_t size = 0;  // bytes; what is kept and shorter grows to it
    bool direct = false;     // QEMU will go past the host's cache
};
[[nodiscard]] OwnedFd open_kept_blank(int state_folder, const KeptBlank& blank);

// The state of a TPM: a new one is empty. The file is in the user's group, which may open it by name too.
[[nodiscard]] OwnedFd open_kept_tpm(int state_folder, const std::filesystem::path& file,
                                    const std::optional<RunUser>& user);

// What is in `from` goes to `to`, holes stay holes. Throws Error with this `what`.
void copy_sparse(int from, int to, std::string_view what);

// 0, or the errno of why it could not be made.
[[nodiscard]] int write_first_boot_mark(int state_folder);

}  // namespace vml
