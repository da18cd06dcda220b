#include "rom/efi_compression.h"

#include <algorithm>
#include <array>
#include <optional>

namespace vml::rom {

namespace {

constexpr std::size_t header_size = 8;  // compressed size, original size: u32 each

// UEFI 2.10, 19.2 and 19.3: the three codes of a block, and what their symbols mean.
constexpr std::size_t longest_code = 16;
constexpr std::size_t literals = 256;
constexpr std::size_t shortest_match = 3;
constexpr std::size_t longest_match = 256;
constexpr std::size_t match_symbols = literals + longest_match - shortest_match + 1;  // "Char&Len Set"
constexpr std::size_t extra_symbols = 19;                                             // "Extra Set"
constexpr std::size_t position_symbols = 14;                                          // "Position Set"
constexpr unsigned match_count_bits = 9;
constexpr unsigned extra_count_bits = 5;
constexpr unsigned position_count_bits = 4;
constexpr unsigned block_size_bits = 16;

// The bits of the data, the highest of each byte first. After the end come zeros, without end.
class Bits {
  public:
    explicit Bits(Bytes data) : data_{data} {}

    unsigned one() {
        const unsigned byte = data_.u8(at_ / 8);
        const unsigned bit = byte >> (7 - at_ % 8) & 1U;
        ++at_;
        return bit;
    }
    unsigned take(unsigned count) {
        unsigned value = 0;
        for (unsigned i = 0; i < count; ++i) {
            value = value << 1U | one();
        }
        return value;
    }
    // More than the few bits that a decoder may look ahead were made up.
    [[nodiscard]] bool exhausted() const { return at_ > (data_.size() + 4) * 8; }

  private:
    Bytes data_;
    std::size_t at_ = 0;
};

// A canonical Huffman code: given the lengths, the shorter codes come first, and those of one length are in
// the order of their symbols (19.2.4).
class Code {
  public:
    // One symbol alone takes no bits.
    static Code of_one(std::size_t symbol) {
        Code code;
        code.only_ = symbol;
        return code;
    }

    // Nothing when the lengths are those of no complete code.
    static std::optional<Code> of_lengths(const std::vector<std::uint8_t>& lengths) {
        Code code;
        for (const std::uint8_t length : lengths) {
            if (length > longest_code) {
                return std::nullopt;
            }
            ++code.count_.at(length);
        }
        code.count_[0] = 0;
        std::size_t used = 0;
        for (std::size_t length = 1; length <= longest_code; ++length) {
            used += code.count_[length] << (longest_code - length);
        }
        if (used != std::size_t{1} << longest_code) {
            return std::nullopt;
        }
        for (std::size_t length = 1; length <= longest_code; ++length) {
            for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
                if (lengths[symbol] == length) {
                    code.symbols_.push_back(static_cast<std::uint16_t>(symbol));
                }
            }
        }
        return code;
    }

    // A complete code knows every sequence of bits.
    std::size_t next(Bits& bits) const {
        if (only_) {
            return *only_;
        }
        std::size_t value = 0;
        std::size_t first = 0;  // the first code of this length
        std::size_t index = 0;  // of its symbol
        for (std::size_t length = 1; length <= longest_code; ++length) {
            value = value << 1U | bits.one();
            first <<= 1U;
            if (value < first + count_[length]) {
                return symbols_[index + value - first];
            }
            first += count_[length];
            index += count_[length];
        }
        return 0;
    }

