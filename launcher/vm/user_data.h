// What cloud-init takes as user data, by its own rules. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vml {

struct UserDataJudgement {
    std::string text;                // as cloud-init is to get it
    std::vector<std::string> notes;  // what was mended, what may go wrong; a clause each
    std::string why;                 // cloud-init would pass it over: the reason; empty: it would not
    std::string hint;
};

// The kinds are those of cloud-init's cloudinit/handlers/__init__.py (INCLUSION_TYPES_MAP),
// cloudinit/user_data.py (MIME) and, for `## template: jinja`, cloudinit/handlers/jinja_template.py.
// What begins with none of them is "text/x-not-multipart", which cloud-init logs as unhandled and passes
// over. gzip is unpacked before, where the file is read.
[[nodiscard]] UserDataJudgement judge_user_data(std::string_view text);

// The public keys in what was given for a key: lines of an authorized_keys file (sshd(8)), comments left out.
struct SshKeys {
    std::vector<std::string> keys;
    std::string why;  // there is none; the reason
};
[[nodiscard]] SshKeys ssh_keys_in(std::string_view text);
// It is no key but the name of a file that may hold some.
[[nodiscard]] bool names_key_file(std::string_view text);

}  // namespace vml
