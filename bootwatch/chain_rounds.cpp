#include "bootwatch/chain_rounds.h"

#include <algorithm>
#include <utility>

#include "bootwatch/bounds.h"

namespace vml::boot {

void ChainRounds::address(double at) {
    constexpr std::size_t most = 8;  // may come while one fetch is under way
    if (addresses_.size() >= most) {
        addresses_.erase(addresses_.begin());
    }
    addresses_.push_back(at);
}

void ChainRounds::fetched(const std::string& url, double began) {
    constexpr std::size_t most = 64;
    make_room_for(url, programs_, most, [](const Program& program) {
        return std::pair{program.count, program.began};
    });
    Program& program = programs_[url];
    const bool new_address =
        program.count == 0 || std::any_of(addresses_.begin(), addresses_.end(), [&](double address) {
            return address > program.began && address < began;
        });
    program.count += new_address ? 1 : 0;
    program.began = began;
    most_ = std::max(most_, program.count);
}

}  // namespace vml::boot
