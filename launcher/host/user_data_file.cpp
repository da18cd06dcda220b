#include "launcher/host/user_data_file.h"

#include <array>

#include <fmt/format.h>
#define ZLIB_CONST  // zlib reads what it unpacks, and writes nothing there
#include <zlib.h>

#include "launcher/host/file_head.h"

namespace vml {

namespace {

// More than any cloud's limit for user data; for what comes out of a packed file too.
constexpr std::size_t longest_user_data = std::size_t{4} << 20;
constexpr std::string_view gzip_magic = "\x1f\x8b";

UserDataFault too_long(std::string_view what) {
    return {fmt::format("{} is larger than {} MiB", what, longest_user_data >> 20U),
            "let cloud-init fetch what is large: write #include and its URL into the file"};
}

UserDataFault damaged(std::string_view why) {
    return {fmt::format("its gzip data is damaged: {}", why),
            "pack it again (gzip -k FILE), or give the file that was packed"};
}

UserDataFile once_packed(std::string text) {
    if (text.starts_with(gzip_magic)) {
        return {"", UserDataFault{"it is packed twice, and cloud-init unpacks it once", "unpack it: gunzip"}};
    }
    return {std::move(text), std::nullopt};
}

// zlib's stream for gzip, and its end.
class Inflater {
  public:
    explicit Inflater(std::string_view bytes) {
        constexpr int with_gzip_header = 16 + MAX_WBITS;
        stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());  // NOLINT: zlib's own type of a byte
        stream_.avail_in = static_cast<uInt>(bytes.size());
        ready_ = inflateInit2(&stream_, with_gzip_header) == Z_OK;
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    Inflater(Inflater&&) = delete;
    Inflater& operator=(Inflater&&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    // The next part of the text is appended; Z_OK while there is more.
    int step(std::string& text) {
        if (!ready_) {
            return Z_MEM_ERROR;
        }
        std::array<Bytef, std::size_t{64} << 10U> part{};
        stream_.next_out = part.data();
        stream_.avail_out = static_cast<uInt>(part.size());
        const int result = inflate(&stream_, Z_NO_FLUSH);
        text.append(part.begin(), part.end() - stream_.avail_out);
        return result;
    }
    [[nodiscard]] std::size_t left() const { return stream_.avail_in; }
    void next_member() { inflateReset(&stream_); }
    [[nodiscard]] std::string why(int result) const {
        return result == Z_BUF_ERROR    ? "its end is missing"
               : stream_.msg == nullptr ? zError(result)
                                        : stream_.msg;
    }

  private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

UserDataFile unpacked_user_data(std::string_view bytes) {
    if (bytes.size() > longest_user_data) {
        return {"", too_long("it")};
    }
    if (!bytes.starts_with(gzip_magic)) {
        return {std::string{bytes}, std::nullopt};
    }
    Inflater inflater{bytes};
    for (std::string text;;) {
        const int result = inflater.step(text);
        if (text.size() > longest_user_data) {
            return {"", too_long("what it unpacks to")};
        }
        if (result == Z_STREAM_END) {
            const std::string_view rest = bytes.substr(bytes.size() - inflater.left());
            if (rest.find_first_not_of('\0') == std::string_view::npos) {
                return once_packed(std::move(text));
            }
            inflater.next_member();
        } else if (result != Z_OK) {
            return {"", damaged(inflater.why(result))};
        }
    }
}

UserDataFile read_user_data(const std::filesystem::path& path) {
    return unpacked_user_data(head_of(path, longest_user_data + 1));
}

}  // namespace vml
