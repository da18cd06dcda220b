// What the CPU's flags say of KVM.
#include "launcher/host/kvm_probe.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("vmx or svm as a word of the flags") {
    CHECK(cpu_shows_virtualisation("flags\t\t: fpu vmx sse"));
    CHECK(cpu_shows_virtualisation("flags : fpu svm"));
    CHECK(cpu_shows_virtualisation("flags : vmx\nbugs : none"));
    CHECK_FALSE(cpu_shows_virtualisation("flags : fpu vmxx svm_lock avmx"));
    CHECK_FALSE(cpu_shows_virtualisation(""));
    CHECK_FALSE(cpu_shows_virtualisation("flags : fpu\nvmx flags : vmx ept"));
}

TEST_CASE("the probe says either that KVM is usable or why it is not") {
    const KvmFacts facts = probe_kvm();
    CHECK(facts.usable == facts.why_not.empty());
}

}  // namespace
}  // namespace vml
