#include "launcher/vm/disk_image.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/shell.h"
#include "base/text.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

using nlohmann::json;

bool can_be_named(const std::string& format) {
    const std::vector<std::string> names = choice_names<DiskFormat>();
    return std::find(names.begin(), names.end(), format) != names.end();
}

std::optional<std::string> any_text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? std::optional{found->get<std::string>()}
                                                       : std::nullopt;
}

std::optional<ImageFacts> read_info(const json& info) {
    if (!info.is_object() || !any_text_at(info, "format")) {
        return std::nullopt;
    }
    ImageFacts image;
    image.format = *any_text_at(info, "format");
    image.backing_file = any_text_at(info, "backing-filename");
    if (info.contains("format-specific")) {
        const json& specific = info.at("format-specific");
        image.data_file = any_text_at(specific.value("data", json::object()), "data-file");
    }
    return image;
}

std::string last_line(std::string_view output) {
    constexpr std::size_t enough = 200;
    const std::size_t end = output.find_last_not_of('\n');
    output = output.substr(0, end == std::string_view::npos ? 0 : end + 1);
    return printable(output.substr(output.rfind('\n') + 1).substr(0, enough));
}

// A header that only the image's owner should have written.
FormatChoice claims_a_file(const std::string& what, const std::string& name,
                           const std::filesystem::path& path) {
    return {"qcow2",
            fmt::format("it says that it is a qcow2 image with the {} {}: a guest that had it as a raw disk "
                        "could have written that to read files of this host",
                        what, name),
            fmt::format("if you made {} so, say --disk-format qcow2; if it is a raw disk, --disk-format raw",
                        path.filename().string())};
}

}  // namespace

std::optional<ImageFacts> parse_image_info(std::string_view output) {
    const std::size_t begin = output.find('{');  // warnings may come before
    const std::size_t end = output.rfind('}');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
        return std::nullopt;
    }
    const json info = parse_json(output.substr(begin, end - begin + 1));
    try {
        return info.is_discarded() ? std::nullopt : read_info(info);
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

ImageFacts image_facts_in(std::string_view output, const std::filesystem::path& image) {
    if (auto facts = parse_image_info(output)) {
        return *std::move(facts);
    }
    const std::string words = last_line(output);
    if (words.find("Unsupported qcow2 feature") != std::string::npos) {
        Fault newer = unknown_format(image, words);
        newer.hint =
            "use the QEMU that made it, or a newer one; or convert it there: qemu-img convert -O qcow2";
        return {.fault = std::move(newer)};
    }
    return {.fault = unknown_format(image, words.empty() ? "qemu-img gave no answer" : words)};
}

Fault unknown_format(const std::filesystem::path& image, std::string why) {
    return {fmt::format("the format of {} cannot be told", image.string()), std::move(why),
            "say it: --disk-format raw, or --disk-format qcow2", ExitCode::host};
}

FormatChoice choose_format(const ImageFacts& image, const std::optional<std::string>& stated,
                           const std::filesystem::path& path) {
    const std::string convert =
        fmt::format("convert it: qemu-img convert -O qcow2 {} NEW.qcow2", shell_quoted(path.string()));
    if (stated && *stated == "vmdk" && image.backing_file) {
        return {*stated, fmt::format("it lies on another image, {}", *image.backing_file), convert};
    }
    if (stated) {
        return {*stated, "", ""};
    }
    if (image.fault) {
        return {"", image.fault->what + ": " + image.fault->why, image.fault->hint};
    }
    if (image.format != "raw" && image.format != "qcow2") {
        return {image.format, fmt::format("it is a {} image, neither raw nor qcow2", image.format),
                can_be_named(image.format)
                    ? fmt::format("--disk-format {} uses it as it is, by QEMU's driver; or {}", image.format,
                                  convert)
                    : convert};
    }
    if (image.backing_file) {
        return claims_a_file("backing file", *image.backing_file, path);
    }
    if (image.data_file) {
        return claims_a_file("data file", *image.data_file, path);
    }
    return {image.format, "", ""};
}

}  // namespace vml
