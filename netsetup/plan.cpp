#include "netsetup/plan.h"

#include "netsetup/tag.h"

namespace vml::net {

namespace {

NicPlan judged(const std::vector<Finding>& findings) {
    NicPlan plan;
    plan.faults = faults_in(findings);
    plan.warnings = warnings_in(findings);
    return plan;
}

std::string alias_for(const BridgeRequest& request) {
    return request.owner.empty() ? std::string{} : to_alias(TapAlias{request.owner, request.guest_mac});
}

}  // namespace

NicPlan plan_bridge_nic(const BridgeRequest& request, const HostNetworkFacts& facts) {
    NicPlan plan = judged(check_bridge(request, facts));
    const Link* bridge = link_named(facts.links, request.bridge);
    if (!plan.faults.empty() || bridge == nullptr || !bridge->bridge) {
        return plan;
    }
    const unsigned mtu = request.mtu == 0 ? bridge->mtu : request.mtu;
    plan.operations = {
        CreateTap{request.nic, request.tap_name, alias_for(request), request.queues, mtu,
                  tap_mac_for(request.guest_mac)},
        SetMaster{request.nic, request.bridge},
        SetUp{request.nic},
    };
    plan.forwards_after = time_to_forward(*bridge->bridge);
    return plan;
}

NicPlan plan_direct_nic(const DirectRequest& request, const HostNetworkFacts& facts) {
    NicPlan plan = judged(check_direct(request, facts));
    const Link* lower = link_named(facts.links, request.device);
    if (!plan.faults.empty() || lower == nullptr) {
        return plan;
    }
    plan.operations = {
        CreateMacvtap{.nic = request.nic,
                      .name = request.macvtap_name,
                      .lower = request.device,
                      .mode = MacvlanMode::bridge,
                      .mac = request.guest_mac,
                      .mtu = request.mtu == 0 ? lower->mtu : request.mtu,
                      .lifetime = facts.sys_admin ? Lifetime::with_its_queues : Lifetime::until_reconcile,
                      .owner = request.owner},
        OpenMacvtap{request.nic, request.queues},
    };
    return plan;
}

}  // namespace vml::net
