#include "base/pattern.h"

#include <utility>

#include <re2/re2.h>

namespace vml {

namespace {

re2::StringPiece piece_of(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

std::variant<Pattern, std::string> Pattern::compile(std::string_view expression) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(piece_of(expression), options);
    if (!compiled->ok()) {
        return compiled->error();
    }
    return Pattern{std::move(compiled)};
}

bool Pattern::is_in(std::string_view text) const {
    return re2::RE2::PartialMatch(piece_of(text), *compiled_);
}

}  // namespace vml
