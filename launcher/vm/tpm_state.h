// What swtpm keeps of a TPM in one file, as far as it can be judged without swtpm, which takes any file
// without its mark for a new one and writes over it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vml {

// The file in a VM's state folder.
inline constexpr const char* tpm_state_file = "tpm.state";

// swtpm's header (src/swtpm/swtpm_nvstore_linear.h, struct nvram_linear_hdr): 12 bytes, then an entry of 12
// for each of 15 parts; packed, little-endian. Version 0.7.1, of Debian 12 and 13, writes
// version 1 of it.
inline constexpr std::size_t most_of_a_tpm_header = 12 + 15 * 12;

struct TpmStateFacts {
    std::uint64_t size = 0;  // bytes
    std::string head;        // most_of_a_tpm_header, or less
    bool operator==(const TpmStateFacts&) const = default;
};

// Nothing where swtpm may have it: an empty file is one in which nothing was kept yet.
[[nodiscard]] std::optional<std::string> why_no_tpm_state(const TpmStateFacts& state);

}  // namespace vml
