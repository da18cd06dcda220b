#include "launcher/vm/nvram_store.h"

#include <fmt/format.h>

#include "base/json.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

constexpr std::string_view format_name = "vm-launch-nvram";
constexpr int format_version = 1;

std::string words_for(const NvramOrigin& origin) {
    return fmt::format("{} with {}, from {}", origin.arch, origin.code.string(),
                       origin.vars_template.string());
}

// A store that an older vm-launch made: it did not write down for what.
std::optional<std::string> why_not_by_content(const StoreQuestion& question) {
    const auto* store = std::get_if<rom::VariableStore>(&question.store.content);
    const auto* of_template =
        question.of_template ? std::get_if<rom::VariableStore>(&question.of_template->content) : nullptr;
    if (store == nullptr || of_template == nullptr || store->platform_key == of_template->platform_key) {
        return std::nullopt;
    }
    if (store->platform_key && question.firmware.has("secure-boot")) {
        return std::nullopt;  // its user enrolled keys
    }
    return store->platform_key ? "it was made for firmware with Secure Boot: keys are enrolled in it"
                               : "it was made for firmware without Secure Boot: no key is enrolled in it";
}

// The same paths, or the same firmware under others: a template that is the same to the byte, whatever it is
// called, or one of the same file name, which another build of one firmware has; then size and Secure Boot's
// keys tell the rest. Two programs that share their template can share a store.
bool same_firmware(const NvramOrigin& made_for, const NvramOrigin& wanted) {
    if (made_for.arch != wanted.arch) {
        return false;
    }
    const bool same_paths = made_for.code == wanted.code && made_for.vars_template == wanted.vars_template;
    const bool same_content =
        !made_for.template_digest.empty() && made_for.template_digest == wanted.template_digest;
    return same_paths || same_content || made_for.vars_template.filename() == wanted.vars_template.filename();
}

}  // namespace

NvramOrigin origin_of_store(const UefiFirmware& firmware, rom::Arch arch,
                            const std::optional<StoreFacts>& of_template) {
    return {std::string{to_string(arch)}, firmware.code, firmware.vars_template,
            of_template ? of_template->digest : ""};
}

std::string to_text(const NvramOrigin& origin) {
    nlohmann::ordered_json object{{"format", format_name},
                                  {"version", format_version},
                                  {"arch", origin.arch},
                                  {"code", origin.code.string()},
                                  {"template", origin.vars_template.string()}};
    if (!origin.template_digest.empty()) {
        object["template_digest"] = origin.template_digest;
    }
    return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::variant<std::monostate, NvramOrigin, std::string> parse_nvram_origin(std::string_view text) {
    const nlohmann::json object = parse_json(text);
    if (!object.is_object() || text_at(object, "format") != format_name) {
        return std::monostate{};
    }
    const std::optional<int> version = number_at<int>(object, "version");
    if (version && *version > format_version) {
        return fmt::format("{} beside it is of a newer vm-launch (version {})", nvram_origin_file, *version);
    }
    NvramOrigin origin{text_at(object, "arch"), text_at(object, "code"), text_at(object, "template"),
                       text_at(object, "template_digest")};
    if (version != format_version || origin.arch.empty() || origin.code.empty() ||
        origin.vars_template.empty()) {
        return std::monostate{};
    }
    return origin;
}

std::optional<std::string> why_not_this_store(const StoreQuestion& question) {
    const NvramOrigin wanted = origin_of_store(question.firmware, question.arch, question.of_template);
    const auto parsed = parse_nvram_origin(question.origin.value_or(""));
    const auto* origin = std::get_if<NvramOrigin>(&parsed);
    if (const auto* newer = std::get_if<std::string>(&parsed)) {
        return *newer;
    }
    if (origin != nullptr && !same_firmware(*origin, wanted)) {
        return fmt::format("it was made for {}; this start is for {}", words_for(*origin), words_for(wanted));
    }
    if (!question.of_template) {
        return std::nullopt;  // its format is one that is not read here
    }
    if (question.store.size != question.of_template->size) {
        return fmt::format(
            "it has {} bytes, and {} has {}: it is no store of this firmware, or not a whole one",
            question.store.size, question.firmware.vars_template.string(), question.of_template->size);
    }
    if (const auto* why = std::get_if<std::string>(&question.store.content)) {
        return *why;
    }
    const bool by_path = origin != nullptr && origin->vars_template == wanted.vars_template;
    return by_path ? std::nullopt : why_not_by_content(question);
}

std::string_view secure_boot_words(std::optional<bool> secure_boot) {
    if (!secure_boot) {
        return "whether Secure Boot is on is not known";
    }
    return *secure_boot ? "Secure Boot is on" : "Secure Boot is off";
}

std::optional<bool> secure_boot_of(const std::optional<StoreFacts>& store, const UefiFirmware& firmware) {
    if (!firmware.has("secure-boot")) {
        return false;
    }
    const auto* content = store ? std::get_if<rom::VariableStore>(&store->content) : nullptr;
    return content == nullptr ? std::nullopt : std::optional{content->secure_boot()};
}

}  // namespace vml
