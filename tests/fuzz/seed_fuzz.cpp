// Any bytes as a file of user data → unpacked → judged → the seed for cloud-init, as a CD image that is read
// back; and as SSH keys.
//
// Holds that what is unpacked is bounded by what gzip can pack and by the longest user data, that what is
// refused has a reason and a hint, that nothing is added to the user's text, and that the image has it to the
// byte.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "base/json.h"
#include "launcher/host/user_data_file.h"
#include "launcher/start/seed_image.h"
#include "launcher/vm/seed.h"
#include "launcher/vm/user_data.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;

constexpr std::size_t longest_user_data = std::size_t{4} << 20;
constexpr std::size_t most_packed = 1032;  // bytes that DEFLATE makes one of (zlib's technical notes)
constexpr std::size_t window = std::size_t{64} << 10U;
constexpr std::size_t image_frame = std::size_t{1} << 20U;  // of a CD image
constexpr std::size_t longest_message = 512;

void check_image(const SeedSpec& seed) {
    const std::string image = seed_image(seed);
    require(image.size() <= image_frame + seed.user_data.size() + seed.meta_data.size());
    const std::unique_ptr<archive, int (*)(archive*)> iso{archive_read_new(), archive_read_free};
    archive_read_support_format_iso9660(iso.get());
    require(archive_read_open_memory(iso.get(), image.data(), image.size()) == ARCHIVE_OK);
    archive_entry* entry = nullptr;
    int files = 0;
    while (archive_read_next_header(iso.get(), &entry) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG) {
            continue;
        }
        const bool user = std::string_view{archive_entry_pathname(entry)} == "user-data";
        const std::string& wanted = user ? seed.user_data : seed.meta_data;
        std::string there(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        require(archive_read_data(iso.get(), there.data(), there.size()) ==
                static_cast<la_ssize_t>(there.size()));
        require(there == wanted);
        ++files;
    }
    require(files == 2);
}

void check_judged(const std::string& text, bool with_image) {
    const UserDataJudgement judged = judge_user_data(text);
    require(judged.text.size() <= text.size());
    require(judged.why.empty() == judged.hint.empty() && judged.why.size() <= longest_message);
    const SshKeys keys = ssh_keys_in(text);
    require(keys.why.size() <= longest_message && (!keys.keys.empty() || !keys.why.empty()));
    static_cast<void>(names_key_file(text));
    if (!judged.why.empty()) {
        return;
    }
    const SeedSpec seed = make_seed("vm", "host", judged.text, keys.keys);
    require(seed.user_data == judged.text);
    require(parse_json(seed.meta_data).is_object());
    require(seed.meta_data.size() <= longest_message + 8 * text.size());
    if (with_image) {
        check_image(seed);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const UserDataFile file = unpacked_user_data(input);
    require(file.text.size() <= std::min(longest_user_data, most_packed * size + window));
    require(!file.fault || (file.text.empty() && !file.fault->why.empty() && !file.fault->hint.empty()));
    // The image takes a hundred times as long as all the rest.
    check_judged(file.text, size % 64 == 0);
    return 0;
}
