#include "launcher/host/file_head.h"

#include <algorithm>
#include <fstream>

namespace vml {

std::string head_of(const std::filesystem::path& path, std::size_t size) {
    std::ifstream stream{path, std::ios::binary};
    std::string head(size, '\0');
    stream.read(head.data(), static_cast<std::streamsize>(size));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    return head;
}

}  // namespace vml
