#include "netsetup/mac.h"

namespace vml::net {

Mac tap_mac_for(const Mac& guest) {
    Mac mac = guest;
    mac[0] = guest[0] == 0xFE ? 0xFA : 0xFE;
    return mac;
}

}  // namespace vml::net
