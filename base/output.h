// What a process writes for its caller. Makes system calls.
#pragma once

#include <cstdio>
#include <string_view>

#include "base/error.h"

namespace vml {

// All of the text, at once; `what` names the effort in the Error that is thrown where it fails.
void write_out(std::FILE* stream, std::string_view text, std::string_view what);

// To standard output.
void print(std::string_view text);

}  // namespace vml
