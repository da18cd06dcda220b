// What QEMU is to reach by name, and a real child that the kernel keeps to it.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "launcher/plan/confine.h"
#include "launcher/plan/make_plan.h"
#include "launcher/process/landlock.h"
#include "launcher/process/spawn.h"
#include "netserve/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using test::Folder;
using test::Pipe;
using test::read_all;
using test::reap;

using Ports = std::vector<std::uint16_t>;

// The child's words: of a confined one where there is a confinement.
std::string said_by(const std::string& program, const test::Words& args,
                    const std::optional<Confinement>& confinement) {
    Pipe output;
    const pid_t pid = spawn({program, args, {}, output.writer.get(), std::nullopt, confinement});
    output.writer.reset();
    std::string text = read_all(output.reader.get());
    static_cast<void>(reap(pid));
    return text;
}

Confinement with_programs(std::optional<Ports> ports = std::nullopt) {
    Confinement confinement{confinement_of_swtpm({.program = "/usr/bin/swtpm", .kept = {}})};
    confinement.tcp_ports = std::move(ports);
    return confinement;
}

bool reaches(const Confinement& confinement, const std::filesystem::path& path) {
    return std::any_of(confinement.files.begin(), confinement.files.end(),
                       [&](const Reach& reach) { return reach.path == path; });
}

// What a call of Perl's on a port of the loopback comes to: "done", or the kernel's error.
std::string outcome_of(const std::string& call, std::uint16_t port,
                       const std::optional<Confinement>& confinement) {
    return said_by("/usr/bin/perl",
                   {"-MSocket", "-e",
                    "socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);"
                    "print " +
                        call + "(S, pack_sockaddr_in($ARGV[0], INADDR_LOOPBACK)) ? 'done' : $!",
                    std::to_string(port)},
                   confinement);
}

TEST_CASE("a confined child uses the TCP ports of its list alone") {
    REQUIRE(landlock_abi() >= 4);  // the first with TCP
    const serve::Listener ours = serve::listen_on_loopback();
    CHECK(outcome_of("connect", ours.port, std::nullopt) == "done");
    CHECK(outcome_of("connect", ours.port, with_programs()) == "done");  // as a guest in user mode needs
    CHECK(outcome_of("connect", ours.port, with_programs(Ports{})) == "Permission denied");
    const std::uint16_t free = [] {
        const serve::Listener gone = serve::listen_on_loopback();
        return gone.port;
    }();
    CHECK(outcome_of("bind", free, with_programs(Ports{free})) == "done");
    CHECK(outcome_of("bind", free, with_programs(Ports{})) == "Permission denied");
}

TEST_CASE("a confined child opens what it was given anew where it is to, and nothing beside it") {
    const Folder folder;
    const auto file = folder.write("state", "kept");
    const auto beside = folder.write("beside", "other");
    const OwnedFd given{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
    const auto cat = [&](Confinement confinement, const std::string& name) {
        Pipe output;
        SpawnRequest request{"/bin/cat", {name}, {{given.get(), 3}}, output.writer.get()};
        request.confinement = std::move(confinement);
        const pid_t pid = spawn(request);
        output.writer.reset();
        std::string text = read_all(output.reader.get());
        static_cast<void>(reap(pid));
        return text;
    };
    Confinement reopens = with_programs();
    reopens.reopens = true;
    CHECK(cat(reopens, "/proc/self/fd/3") == "kept");
    CHECK(test::contains(cat(reopens, beside), "Permission denied"));
    Confinement closed = with_programs();
    closed.reopens = false;
    CHECK(test::contains(cat(closed, "/proc/self/fd/3"), "Permission denied"));
}

TEST_CASE("a program in a place of its own can be run, and where there is no such place nothing is lost") {
    const Folder folder;
    const auto script = test::program(folder, "qemu", "#!/bin/sh\ncat \"$0.data\"\n");
    folder.write("qemu.data", "beside");
    VmSpec spec;
    spec.qemu = script;
    CHECK(said_by(script, {}, confinement_of_qemu(spec)) == "beside");
    Confinement more = confinement_of_qemu(spec);
    more.files.push_back({"/does/not/exist"});
    CHECK(said_by(script, {}, more) == "beside");
}

TEST_CASE("a program that its domain keeps from being run is told as that") {
    const Folder here;
    const Folder elsewhere;
    const auto link = here.path() / "qemu";
    std::filesystem::create_symlink(test::program(elsewhere, "qemu", "#!/bin/sh\n"), link);
    VmSpec spec;
    spec.qemu = link;
    const auto hint = [&](const std::optional<Confinement>& confinement) -> std::string {
        try {
            said_by(link, {}, confinement);
            return "";
        } catch (const Error& error) {
            return error.faults().front().hint;
        }
    };
    CHECK(hint(std::nullopt).empty());
    CHECK(hint(confinement_of_qemu(spec)).find("--no-landlock") != std::string::npos);
}

TEST_CASE("what QEMU reaches follows from the VM") {
    HostFacts facts = test::with_netboot(test::made_up_host());
    VmSpec spec = test::spec_of({"--ipxe", "--netboot-dir=/srv/netboot", "--graphics=vnc"}, facts);
    const Confinement nat = confinement_of_qemu(spec);
    CHECK_FALSE(nat.tcp_ports);  // the guest connects to where it wants
    CHECK(reaches(nat, "/srv/netboot"));
    CHECK(reaches(nat, "/etc/resolv.conf"));
    CHECK(reaches(nat, "/run/systemd/resolve"));
    CHECK_FALSE(reaches(nat, "/dev/kvm"));
    CHECK_FALSE(reaches(nat, "/etc"));
    spec.accelerator = Accelerator::kvm;
    spec.nics.front().net = BridgePort{};
    spec.nics.front().netboot.tftp.reset();
    const Confinement bridge = confinement_of_qemu(spec);
    CHECK(bridge.tcp_ports == Ports{spec.vnc->port});
    CHECK(reaches(bridge, "/dev/kvm"));
    CHECK_FALSE(reaches(bridge, "/srv/netboot"));
    CHECK_FALSE(reaches(bridge, "/run/systemd/resolve"));
    spec.qemu = "/opt/qemu/bin/qemu-system-x86_64";
    CHECK(reaches(confinement_of_qemu(spec), "/opt/qemu"));
    spec.qemu = "/bin/qemu-system-x86_64";
    CHECK_FALSE(reaches(confinement_of_qemu(spec), "/"));
}

TEST_CASE("own arguments for QEMU switch the domain off, unless it is asked for") {
    const auto confined = [](const test::Words& flags) {
        const Plan plan = test::plan_of(flags, test::made_up_host());
        CHECK((!plan.tpm || plan.tpm->confinement.has_value() == plan.confinement.has_value()));
        return plan.confinement.has_value();
    };
    CHECK(confined({"--ipxe"}));
    CHECK_FALSE(confined({"--ipxe", "--no-landlock"}));
    CHECK_FALSE(confined({"--ipxe", "--extra-args=-S"}));
    CHECK(confined({"--ipxe", "--extra-args=-S", "--landlock"}));
}

}  // namespace
}  // namespace vml
