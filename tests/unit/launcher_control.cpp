// What a VM tells of itself, and what `vm-launch status` makes of it.
#include <set>
#include <string>

#include "bootwatch/stage.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/remote/control_service.h"
#include "launcher/remote/run_state.h"
#include "launcher/remote/status.h"
#include "launcher/remote/told.h"
#include "launcher/settings/run_options.h"
#include "launcher/vm/description.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using nlohmann::json;
using test::made_up_host;
using test::spec_of;
using test::with_netboot;
using test::Words;

bool contains(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

TEST_CASE("a VM is described by what was decided") {
    HostFacts facts = with_netboot(made_up_host());
    facts.disks = {test::an_image("qcow2")};
    facts.iso = test::a_file();
    const json told = description_of(spec_of({"--ipxe", "--name=web", "--netboot-dir=/srv/netboot",
                                              "--disk=/d/a.qcow2", "--iso=/d/b.iso", "--graphics=vnc"},
                                             facts));
    CHECK(told["name"] == "web");
    CHECK(told["machine"] == "q35");
    CHECK(told["firmware"] == "legacy");
    CHECK(told["accelerator"] == "tcg");
    CHECK(told["nics"].size() == 1);
    CHECK(told["nics"][0]["netboot_dir"] == "/srv/netboot");
    CHECK(told["nics"][0]["rom"] == "/usr/lib/ipxe/qemu/pxe-virtio.rom");
    CHECK(told["disks"] ==
          json::array({{{"id", "disk0"}, {"format", "qcow2"}, {"file", "/d/a.qcow2"}, {"bootindex", 2}},
                       {{"id", "cdrom0"}, {"format", "raw"}, {"file", "/d/b.iso"}, {"bootindex", 3}}}));
    CHECK(told["vnc"] == json{{"address", "127.0.0.1"}, {"port", 5900}, {"password", "fresh123"}});
}

TEST_CASE("a screen has a password, which is on no command line") {
    const auto screen = [](Words words) {
        words.insert(words.begin(), {"--ipxe", "--bootfile=http://h/x"});
        return spec_of(words, made_up_host());
    };
    CHECK(screen({"--graphics=vnc"}).vnc->password == "fresh123");
    CHECK(screen({"--graphics=vnc", "--vnc-password=mine"}).vnc->password == "mine");
    CHECK(screen({"--graphics=vnc", "--vnc-password=none"}).vnc->password.empty());
    CHECK(contains(screen({"--vnc-password=mine"}).notes.back(),
                   "--vnc-password has no effect without --graphics vnc"));
    const Plan plan = make_plan(screen({"--graphics=vnc"}));
    CHECK(plan.vnc_password == "fresh123");
    CHECK_FALSE(contains(plan_as_text(plan), "fresh123"));
    CHECK_FALSE(contains(plan_as_json(plan), "fresh123"));
    for (const char* wrong : {"123456789", "a b", "\xc3\xa4", ""}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_vnc_password(wrong), ValueError);
    }
    CHECK(parse_vnc_password("12345678") == "12345678");
    CHECK(parse_vnc_password("None").empty());
    const json told = description_of(screen({"--graphics=vnc", "--vnc-password=none"}));
    CHECK(told["vnc"]["password"].is_null());
}

TEST_CASE("in a container the screen and forwarded ports can be published, and emulation names its remedy") {
    HostFacts facts = with_netboot(made_up_host());
    facts.in_container = true;
    facts.kvm.hint = "give the container --device /dev/kvm";
    const VmSpec spec =
        spec_of({"--ipxe", "--netboot-dir=/srv/netboot", "--graphics=novnc", "--ssh-port=2222"}, facts);
    CHECK(spec.vnc == VncSpec{"0.0.0.0", 5900, "fresh123"});
    CHECK(spec.nics.front().nat().forwards.at(0).address == "0.0.0.0");
    CHECK(contains(spec.notes.front(),
                   "the guest is emulated, which is slow: give the container --device /dev/kvm"));
    CHECK(contains(spec.notes.back(), "a VNC viewer finds the screen on port 5900"));
    facts.in_container = false;
    CHECK(spec_of({"--ipxe", "--netboot-dir=/srv/netboot"}, facts).notes.empty());
}

