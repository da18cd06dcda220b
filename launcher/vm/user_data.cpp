#include "launcher/vm/user_data.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t mime_head = 4096;  // as far as cloud-init looks for the header

constexpr std::array<std::string_view, 10> headers{
    "#cloud-config",   "#cloud-config-archive", "#cloud-config-jsonp", "#!",
    "#include",        "#include-once",         "#upstart-job",        "#part-handler",
    "#cloud-boothook", "## template: jinja"};

bool has_header(std::string_view text) {
    const std::string head = lower(text.substr(0, mime_head));
    return std::any_of(headers.begin(), headers.end(),
                       [&](std::string_view header) { return head.starts_with(header); });
}

bool is_mime(std::string_view text) {
    return lower(text.substr(0, mime_head)).find("mime-version:") != std::string::npos;
}

// "users:", "packages:": a line that begins with a word and a colon.
bool looks_like_cloud_config(std::string_view text) {
    std::istringstream lines{std::string{text}};
    for (std::string line; std::getline(lines, line);) {
        const std::string_view word = trimmed(line);
        if (word.empty() || word.starts_with('#') || word == "---") {
            continue;
        }
        const std::size_t end = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_-0123456789");
        return end != std::string_view::npos && end > 0 && word[end] == ':';
    }
    return false;
}

// The number of the first line that begins with a tab, which YAML takes within quotes alone; 0: none does.
std::size_t line_with_tab(std::string_view text) {
    std::istringstream lines{std::string{text}};
    std::size_t number = 1;
    for (std::string line; std::getline(lines, line); ++number) {
        const std::size_t first = line.find_first_not_of('\t');
        if (first != 0 && first != std::string::npos && line[first] != '#' && line[first] != '\r') {
            return number;
        }
    }
    return 0;
}

bool is_yaml(std::string_view text) {
    return lower(text.substr(0, mime_head)).starts_with("#cloud-config");
}

std::string first_line(std::string_view text) {
    constexpr std::size_t enough = 60;
    return printable(trimmed(text.substr(0, std::min(text.find('\n'), enough))));
}

std::string_view without_beginning(std::string_view text) {
    text.remove_prefix(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

// The byte order marks of UTF-16, which Windows' editors and PowerShell write.
bool is_utf16(std::string_view text) {
    return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
}

void refuse(UserDataJudgement& judged) {
    if (is_utf16(judged.text)) {
        judged.why = "it is a text in UTF-16, and cloud-init reads UTF-8";
        judged.hint = "iconv -f UTF-16 -t UTF-8 FILE > NEW, or save it as UTF-8 in the editor";
        return;
    }
    const std::string line = first_line(judged.text);
    judged.why = fmt::format("cloud-init passes over what begins with '{}'", line);
    if (lower(line).starts_with("# cloud-config") || lower(line).starts_with("cloud-config") ||
        looks_like_cloud_config(judged.text)) {
        judged.hint = "make the first line #cloud-config, without a blank";
    } else {
        judged.hint =
            "its first line says what it is: #cloud-config, #! (a script), #include, ## template: jinja, "
            "#cloud-boothook, #part-handler, or MIME-Version: 1.0";
    }
}

// A type stands before the key, and options (sshd(8)) may stand before the type; the key in base64 begins
// with the length of the type's name, three zeros (RFC 4253, 6.6).
bool holds_key(const std::string& line) {
    constexpr std::array<std::string_view, 4> types{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"};
    std::istringstream words{line};
    std::string type;
    for (std::string word; words >> word; type = std::move(word)) {
        if (word.starts_with("AAAA") && std::any_of(types.begin(), types.end(), [&](std::string_view known) {
                return type.starts_with(known);
            })) {
            return true;
        }
    }
    return false;
}

}  // namespace

UserDataJudgement judge_user_data(std::string_view text) {
    UserDataJudgement judged;
    const std::string_view kept = without_beginning(text);
    judged.text = std::string{kept};
    if (kept.empty()) {
        judged.why = "it is empty";
        judged.hint = "write #cloud-config and what it is to do, or leave the setting out";
        return judged;
    }
    if (kept.size() != text.size()) {
        judged.notes.emplace_back("blank lines or a byte order mark in front of its first line were cut");
    }
    if (!has_header(kept) && !is_mime(kept)) {
        refuse(judged);
    } else if (const std::size_t line = is_yaml(kept) ? line_with_tab(kept) : 0; line != 0) {
        judged.notes.push_back(
            fmt::format("its line {} is indented by a tab, for which cloud-init may take nothing of it (YAML "
                        "wants blanks)",
                        line));
    } else if (kept.starts_with("#!") && kept.substr(0, kept.find('\n')).ends_with('\r')) {
        std::erase(judged.text, '\r');
        judged.notes.emplace_back(
            "its lines ended with CR LF, by which no interpreter is found: the CRs were cut");
    }
    return judged;
}

SshKeys ssh_keys_in(std::string_view text) {
    SshKeys found;
    if (text.find("PRIVATE KEY-----") != std::string_view::npos) {
        found.why = "it is a private key, which nobody else should have";
        return found;
    }
    if (text.find("---- BEGIN SSH2 PUBLIC KEY ----") != std::string_view::npos) {
        found.why = "it is in the form that PuTTY writes (RFC 4716); `ssh-keygen -i -f FILE` gives OpenSSH's";
        return found;
    }
    std::istringstream lines{std::string{text}};
    for (std::string line; std::getline(lines, line);) {
        const std::string_view key = trimmed(line);
        if (!key.empty() && !key.starts_with('#')) {
            found.keys.emplace_back(key);
        }
    }
    for (const std::string& key : found.keys) {
        if (!holds_key(key)) {
            found.why = fmt::format("'{}' is no public key", first_line(key));
        }
    }
    if (found.keys.empty()) {
        found.why = "it is empty";
    }
    return found;
}

bool names_key_file(std::string_view text) {
    const std::string_view word = trimmed(text);
    return word.find_first_of(" \t\n") == std::string_view::npos &&
           (word.find('/') != std::string_view::npos || word.ends_with(".pub") || word.starts_with('~'));
}

}  // namespace vml
