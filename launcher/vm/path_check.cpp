#include <cctype>
#include <cerrno>
#include <string_view>

#include <fmt/format.h>

#include "launcher/settings/tidy.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

std::string why_not_open(int open_error) {
    return open_error == EBUSY
               ? "this host has it, or a partition of it, in use: mounted, as swap, by LVM or RAID"
               : errno_text(open_error);
}

std::string hint_for_open(int open_error) {
    return open_error == EBUSY   ? "unmount it there, or name another device"
           : open_error == EROFS ? "mount it writable"
                                 : "check the owner and mode, also of the folders above it";
}

// "$HOME", "${DISKS}"; a "$" elsewhere is a letter like another.
bool names_a_variable(std::string_view path) {
    const std::size_t at = path.find('$');
    return at < path.size() && at + 1 < path.size() &&
           (path[at + 1] == '{' || path[at + 1] == '_' ||
            std::isalpha(static_cast<unsigned char>(path[at + 1])) != 0);
}

// By what a path looks like that nobody's file has.
std::string hint_for_missing(std::string_view flag, std::string_view path) {
    const auto has = [path](std::string_view part) { return path.find(part) != std::string_view::npos; };
    if (has(comment_in_value)) {
        return std::string{no_comment_hint};
    }
    if (path.starts_with("file://")) {
        return "write the path alone, without file://";
    }
    if (has("://")) {
        return "vm-launch fetches no files: name a local one (in a container, one that is mounted)";
    }
    if (path.starts_with('~') || names_a_variable(path)) {
        return "no shell has replaced what stands for a folder in it (~ or $NAME): write the path out";
    }
    if (flag.starts_with("disk") && (has(",/") || has(",.") || has(",~") || has(", "))) {
        return "a list is no path: each disk has a setting of its own, --disk again or DISK2, DISK3, …";
    }
    return "check the path; in a container, the volume's mount";
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
        findings.host_fault(what, errno_text(error), hint_for_missing(named.flag, named.path.string()));
    } else if (named.facts.kind != PathFacts::Kind::missing && named.facts.kind != named.wanted) {
        findings.host_fault(what, fmt::format("it is no {}", kind), fmt::format("name a {}", kind));
    } else if (error != 0) {
        findings.host_fault(what, why_not_open(error), hint_for_open(error));
    } else {
        return true;
    }
    return false;
}

}  // namespace vml
