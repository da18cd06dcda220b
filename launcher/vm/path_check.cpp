#include <cerrno>

#include <fmt/format.h>

#include "launcher/settings/tidy.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

std::string hint_for_open(int open_error) {
    return open_error == EROFS ? "mount it writable"
                               : "check the owner and mode, also of the folders above it";
}

}  // namespace

std::filesystem::path DecideInput::absolute(const std::filesystem::path& path) const {
    return (facts.working_folder / path).lexically_normal();
}

bool check_path(const DecideInput& in, const NamedPath& named, Findings& findings) {
    const std::string what = fmt::format("{}: cannot use {}", in.origin(named.flag), named.path.string());
    const std::string_view kind = named.wanted == PathFacts::Kind::folder ? "folder" : "file";
    const int error = named.facts.open_error;
    if (named.facts.is_missing()) {
        const bool comment = named.path.string().find(comment_in_value) != std::string::npos;
        findings.host_fault(
            what, errno_text(error),
            comment ? std::string{no_comment_hint} : "check the path; in a container, the volume's mount");
    } else if (named.facts.kind != PathFacts::Kind::missing && named.facts.kind != named.wanted) {
        findings.host_fault(what, fmt::format("it is no {}", kind), fmt::format("name a {}", kind));
    } else if (error != 0) {
        findings.host_fault(what, errno_text(error), hint_for_open(error));
    } else {
        return true;
    }
    return false;
}

}  // namespace vml