TEST_CASE("the host's CPU is KVM's alone") {
    const HostFacts facts = with_netboot(made_up_host());
    const Words flags{"--ipxe", "--netboot-dir=/srv/netboot", "--cpu=host"};
    CHECK(spec_of(flags, facts).cpu == "max");
    CHECK(spec_of(flags, test::with_kvm(facts)).cpu == "host");
}

TEST_CASE("a guest that does not run is told with what can be done about it") {
    CHECK_FALSE(why_not_running("running"));
    for (const char* state :
         {"internal-error", "io-error", "guest-panicked", "shutdown", "watchdog", "paused", "prelaunch"}) {
        CHECK(why_not_running(state));
        CHECK_FALSE(remedy_for(state).empty());
    }
    for (const char* state : {"internal-error", "guest-panicked", "shutdown"}) {
        CHECK(is_past_help(state));
    }
    for (const char* state : {"io-error", "paused", "prelaunch", "suspended", "inmigrate", ""}) {
        CHECK_FALSE(is_past_help(state));
    }
    CHECK(why_not_running("inmigrate") == "QEMU says that the guest's state is inmigrate");
}

TEST_CASE("status shows what the VM told beside what the kernel shows") {
    const json told{{"qemu_pid", 8},
                    {"name", "somebody else's"},
                    {"phase", "running"},
                    {"stage", "fetch"},
                    {"stage_detail", "vmlinuz"},
                    {"machine", "q35"},
                    {"nics", json::array({{{"id", "net0"},
                                           {"model", "virtio"},
                                           {"mac", "52:54:00:00:00:01"},
                                           {"mode", "bridge"},
                                           {"bridge", "br0"},
                                           {"bootindex", 1}}})},
                    {"disks", json::array({{{"id", "disk0"}, {"format", "raw"}, {"size", 1024}}})}};
    RunningStatus vm;
    vm.name = "web";
    vm.qemu.pid = 7;
    vm.launcher.pid = 5;
    RunningStatus other;
    other.name = "silent";
    other.qemu.pid = 8;
    other.launcher.pid = 6;
    const auto vms = with_told({vm, other}, {{5, told}, {6, "no object"}, {6, json()}});
    const std::string text = status_as_text(vms);
    CHECK(contains(text, "web: running, runs for 0 s"));
    CHECK(contains(text, "stage      fetch: vmlinuz"));
    CHECK(contains(text, "net0       virtio, 52:54:00:00:00:01, bridge br0, boots as number 1"));
    CHECK(contains(text, "disk0      raw, blank, 1024 bytes"));
    CHECK(contains(text, "silent: runs for 0 s\n  QEMU"));
    const json list = json::parse(status_as_json(vms));
    CHECK(list[0]["name"] == "web");
    CHECK(list[0]["stage"] == "fetch");
    CHECK(list[0]["qemu"]["pid"] == 7);
    CHECK(!list[1].contains("stage"));
}

TEST_CASE("what a VM tells is taken only if it is what it should be") {
    CHECK(oddity_of(json::object()).empty());
    CHECK(oddity_of({{"stage", nullptr}, {"secure_boot", nullptr}, {"new", json::array({1})}}).empty());
    CHECK(oddity_of(json::parse(R"({"cpus":2,"uptime":1.5,"nics":[{"id":"net0"}]})")).empty());
    CHECK(oddity_of("web") == "it is not an object");
    CHECK(oddity_of({{"cpus", "2"}}) == "\"cpus\" is not a whole number");
    CHECK(oddity_of({{"cpus", -2}}) == "\"cpus\" is not a whole number");
    CHECK(oddity_of({{"stage", 1}}) == "\"stage\" is not a string");
    CHECK(oddity_of({{"nics", json::array({1})}}) == "\"nics\" is not a short list of objects");
    CHECK(oddity_of({{"disks", json(257, json::object())}}) == "\"disks\" is not a short list of objects");
    CHECK(oddity_of(json::parse(R"({"disks":[{"bootindex":{}}]})")) == "\"bootindex\" is not a whole number");
}

}  // namespace
}  // namespace vml
