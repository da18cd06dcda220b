#include "capture/probes.h"

#include "base/probe_mark.h"

namespace vml::capture {

bool Probes::takes(const boot::DhcpMessage& message) {
    if (!is_probe_number(message.xid)) {
        return false;
    }
    const std::pair question{message.chaddr, message.xid};
    if (message.from_server) {
        return !others_.contains(question);
    }
    if (message.kind == boot::DhcpKind::discover &&
        has_probe_mark(message.xid, message.options, message.cut)) {
        return true;
    }
    others_.insert(question);
    return false;
}

}  // namespace vml::capture
