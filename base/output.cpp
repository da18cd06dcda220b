#include "base/output.h"

#include <cerrno>
#include <string>

namespace vml {

// fmt::print would throw what is no Error.
void write_out(std::FILE* stream, std::string_view text, std::string_view what) {
    if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
        throw Error{{std::string{what}, errno_text(errno), "", ExitCode::failed}};
    }
}

void print(std::string_view text) {
    write_out(stdout, text, "cannot write to standard output");
}

}  // namespace vml
