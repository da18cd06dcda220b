#include "launcher/settings/secrets.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/logins.h"
#include "base/shell.h"
#include "base/text.h"
#include "launcher/settings/shell_words.h"
#include "launcher/settings/tidy.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

constexpr std::string_view blank_signs = " \t\r\n";
constexpr std::string_view quote_signs = "\"'";

bool speaks_of_secrets(std::string_view text) {
    constexpr std::array<std::string_view, 8> words{"passw",  "passphrase", "pwd",        "rootpw",
                                                    "secret", "token",      "credential", "signature"};
    const std::string name = lower(text);
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

bool names_a_secret(std::string_view key) {
    constexpr std::array<std::string_view, 5> ends{"key", "pass", "pw", "psk", "sig"};
    const std::string name = lower(key.substr(0, key.find_last_not_of(']') + 1));  // user[key]=
    return speaks_of_secrets(name) ||
           std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return name.ends_with(end); });
}

// Of an object of QEMU's that is a secret, or of what is called one.
bool is_content(std::string_view key) {
    constexpr std::array<std::string_view, 3> keys{"data", "string", "value"};
    return std::find(keys.begin(), keys.end(), lower(key)) != keys.end();
}

// What stands between quotes, as seen from the text's begin.
class Quotes {
  public:
    void see(std::string_view text) {
        for (const char c : text) {
            see(c);
        }
    }
    void see(char c) {
        if (c == open_) {
            open_ = '\0';
        } else if (open_ == '\0' && quote_signs.find(c) != std::string_view::npos) {
            open_ = c;
        }
    }
    void open(char quote) { open_ = open_ == '\0' ? quote : open_; }
    [[nodiscard]] bool are_open() const { return open_ != '\0'; }

  private:
    char open_ = '\0';
};

// Where a key and its value are: the key begins and the value begins.
struct Pair {
    std::size_t key;
    std::size_t value;
};

// What stands before the key in the same word.
std::string_view word_before(std::string_view text, const Pair& pair) {
    const std::string_view before = text.substr(0, pair.key);
    return before.substr(before.find_last_of(blank_signs) + 1);
}

// "https://host/x?a=1&"
bool is_in_query(std::string_view before) {
    const std::size_t url = before.find("://");
    return url != std::string_view::npos && before.find('?', url) != std::string_view::npos &&
           (before.ends_with('?') || before.ends_with('&'));
}

// "secret,id=s0,", "qom-type=secret,": not "ip=a,b,", as a kernel's parameter may begin.
bool is_qemu_notation(std::string_view before) {
    const std::size_t comma = before.find(',');
    return comma != std::string_view::npos &&
           (before.substr(0, comma).find('=') == std::string_view::npos || before.starts_with("qom-type="));
}

// qapi/keyval and util/qemu-option.c: ",," is a comma of the value.
std::size_t end_at_comma(std::string_view text, std::size_t at) {
    while ((at = text.find(',', at)) != std::string_view::npos && text.substr(at + 1).starts_with(',')) {
        at += 2;
    }
    return std::min(at, text.size());
}

// A quote that is not closed lasts to the end.
std::size_t end_at_blank(std::string_view text, const Pair& pair) {
    Quotes quotes;
    quotes.see(text.substr(0, pair.key));
    if (pair.key > 0 && quote_signs.find(text[pair.key - 1]) != std::string_view::npos) {
        quotes.open(text[pair.key - 1]);
    }
    for (std::size_t at = pair.value; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (!quotes.are_open() && blank_signs.find(text[at]) != std::string_view::npos) {
            return at;
        } else {
            quotes.see(text[at]);
        }
    }
    return text.size();
}

std::size_t end_of_value(std::string_view text, const Pair& pair) {
    const std::string_view before = word_before(text, pair);
    if (is_in_query(before)) {
        return std::min(text.find_first_of("& \t\r\n", pair.value), text.size());
    }
    return is_qemu_notation(before) ? end_at_comma(text, pair.value) : end_at_blank(text, pair);
}

std::string without_secret_keys(std::string_view text) {
    constexpr std::string_view before_key = " \t\r\n,;?&=\"'";
    const bool of_secrets = speaks_of_secrets(text);
    std::string result;
    std::size_t told = 0;
    for (std::size_t sign = text.find('='); sign != std::string_view::npos; sign = text.find('=', told)) {
        const std::string_view before = text.substr(0, sign);
        const std::string_view named = before.substr(0, before.find_last_not_of(quote_signs) + 1);
        const Pair pair{std::max(named.find_last_of(before_key) + 1, told), sign + 1};
        const std::string_view key = named.substr(std::min(pair.key, named.size()));
        result += text.substr(told, pair.value - told);
        told = pair.value;
        if (!names_a_secret(key) && !(of_secrets && is_content(key))) {
            continue;
        }
        if (const std::size_t end = end_of_value(text, pair); end > told) {
            result += hidden_secret;
            told = end;
        }
    }
    return result.append(text.substr(told));
}

// A word for QEMU may be JSON, or have it within (file=json:{…}).
std::size_t begin_of_json(std::string_view text) {
    for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
        const std::size_t next = text.find_first_not_of(blank_signs, at + 1);
        if (next != std::string_view::npos && quote_signs.find(text[next]) != std::string_view::npos) {
            return at;
        }
    }
    return text.size();
}

}  // namespace

std::string without_secrets(std::string_view text) {
    if (is_script_text(text)) {
        return std::string{trimmed(text).substr(0, std::string_view{"#!ipxe"}.size())} + "…";
    }
    const std::size_t json = begin_of_json(text);
    const bool hidden = speaks_of_secrets(text.substr(json));
    const std::string shown = without_secret_keys(without_logins(hidden ? text.substr(0, json) : text));
    return hidden ? shown + std::string{hidden_secret} : shown;
}

std::string words_without_secrets(std::string_view text) {
    try {
        std::string words;
        for (const std::string& word : parse_shell_words(text)) {
            words += (words.empty() ? "" : " ") + shell_quoted(without_secrets(word));
        }
        return words;
    } catch (const ValueError&) {
        return std::string{hidden_secret};
    }
}

}  // namespace vml
