// A target, or a range, of an HTTP request; the kernel's table of connections; what a guest on an isolated
// segment sends. http_connection_fuzz has whole connections.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/url.h"
#include "netserve/dns_answer.h"
#include "netserve/http_server.h"
#include "netserve/request.h"
#include "netserve/segment_answer.h"
#include "netserve/udp_frame.h"
#include "tests/fuzz/require.h"

namespace {

// Frames, and what is in them beneath the headers.
void ask_on_segment(std::string_view input) {
    using namespace vml::serve;
    const SegmentGuest guest{{0x52, 0x54, 0, 1, 2, 3}, 1, "boot.ipxe", "snponly.efi", {{209, false, "x"}}};
    constexpr std::size_t longest_frame = 1514;
    const auto check = [&](const std::string& frame) {
        const auto answer = segment_answer(guest, frame);
        require(!answer || answer->size() <= longest_frame);
    };
    check(std::string{input});
    const std::string payload{input.substr(0, 1400)};
    check(udp_frame(FrameEnds<vml::Ip4>{{}, {}, {}, 68, 67}, payload));
    check(udp_frame(FrameEnds<vml::Ip6>{{}, {}, {}, 546, 547}, payload));
    require(dns_answer(guest, input).value_or("").size() <= input.size() + 64);
}

}  // namespace

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
    ask_on_segment(input);
    const std::int64_t owner = owner_of_connection(input, 1, 2);
    require(owner >= -1);
    return 0;
}
