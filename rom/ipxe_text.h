// The traces that iPXE leaves as plain text in an uncompressed EFI image.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace vml::rom {

// Whether the text "iPXE" occurs.
[[nodiscard]] bool names_ipxe(const Bytes& bytes);

// The version of iPXE: a NUL-terminated "1.0.0+git-20190125.36a4c85-5.1" or "1.21.1+ (g4bd0)", as iPXE's
// Makefile makes it (VERSION = MM_VERSION EXTRAVERSION GITVERSION). A bare "1.2.3" is not taken: other
// numbers look like it too.
[[nodiscard]] std::optional<std::string> ipxe_version(const Bytes& bytes);

}  // namespace vml::rom
