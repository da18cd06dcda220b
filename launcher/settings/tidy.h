// What surrounds a value and cannot be meant: the line end of a file that a shell or Docker's --env-file
// read, blanks and invisible characters that were copied along, the quotes that --env-file keeps. Pure.
#pragma once

#include <string>
#include <vector>

#include "launcher/settings/layer.h"

namespace vml {

// Cuts it off the value; gives what is to be said of that, or nothing where there was nothing to cut.
[[nodiscard]] std::string cut_surroundings(Raw& raw);

// Every value of the layer without it, and a warning for each that had it. A value with a control character
// within becomes a fault. Where lines mean something (OptionRow::has_lines) the value stays as it is.
[[nodiscard]] std::vector<std::string> tidy(Layer& layer);

}  // namespace vml
