// What was there lately, of what anybody may add to without end. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <utility>

namespace vml::capture {

template <typename Key>
class Recent {
  public:
    // Of what was added, at least the latest `most` are remembered, and at most twice as many.
    explicit Recent(std::size_t most) : most_{most} {}

    void insert(const Key& key) {
        if (latest_.size() >= most_) {
            before_ = std::exchange(latest_, {});
        }
        latest_.insert(key);
    }
    [[nodiscard]] bool contains(const Key& key) const {
        return latest_.contains(key) || before_.contains(key);
    }
    [[nodiscard]] std::size_t size() const { return latest_.size() + before_.size(); }

  private:
    std::size_t most_;
    std::set<Key> latest_;
    std::set<Key> before_;
};

}  // namespace vml::capture
