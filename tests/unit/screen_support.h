// What consoles really wrote, recorded.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/catch.h"

namespace vml::screen {

inline std::string stream(const std::string& name) {
    std::ifstream file{VML_TEST_DIR "/unit/data/console-" + name + ".bin", std::ios::binary};
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace vml::screen
