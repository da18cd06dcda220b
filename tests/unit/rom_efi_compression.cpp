#include <algorithm>
#include <cstdint>
#include <random>
#include <string_view>
#include <variant>

#include "rom/efi_compression.h"
#include "tests/unit/catch.h"
#include "tests/unit/rom_packer.h"

namespace vml::rom {
namespace {

using namespace test;
using Unpacked = std::variant<Data, CompressionFault>;

Unpacked unpack(const Data& data, std::size_t limit = largest_unpacked) {
    return unpack_efi(vml::Bytes{data}, limit);
}

Data noise(std::size_t size) {
    std::minstd_rand random{7};
    Data data(size);
    std::generate(data.begin(), data.end(), [&] { return static_cast<std::uint8_t>(random() >> 7U); });
    return data;
}

TEST_CASE("what was packed comes out again", "[rom]") {
    const Data text = text_data("a text that repeats, a text that repeats, and again: a text that repeats.");
    for (const Data& data :
         {Data{}, Data{0}, text, noise(3000), Data(100'000, 'x'), noise(300) + noise(300)}) {
        CAPTURE(data.size());
        for (const std::size_t block_size : {1U, 7U, 1000U, 65535U}) {
            CHECK(unpack(packed(data, block_size)) == Unpacked{data});
        }
    }
}

TEST_CASE("what follows the packed data is not looked at", "[rom]") {
    const Data data = noise(100);
    CHECK(unpack(packed(data) + Data(50, 0xFF)) == Unpacked{data});
}

TEST_CASE("a code of one symbol takes no bits", "[rom]") {
    BitWriter bits;
    bits.put(40, 16);
    bits.put(0, 5 + 5);  // Extra Set: one symbol
    bits.put(0, 9);      // Char&Len Set: one symbol, and it is
    bits.put('z', 9);    // this one
    bits.put(0, 4 + 4);  // Position Set: one symbol
    CHECK(unpack(with_sizes(bits.data(), 40)) == Unpacked{Data(40, 'z')});
    // The symbols of the block are used up, and nothing follows.
    CHECK(unpack(with_sizes(bits.data(), 41)) == Unpacked{CompressionFault::bad_data});
}

TEST_CASE("a block size of 0 is 65,536, as edk2 counts", "[rom]") {
    BitWriter bits;
    bits.put(0, 16 + 5 + 5 + 9);
    bits.put('z', 9);
    bits.put(0, 4 + 4);
    CHECK(unpack(with_sizes(bits.data(), 65'536)) == Unpacked{Data(65'536, 'z')});
}

TEST_CASE("why something cannot be unpacked", "[rom]") {
    const Data good = packed(noise(200));
    CHECK(unpack({}) == Unpacked{CompressionFault::no_header});
    CHECK(unpack(Data(7)) == Unpacked{CompressionFault::no_header});
    CHECK(unpack(Data(good.begin(), good.end() - 1)) == Unpacked{CompressionFault::cut_short});
    CHECK(unpack(good, 199) == Unpacked{CompressionFault::too_large});
    CHECK(unpack(good, 200) == Unpacked{noise(200)});
    CHECK(unpack(with_sizes(Data(50, 0xFF), 10)) == Unpacked{CompressionFault::bad_code});
    CHECK(unpack(with_sizes(Data(good.begin() + 8, good.begin() + 200), 200)) ==
          Unpacked{CompressionFault::bad_data});
    CHECK(unpack(with_sizes(Data(50), largest_unpacked + 1)) == Unpacked{CompressionFault::too_large});
    CHECK(unpack(with_sizes({}, 1)) == Unpacked{CompressionFault::bad_data});
    CHECK(unpack(with_sizes({}, 0)) == Unpacked{Data{}});
}

TEST_CASE("a match before the first byte is refused", "[rom]") {
    BitWriter bits;
    put_block_header(bits, 2);
    match_code.put(bits, 'a');
    match_code.put(bits, 256);
    put_distance(bits, 2);
    CHECK(unpack(with_sizes(bits.data(), 4)) == Unpacked{CompressionFault::bad_data});
}

TEST_CASE("damage anywhere gives bytes or a reason, never more bytes than were said", "[rom]") {
    const Data original = noise(120) + Data(200, 'x');
    const Data good = packed(original, 50);
    for (std::size_t at = 8; at < good.size(); ++at) {
        for (const unsigned bit : {0U, 3U, 7U}) {
            Data bad = good;
            bad[at] = static_cast<std::uint8_t>(bad[at] ^ 1U << bit);
            const Unpacked result = unpack(bad);
            if (const auto* data = std::get_if<Data>(&result)) {
                CHECK(data->size() == original.size());
            }
        }
    }
}

TEST_CASE("each reason is a clause", "[rom]") {
    for (const auto fault :
         {CompressionFault::no_header, CompressionFault::cut_short, CompressionFault::too_large,
          CompressionFault::bad_code, CompressionFault::bad_data}) {
        CHECK(to_string(fault).starts_with(fault == CompressionFault::too_large ? "what" : "it"));
    }
}

}  // namespace
}  // namespace vml::rom
