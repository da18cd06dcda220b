// A target, or a range, of an HTTP request; and the kernel's table of connections. http_connection_fuzz has
// whole connections.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/url.h"
#include "netserve/http_server.h"
#include "netserve/request.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vml::serve;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    if (const auto name = name_in_folder(input)) {
        require(name->find('\0') == std::string::npos);
        require(name_in_folder("/" + vml::url_path(*name)) ==
                name->substr(std::min(name->find_first_not_of('/'), name->size())));
    }
    const std::uint64_t length = size * 7;
    const Slice slice = slice_of(input, length);
    require(slice.first + slice.count <= length);
    require(slice.satisfiable || slice.count == 0);
    const std::int64_t owner = owner_of_connection(input, 1, 2);
    require(owner >= -1);
    return 0;
}
