// What is wrong with an option ROM, in sentences. Of rom/option_rom*.cpp alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "rom/option_rom.h"

namespace vml::rom {

// One sentence for each thing that is wrong with an image, gathered with the image's name in front.
class Complaints {
  public:
    Complaints(std::vector<std::string>& problems, std::size_t index)
        : problems_{problems}, label_{image_label(index)} {}
    void add(bool wrong, std::string_view sentence) {
        if (wrong) {
            problems_.push_back(fmt::format("{} {}.", label_, sentence));
        }
    }

  private:
    std::vector<std::string>& problems_;
    std::string label_;
};

// Adds what is wrong with the image at this index, by itself.
void complain(OptionRom& rom, const Bytes& bytes, std::size_t index);

}  // namespace vml::rom
