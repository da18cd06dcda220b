// Packs bytes as UEFI's compression does (UEFI 2.10, chapter 19), with codes that are always the same: all
// symbols of a set have nearly equal lengths. Good for tests alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/unit/rom_builder.h"

namespace vml::rom::test {

class BitWriter {
  public:
    void put(std::size_t value, unsigned count) {
        while (count-- > 0) {
            if (used_ % 8 == 0) {
                data_.push_back(0);
            }
            data_.back() = static_cast<std::uint8_t>(data_.back() | (value >> count & 1U) << (7 - used_ % 8));
            ++used_;
        }
    }
    [[nodiscard]] const Data& data() const { return data_; }

  private:
    Data data_;
    std::size_t used_ = 0;
};

// The canonical code in which the symbols below `few` have `length` bits, and the others one more.
struct FlatCode {
    std::size_t few;
    unsigned length;
    void put(BitWriter& bits, std::size_t symbol) const {
        if (symbol < few) {
            bits.put(symbol, length);
        } else {
            bits.put(few * 2 + symbol - few, length + 1);
        }
    }
};

// 2 codes of 8 bits and 508 of 9; 2 of 3 bits and 12 of 4.
constexpr FlatCode match_code{2, 8};
constexpr FlatCode position_code{2, 3};

inline void put_block_header(BitWriter& bits, std::size_t symbols) {
    bits.put(symbols, 16);
    // Extra Set: 12 lengths, of which symbols 10 and 11 (lengths 8 and 9) have one bit; three zeros are
    // skipped.
    bits.put(12, 5);
    bits.put(0, 9);
    bits.put(3, 2);
    bits.put(0, 3 * 4);
    bits.put(1, 3);
    bits.put(1, 3);
    // Char&Len Set: 510 lengths.
    bits.put(510, 9);
    for (std::size_t i = 0; i < 510; ++i) {
        bits.put(i < match_code.few ? 0 : 1, 1);
    }
    // Position Set: 14 lengths of 3 or 4.
    bits.put(14, 4);
    for (std::size_t i = 0; i < 14; ++i) {
        bits.put(i < position_code.few ? 3 : 4, 3);
    }
}

inline void put_distance(BitWriter& bits, std::size_t back) {
    const std::size_t position = back - 1;
    unsigned symbol = 0;
    while (position >> symbol != 0) {
        ++symbol;
    }
    position_code.put(bits, symbol);
    if (symbol > 1) {
        bits.put(position - (std::size_t{1} << (symbol - 1)), symbol - 1);
    }
}

struct Match {
    std::size_t length = 0;
    std::size_t back = 0;
};

// The longest of a few near ones.
inline Match find_match(const Data& data, std::size_t at) {
    Match best;
    for (std::size_t back = 1; back <= std::min<std::size_t>(at, 64); ++back) {
        std::size_t length = 0;
        while (length < 256 && at + length < data.size() && data[at + length] == data[at + length - back]) {
            ++length;
        }
        if (length > best.length) {
            best = {length, back};
        }
        if (length == 256) {
            break;
        }
    }
    return best;
}

inline Data with_sizes(const Data& packed, std::size_t original_size) {
    Data data(8);
    put16(data, 0, packed.size() & 0xFFFFU);
    put16(data, 2, static_cast<unsigned>(packed.size() >> 16U));
    put16(data, 4, original_size & 0xFFFFU);
    put16(data, 6, static_cast<unsigned>(original_size >> 16U));
    return data + packed;
}

inline Data packed(const Data& data, std::size_t block_size = 1000) {
    BitWriter bits;
    std::size_t symbols = 0;
    for (std::size_t at = 0; at < data.size(); ++symbols) {
        if (symbols % block_size == 0) {
            put_block_header(bits, block_size);
        }
        const Match match = find_match(data, at);
        if (match.length < 3) {
            match_code.put(bits, data[at++]);
            continue;
        }
        match_code.put(bits, 256 + match.length - 3);
        put_distance(bits, match.back);
        at += match.length;
    }
    return with_sizes(bits.data(), data.size());
}

}  // namespace vml::rom::test
