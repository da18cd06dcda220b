#include "launcher/host/file_head.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace vml {

std::string head_of(const std::filesystem::path& path, std::size_t size) {
    return part_of(path, 0, size);
}

std::string part_of(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
    std::error_code none;
    if (const auto status = std::filesystem::status(path, none);
        !std::filesystem::is_regular_file(status) && !std::filesystem::is_block_file(status)) {
        return {};
    }
    std::ifstream stream{path, std::ios::binary};
    stream.seekg(static_cast<std::streamoff>(offset));
    std::string part(size, '\0');
    stream.read(part.data(), static_cast<std::streamsize>(size));
    part.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
    return part;
}

}  // namespace vml
