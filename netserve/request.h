// What an HTTP request asks of a served folder. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vml::serve {

// The request's target ("/a%20b/vmlinuz?x") → a name relative to the folder ("a b/vmlinuz"); nothing when it
// is no path, or holds a NUL or a broken escape (RFC 3986, 2.1).
[[nodiscard]] std::optional<std::string> name_in_folder(std::string_view target);

// Which bytes are to be sent.
struct Slice {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    bool partial = false;  // it was asked for
    bool satisfiable = true;
    bool operator==(const Slice&) const = default;
};

// `range` is the header's value, "" for none. One range is honoured (RFC 9110, 14.2); a value that is none,
// or several ranges, mean the whole file.
[[nodiscard]] Slice slice_of(std::string_view range, std::uint64_t size);

}  // namespace vml::serve
