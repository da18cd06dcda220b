// A file of what is served, as TFTP reads it. Makes system calls.
#pragma once

#include "netserve/folder.h"
#include "netserve/tftp_transfer.h"

namespace vml::serve {

[[nodiscard]] TftpFile tftp_file(FoundFile found);

}  // namespace vml::serve
