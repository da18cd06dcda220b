#include "launcher/run/told_state.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.h"

namespace vml {

std::string phase_word(supervise::Phase phase) {
    return phase < supervise::Phase::running    ? "starting"
           : phase == supervise::Phase::running ? "running"
                                                : "stopping";
}

std::vector<NicAddress> leases_of(const boot::Boot& boot) {
    std::map<std::string, const boot::DhcpTalk*> latest;
    for (const boot::DhcpTalk& talk : boot.dhcp) {
        if (!talk.ack || talk.ack->message.yours.is_zero()) {
            continue;
        }
        const boot::DhcpTalk*& known = latest[talk.nic];
        known = known == nullptr || known->ack->at <= talk.ack->at ? &talk : known;
    }
    std::vector<NicAddress> leases;
    std::transform(latest.begin(), latest.end(), std::back_inserter(leases), [](const auto& entry) {
        const boot::DhcpTalk& talk = *entry.second;
        return NicAddress{talk.nic, boot::to_string(talk.ack->message.yours),
                          lower(boot::name_of(talk.client))};
    });
    return leases;
}

}  // namespace vml
