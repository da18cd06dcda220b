// User data that is packed, and what may be wrong with it.
#include <string>

#include <zlib.h>

#include "launcher/host/user_data_file.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

std::string gzipped(std::string text) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string bytes(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    deflate(&stream, Z_FINISH);
    bytes.resize(stream.total_out);
    deflateEnd(&stream);
    return bytes;
}

std::string fault_of(const std::string& bytes) {
    const UserDataFile file = unpacked_user_data(bytes);
    CHECK(file.text.empty());
    REQUIRE(file.fault);
    CHECK_FALSE(file.fault->hint.empty());
    return file.fault->why;
}

const std::string cloud_config = "#cloud-config\nruncmd: []\n";

TEST_CASE("user data is unpacked as cloud-init unpacks it") {
    for (const std::string& bytes :
         {cloud_config, gzipped(cloud_config), gzipped(cloud_config) + std::string(9, '\0'),
          gzipped("#cloud-config\n") + gzipped("runcmd: []\n")}) {
        const UserDataFile file = unpacked_user_data(bytes);
        CHECK(file.text == cloud_config);
        CHECK_FALSE(file.fault);
    }
    CHECK(unpacked_user_data("").text.empty());
    const std::string much(std::size_t{4} << 20U, 'x');
    CHECK(unpacked_user_data(much).text == much);
    CHECK(unpacked_user_data(gzipped(much)).text == much);
}

TEST_CASE("packed user data that is damaged or too large is told of as that") {
    const std::string good = gzipped(cloud_config);
    std::string bad_sum = good;
    bad_sum[good.size() - 6] ^= 1;
    std::string bad_header = good;
    bad_header[2] = 7;
    CHECK(fault_of(bad_sum) == "its gzip data is damaged: incorrect data check");
    CHECK(fault_of(bad_header) == "its gzip data is damaged: unknown compression method");
    CHECK(fault_of(good + "more") == "its gzip data is damaged: incorrect header check");
    for (std::size_t size = 2; size < good.size(); ++size) {
        CAPTURE(size);
        CHECK(fault_of(good.substr(0, size)) == "its gzip data is damaged: its end is missing");
    }
    CHECK(fault_of(gzipped(good)) == "it is packed twice, and cloud-init unpacks it once");
    const std::string much((std::size_t{4} << 20U) + 1, '\0');
    CHECK(fault_of(much) == "it is larger than 4 MiB");
    CHECK(fault_of(gzipped(much)) == "what it unpacks to is larger than 4 MiB");
}

}  // namespace
}  // namespace vml
