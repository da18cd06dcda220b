// What a file is when it is no option ROM: a mistaken --ipxe-rom is mostly another kind of iPXE file.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vml::rom {

// One clause for an error's `why`: "it is a gzip file". Never empty.
[[nodiscard]] std::string what_it_is(const Bytes& bytes);

// A program of EFI's, by its first bytes.
[[nodiscard]] bool is_pe_program(const Bytes& bytes);

}  // namespace vml::rom
