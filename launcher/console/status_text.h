// What the row at the bottom of a terminal says of a boot. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vml {

struct BootStatus {
    struct Fetch {
        std::string name;
        std::uint64_t received = 0;
        std::optional<std::uint64_t> expected{};
        double bytes_per_second = 0;  // 0: not known yet
    };
    std::vector<std::string> reached{};  // stages' names, the furthest last
    std::optional<Fetch> fetch{};        // that goes on
    double elapsed_s = 0;                // since the machine began to run
    std::string keys{};                  // "Ctrl-] detaches"
};

// "✓ firmware ✓ dhcp ▸ vmlinuz 43 % [####------] 1.2 MB/s 3 s left · 0:12 · Ctrl-] detaches", in at most so
// many columns: what matters least is left out first, which is the speed, then the bar, the keys, and the
// earlier stages. `colour`: a green ✓, the rest dim.
[[nodiscard]] std::string status_text(const BootStatus& status, std::size_t columns, bool colour);

}  // namespace vml
