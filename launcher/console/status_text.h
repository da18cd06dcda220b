// What the row below the console says of a boot. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

struct BootStatus {
    struct Fetch {
        std::string name;
        std::uint64_t received = 0;
        std::optional<std::uint64_t> expected{};
        double bytes_per_second = 0;  // 0: not known yet
        bool answered = true;         // the server has sent something
    };
    std::vector<std::string> reached{};  // stages' names, the furthest last
    std::optional<Fetch> fetch{};        // that goes on
    double elapsed_s = 0;                // since the machine began to run
    std::string keys{};                  // "Ctrl-] detaches"
};

// "✓ firmware ✓ dhcp ▸ vmlinuz [###-----] 43 % 1.2 MB/s 3 s left | 0:12 | Ctrl-] detaches", in at most so
// many columns. What matters least is left out first: the earlier stages, of which the lines above tell, the
// beginning of a long name, the bar, the furthest stage, the speed, and the keys. `colour`: a green ✓, the
// rest dim.
[[nodiscard]] std::string status_text(const BootStatus& status, std::size_t columns, bool colour);

// How many columns a terminal may give it: a character beyond ASCII may be two wide, but for our own signs.
[[nodiscard]] std::size_t columns_of(std::string_view text);

}  // namespace vml