  private:
    std::optional<std::size_t> only_;
    std::array<std::size_t, longest_code + 1> count_{};  // of codes, by their length
    std::vector<std::uint16_t> symbols_;                 // in the order of their codes
};

// A length of up to 6 has three bits; from 7 on, a 1 for each more, and a 0 (19.3.2).
std::size_t small_length(Bits& bits) {
    std::size_t length = bits.take(3);
    while (length >= 7 && length <= longest_code && bits.one() == 1) {
        ++length;
    }
    return length;
}

// The Extra Set's or the Position Set's code. In the former, two bits after the third length say how many
// zeros follow it.
std::optional<Code> read_small_code(Bits& bits, std::size_t symbols, unsigned count_bits, bool extra) {
    const std::size_t count = bits.take(count_bits);
    if (count == 0) {
        const std::size_t symbol = bits.take(count_bits);
        return symbol < symbols ? std::optional{Code::of_one(symbol)} : std::nullopt;
    }
    std::vector<std::uint8_t> lengths;
    while (lengths.size() < count) {
        lengths.push_back(static_cast<std::uint8_t>(small_length(bits)));
        if (extra && lengths.size() == 3) {
            lengths.resize(3 + bits.take(2));
        }
    }
    return lengths.size() <= symbols ? Code::of_lengths(lengths) : std::nullopt;
}

// How many lengths of zero an Extra symbol stands for (19.3.2).
std::size_t zeros_of(std::size_t symbol, Bits& bits) {
    switch (symbol) {
        case 0:
            return 1;
        case 1:
            return bits.take(4) + 3;
        default:
            return bits.take(match_count_bits) + 20;
    }
}

std::optional<Code> read_match_code(Bits& bits, const Code& extra) {
    const std::size_t count = bits.take(match_count_bits);
    if (count == 0) {
        const std::size_t symbol = bits.take(match_count_bits);
        return symbol < match_symbols ? std::optional{Code::of_one(symbol)} : std::nullopt;
    }
    std::vector<std::uint8_t> lengths;
    while (lengths.size() < count && count <= match_symbols) {
        const std::size_t symbol = extra.next(bits);
        if (symbol <= 2) {
            lengths.resize(lengths.size() + zeros_of(symbol, bits));
        } else {
            lengths.push_back(static_cast<std::uint8_t>(symbol - 2));
        }
    }
    return count <= match_symbols && lengths.size() <= match_symbols ? Code::of_lengths(lengths)
                                                                     : std::nullopt;
}

// What a block's symbols are read with.
struct Codes {
    Code match;
    Code position;
};

std::optional<Codes> read_codes(Bits& bits) {
    const auto extra = read_small_code(bits, extra_symbols, extra_count_bits, true);
    if (!extra) {
        return std::nullopt;
    }
    auto match = read_match_code(bits, *extra);
    if (!match) {
        return std::nullopt;
    }
    auto position = read_small_code(bits, position_symbols, position_count_bits, false);
    if (!position) {
        return std::nullopt;
    }
    return Codes{std::move(*match), std::move(*position)};
}

// How far back a match begins: 0 is the byte before.
std::size_t read_distance(Bits& bits, const Code& position) {
    const std::size_t symbol = position.next(bits);
    return symbol <= 1 ? symbol
                       : (std::size_t{1} << (symbol - 1)) + bits.take(static_cast<unsigned>(symbol - 1));
}

class Unpacker {
  public:
    Unpacker(Bytes data, std::size_t size) : bits_{data}, size_{size} {}

    std::variant<std::vector<std::uint8_t>, CompressionFault> run() {
        while (out_.size() < size_) {
            // A block size of 0 is 65,536 of them: edk2 counts down in 16 bits, from there.
            const std::size_t size = bits_.take(block_size_bits);
            const auto codes = read_codes(bits_);
            if (!codes) {
                return bits_.exhausted() ? CompressionFault::bad_data : CompressionFault::bad_code;
            }
            if (!block(*codes, size == 0 ? std::size_t{1} << block_size_bits : size)) {
                return CompressionFault::bad_data;
            }
        }
        return std::move(out_);
    }

  private:
    bool block(const Codes& codes, std::size_t symbols) {
        for (; symbols > 0 && out_.size() < size_; --symbols) {
            const std::size_t symbol = codes.match.next(bits_);
            if (bits_.exhausted()) {
                return false;
            }
            if (symbol < literals) {
                out_.push_back(static_cast<std::uint8_t>(symbol));
            } else if (!copy(symbol - literals + shortest_match, read_distance(bits_, codes.position) + 1)) {
                return false;
            }
        }
        return true;
    }

    bool copy(std::size_t count, std::size_t back) {
        if (back > out_.size()) {
            return false;
        }
        for (count = std::min(count, size_ - out_.size()); count > 0; --count) {
            out_.push_back(out_[out_.size() - back]);
        }
        return true;
    }

    Bits bits_;
    std::size_t size_;
    std::vector<std::uint8_t> out_;
};

}  // namespace

std::string_view to_string(CompressionFault fault) {
    switch (fault) {
        case CompressionFault::no_header:
            return "it is too short for packed data";
        case CompressionFault::cut_short:
            return "its packed data are longer than the image";
        case CompressionFault::too_large:
            return "what it says that its packed data unpack to is larger than any ROM";
        case CompressionFault::bad_code:
            return "its packed data are damaged (a code that is none)";
        case CompressionFault::bad_data:
            return "its packed data are damaged (they end too early, or refer to what is not there)";
    }
    return "its packed data are damaged";
}

std::variant<std::vector<std::uint8_t>, CompressionFault> unpack_efi(const Bytes& packed, std::size_t limit) {
    if (!packed.has(0, header_size)) {
        return CompressionFault::no_header;
    }
    const std::size_t packed_size = packed.u32(0);
    const std::size_t size = packed.u32(4);
    if (!packed.has(header_size, packed_size)) {
        return CompressionFault::cut_short;
    }
    if (size > limit) {
        return CompressionFault::too_large;
    }
    return Unpacker{packed.part(header_size, packed_size), size}.run();
}

}  // namespace vml::rom
