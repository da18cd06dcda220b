// What qemu-img answers about an image, and the names that an image has for those under it.
//
// Holds that nothing is thrown, that an answer that is none is told as a fault, that what is told is UTF-8
// and bounded by the answer, and that the format of an image that names another file is not believed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/settings/values.h"
#include "launcher/vm/disk_image.h"
#include "launcher/vm/qcow2_header.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;

constexpr std::size_t longest_sentence = 512;  // of ours, without what it cites
constexpr std::size_t longest_reason = 1024;   // of a fault, whatever qemu-img says
const std::filesystem::path image{"/d/image"};

void check_choice(const ImageFacts& facts, const std::optional<std::string>& stated, std::size_t most) {
    const FormatChoice choice = choose_format(facts, stated, image);
    require(choice.why.size() <= most && choice.hint.size() <= most);
    require(choice.why.empty() || !choice.hint.empty());
    const bool names_a_file = facts.backing_file || facts.data_file;
    require(stated || !choice.why.empty() || !names_a_file);
    require(stated || !choice.why.empty() || choice.format == "raw" || choice.format == "qcow2");
}

void check_meant(const std::string& name) {
    if (const auto meant = file_meant(image, name)) {
        require(!meant->format || !meant->format->empty());
        require(meant->file.native().size() <= image.native().size() + name.size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const std::size_t most = longest_sentence + size;
    const ImageFacts facts = image_facts_in(input, image);
    require(facts.fault.has_value() == !parse_image_info(input).has_value());
    if (facts.fault) {
        require(is_utf8(facts.fault->why) && !facts.fault->why.empty());
        require(facts.fault->why.size() <= longest_reason);
    }
    check_choice(facts, std::nullopt, most + longest_reason);
    for (const std::string& format : choice_names<DiskFormat>()) {
        check_choice(facts, format, most);
    }
    for (const auto& name : {facts.backing_file, facts.data_file}) {
        if (name) {
            require(is_utf8(*name) && name->size() <= size);
            check_meant(*name);
        }
    }
    check_meant(std::string{input});
    check_meant("json:" + std::string{input});
    return 0;
}
