#include "capture/claims.h"

namespace vml::capture {

void Claims::add(const boot::Address& address, const Mac& host) {
    if (!address.is_zero() && claims_.size() < most) {
        claims_.emplace(host, address);
    }
}

}  // namespace vml::capture
