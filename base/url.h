// URLs as words. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// "http://host/file", and not "/srv/file": a scheme stands in front (RFC 3986, 3.1).
[[nodiscard]] bool is_url(std::string_view text);

// A name as a part of a URL's path: what is not unreserved or a slash is escaped (RFC 3986, 2.3).
[[nodiscard]] std::string url_path(std::string_view name);

}  // namespace vml
