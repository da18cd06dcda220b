#include "launcher/cases/schedule.h"

#include <algorithm>
#include <numeric>

namespace vml::cases {

namespace {

std::uint64_t sum_of(const std::vector<Load>& loads, std::uint64_t Load::*amount) {
    return std::accumulate(loads.begin(), loads.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, const Load& load) { return sum + load.*amount; });
}

bool disturb_each_other(const Load& one, const Load& other) {
    return std::any_of(one.alone.begin(), one.alone.end(), [&](const std::string& each) {
        return std::find(other.alone.begin(), other.alone.end(), each) != other.alone.end();
    });
}

}  // namespace

std::optional<std::size_t> next_to_start(const std::vector<Load>& waiting, const std::vector<Load>& running,
                                         const Capacity& capacity) {
    if (running.empty()) {
        return waiting.empty() ? std::nullopt : std::optional<std::size_t>{0};
    }
    if (running.size() >= capacity.jobs) {
        return std::nullopt;
    }
    const std::uint64_t memory = sum_of(running, &Load::memory_mib);
    const std::uint64_t cpus = sum_of(running, &Load::cpus);
    const auto found = std::find_if(waiting.begin(), waiting.end(), [&](const Load& load) {
        return memory + load.memory_mib <= capacity.memory_mib && cpus + load.cpus <= capacity.cpus &&
               std::none_of(running.begin(), running.end(),
                            [&](const Load& other) { return disturb_each_other(load, other); });
    });
    return found == waiting.end() ? std::nullopt
                                  : std::optional{static_cast<std::size_t>(found - waiting.begin())};
}

}  // namespace vml::cases
