#include "base/logins.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace vml {

namespace {

constexpr std::string_view blanks = " \t\r\n";

// Of a URL's host with its port, without a login: "[::1]:80", "host", "host:80".
bool may_be_host(std::string_view authority) {
    const std::size_t name_end = authority.starts_with('[') ? authority.find(']') : 0;
    const std::size_t colon = authority.find(':', std::min(name_end, authority.size()));
    return colon == std::string_view::npos ||
           authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

// How much of what follows "://" is a login. One that was not encoded may have a slash in it, which ends the
// authority (RFC 3986, 3.2): then what seems to be the port is no number.
std::size_t login_in_url(std::string_view rest) {
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?# \t\r\n"));
    std::size_t at = authority.rfind('@');
    if (at == std::string_view::npos && !may_be_host(authority)) {
        at = rest.substr(0, rest.find_first_of(blanks)).rfind('@');
    }
    return at == std::string_view::npos ? 0 : at;
}

std::size_t login_without_slashes(std::string_view rest) {
    const std::size_t at = rest.substr(0, rest.find_first_of(blanks)).rfind('@');
    return at == std::string_view::npos ? 0 : at;
}

struct Opener {
    std::string_view text;
    std::size_t (*login)(std::string_view rest);
};
constexpr std::array<Opener, 3> openers{
    {{"://", login_in_url}, {"iscsi:", login_without_slashes}, {"cifs:", login_without_slashes}}};

struct Found {
    std::size_t login;  // where it may begin; npos: nowhere
    const Opener* opener;
};

Found first_opener(std::string_view text) {
    Found first{std::string_view::npos, nullptr};
    for (const Opener& opener : openers) {
        const std::size_t at = text.find(opener.text);
        const std::size_t login = at + opener.text.size();
        const bool found = at != std::string_view::npos && login < first.login;
        if (found && (opener.text == "://" || !text.substr(login).starts_with("//"))) {
            first = {login, &opener};
        }
    }
    return first;
}

}  // namespace

std::string without_logins(std::string_view text) {
    std::string result;
    for (Found found = first_opener(text); found.opener != nullptr; found = first_opener(text)) {
        result += text.substr(0, found.login);
        text.remove_prefix(found.login);
        const std::size_t login = found.opener->login(text);
        result += hidden_secret.substr(0, login);
        text.remove_prefix(login);
    }
    return result.append(text);
}

}  // namespace vml
