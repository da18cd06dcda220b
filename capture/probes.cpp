#include "capture/probes.h"

#include "base/probe_mark.h"

namespace vml::capture {

bool Probes::takes(const boot::DhcpMessage& message) {
    const std::pair question{message.chaddr, message.xid};
    if (message.from_server) {
        return asked_.contains(question);
    }
    if (message.kind != boot::DhcpKind::discover || !has_probe_mark(message.xid, message.options)) {
        return false;
    }
    if (asked_.size() < most_questions) {
        asked_.insert(question);
    }
    return true;
}

}  // namespace vml::capture
