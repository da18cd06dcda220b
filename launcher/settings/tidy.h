// What surrounds a value and cannot be meant: the line end of a file that a shell or Docker's --env-file
// read, blanks and invisible characters that were copied along, the quotes that --env-file keeps. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/layer.h"

namespace vml {

// A comment behind a value, which a shell cuts off and Docker's --env-file keeps: told where the value is
// wrong.
inline constexpr std::string_view comment_in_value = " #";
inline constexpr std::string_view no_comment_hint =
    "leave out # and what follows: in an env file it is part of the value, and no comment";

// What is left of a value without it.
[[nodiscard]] std::string_view within_surroundings(std::string_view text);

// Cuts it off the value; gives what is to be said of that, or nothing where there was nothing to cut.
[[nodiscard]] std::string cut_surroundings(Raw& raw);

// Cloud-init's user data itself, where the path of a file is expected: of several lines, mostly.
[[nodiscard]] bool is_user_data_text(std::string_view text);

// An iPXE script itself, where its file may be named too.
[[nodiscard]] bool is_script_text(std::string_view text);
// What --script names is a file: not a URL, standard input ("-") or the script itself.
[[nodiscard]] bool is_script_file(std::string_view script);

// Every value of the layer without it, and a warning for each that had it. A value with a control character
// within becomes a fault. Where lines mean something (OptionRow::has_lines) the value stays as it is.
[[nodiscard]] std::vector<std::string> tidy(Layer& layer);

}  // namespace vml
