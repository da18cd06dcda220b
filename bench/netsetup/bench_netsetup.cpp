// What it costs to set up a VM's link: this library, in process, against the `ip` command, which is what a
// user or a script would run. Needs root; works in network namespaces of its own.
//
//   bench_netsetup [SERIES]
//
// A series makes 64 links in a row, none deleted before the end, as for 64 VMs. The two sides alternate
// within a series and each has a network of its own, so that neither pays for the other's links. The `ip`
// side is the fewest commands that reach the same state, run without a shell, and the same opening of the
// descriptors.
//
// "look" is what vm-launch does before it sets links up: it reads the settings, looks at the host, decides
// and plans, for a boot with --ipxe. The private namespace of a macvtap is begun before that, on a thread of
// its own, as vm-launch does. What is still to be waited for afterwards counts as set-up.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/commands/subcommands.h"
#include "launcher/host/host.h"
#include "launcher/plan/make_plan.h"
#include "launcher/settings/settings_reader.h"
#include "netsetup/kernel_executor.h"

extern char** environ;

using namespace vml;
using namespace vml::net;

namespace {

constexpr int links_in_a_row = 64;
constexpr int tun_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

void demand(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error{what + ": " + std::strerror(errno)};
    }
}

void run(const std::string& command) {
    std::vector<std::string> words;
    std::istringstream text{command};
    for (std::string word; text >> word;) {
        words.push_back(word);
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t pid = 0;
    int status = 0;
    demand(posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) == 0, command);
    demand(waitpid(pid, &status, 0) == pid && status == 0, command);
}

// A network with a bridge br0, which has a port, and a device v0 for macvtaps.
class Network {
  public:
    Network() {
        demand(unshare(CLONE_NEWNET) == 0, "unshare");
        fd_.reset(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
        demand(mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0, "mount");
        for (const char* command :
             {"ip link add br0 type bridge", "ip link set br0 up", "ip link add p0 type veth peer name p1",
              "ip link set p0 up master br0", "ip link set p1 up", "ip link add v0 type veth peer name v1",
              "ip link set v0 up", "ip link set v1 up"}) {
            run(command);
        }
    }
    // The sysfs of the network in which a link is made must be the one that is seen.
    void enter() const { demand(setns(fd_.get(), CLONE_NEWNET) == 0, "setns"); }

  private:
    OwnedFd fd_;
};

Mac mac_number(int number) {
    return {0x52, 0x54, 0x00, 0x00, 0x01, static_cast<std::uint8_t>(number)};
}

using Words = std::vector<std::string>;
const Words on_bridge{"--network", "bridge", "--bridge", "br0"};
const Words on_device{"--network", "direct", "--direct-dev", "v0"};

// As vm-launch gets to its plan; without `sys_admin` as it does in a container.
std::vector<Operation> plan_for(Words words, bool sys_admin, int number) {
    words.insert(words.end(), {"--ipxe", "--mac", mac_text(mac_number(number))});
    const Environment environment;
    const ReadResult read = read_settings(words, environment, {}, subcommands());
    HostFacts facts = look(read.settings, environment);
    facts.network->sys_admin = sys_admin;
    Decision decision = decide(read.settings, read.origins, facts);
    if (auto* faults = std::get_if<std::vector<Fault>>(&decision)) {
        throw Error{std::move(*faults)};
    }
    return make_plan(std::get<VmSpec>(decision)).links;
}

struct Ours {
    std::vector<std::unique_ptr<KernelExecutor>> executors{};

    void apply(const std::vector<Operation>& operations, KernelExecutor::Homes ahead) {
        executors.push_back(std::make_unique<KernelExecutor>(std::move(ahead)));
        for (const Operation& operation : operations) {
            executors.back()->carry_out(operation);
        }
    }
};

struct ByCommand {
    std::vector<OwnedFd> fds;

    void attach(OwnedFd fd, const std::string& name, int flags) {
        ifreq request{};
        name.copy(&request.ifr_name[0], IFNAMSIZ - 1);
        request.ifr_flags = static_cast<short>(flags);
        demand(ioctl(fd.get(), TUNSETIFF, &request) == 0, "TUNSETIFF " + name);
        fds.push_back(std::move(fd));
    }
    void tap(int number) {
        const std::string name = fmt::format("vmtap{}", number);
        Mac mac = tap_mac_for(mac_number(number));
        run(fmt::format("ip tuntap add dev {} mode tap vnet_hdr", name));
        run(fmt::format("ip link set dev {} mtu 1500 address {} master br0 up", name, mac_text(mac)));
        attach(OwnedFd{open("/dev/net/tun", O_RDWR | O_CLOEXEC)}, name, tun_flags);
    }
    // With an ifindex of its own, never used before: the nodes /dev/tap<ifindex> of all network namespaces
    // share one directory, and that of the series before may still be there.
    void macvtap(int number) {
        static int index = 1'000'000;
        ++index;
        const std::string name = fmt::format("vmmac{}", number);
        run(fmt::format(
            "ip link add link v0 name {} index {} address {} mtu 1500 up type macvtap mode bridge", name,
            index, mac_text(mac_number(number))));
        const std::string node = fmt::format("/dev/tap{}", index);
        OwnedFd fd{open(node.c_str(), O_RDWR | O_CLOEXEC)};
        demand(static_cast<bool>(fd), node);
        attach(std::move(fd), {}, tun_flags);
    }

    // What gives the lifetime that ours has in a private namespace, but for the deletion of the namespace's
    // name.
    void macvtap_in_netns(int number) {
        const std::string name = fmt::format("vm{}", number);
        run("ip netns add " + name);
        run(fmt::format("ip link add link v0 name {} netns {} address {} mtu 1500 type macvtap mode bridge",
                        name, name, mac_text(mac_number(number))));
        run(fmt::format("ip -n {} link set {} up", name, name));
        names.push_back(name);
    }
    std::vector<std::string> names{};
};

double milliseconds(const std::function<void()>& task) {
    const auto start = std::chrono::steady_clock::now();
    task();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

// The times of one side, by place in the series.
struct Times {
    std::vector<std::vector<double>> at{links_in_a_row};

    [[nodiscard]] double all() const {
        std::vector<double> values;
        for (const auto& place : at) {
            values.insert(values.end(), place.begin(), place.end());
        }
        return median(values);
    }
    // median over the series of the places [from, to)
    [[nodiscard]] double places(std::size_t from, std::size_t to) const {
        std::vector<double> values;
        for (std::size_t place = from; place < to; ++place) {
            values.insert(values.end(), at[place].begin(), at[place].end());
        }
        return median(values);
    }
};

struct Contest {
    std::string name;
    Words words;
    bool sys_admin;
    std::function<void(ByCommand&, int)> theirs;
    bool ahead = false;  // a macvtap's home is begun before the look
    Times look{};
    Times set_up{};
    Times by_command{};
};

void one_series(Contest& contest) {
    const Network their_network;
    const Network our_network;
    Ours ours;
    ByCommand theirs;
    for (int number = 0; number < links_in_a_row; ++number) {
        const auto place = static_cast<std::size_t>(number);
        our_network.enter();
        std::vector<Operation> operations;
        KernelExecutor::Homes ahead;
        contest.look.at[place].push_back(milliseconds([&] {
            if (contest.ahead) {
                ahead.push_back(std::make_unique<MacvtapHome>());
            }
            operations = plan_for(contest.words, contest.sys_admin, number);
        }));
        contest.set_up.at[place].push_back(milliseconds([&] { ours.apply(operations, std::move(ahead)); }));
        their_network.enter();
        contest.by_command.at[place].push_back(milliseconds([&] { contest.theirs(theirs, number); }));
    }
    for (const std::string& name : theirs.names) {
        run("ip netns delete " + name);
    }
}

// The two targets: at most 0.25 of the time of `ip`, and the 64th at most 1.2 times the first.
std::string_view met(bool is) {
    return is ? "met" : "missed";
}

void print(const Contest& contest) {
    constexpr std::size_t last = links_in_a_row - 1;
    const double first_time = contest.set_up.places(0, 1);
    const double last_time = contest.set_up.places(last, last + 1);
    const double part = contest.set_up.all() / contest.by_command.all();
    const double growth = last_time / first_time;
    std::cout << fmt::format("{:<44} {:8.3f} {:8.3f} {:8.3f} {:7.3f} {:<6} {:9.3f} {:9.3f} {:7.2f} {:<6}\n",
                             contest.name, contest.look.all(), contest.set_up.all(), contest.by_command.all(),
                             part, met(part <= 0.25), first_time, last_time, growth, met(growth <= 1.2))
              << std::flush;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const int series = argc > 1 ? std::atoi(argv[1]) : 15;
        demand(unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
               "a mount namespace");
        const auto macvtap = [](ByCommand& c, int n) { c.macvtap(n); };
        const auto in_netns = [](ByCommand& c, int n) { c.macvtap_in_netns(n); };
        std::vector<Contest> contests = {
            {"tap + bridge port + up", on_bridge, true, [](ByCommand& c, int n) { c.tap(n); }},
            {"macvtap + open, tagged", on_device, false, macvtap},
            {"macvtap + open, private; ip: without", on_device, true, macvtap, true},
            {"macvtap + open, private; ip: with netns", on_device, true, in_netns, true},
            {"macvtap + open, private, not begun ahead", on_device, true, macvtap},
        };
        std::cout << fmt::format(
            "{} series of {} links, milliseconds, medians\n{:<44} {:>8} {:>8} {:>8} {:>7} {:<6} {:>9} {:>9} "
            "{:>7}\n",
            series, links_in_a_row, "", "look", "set up", "ip", "ratio", "", "our 1st", "our 64th", "ratio");
        for (Contest& contest : contests) {
            for (int i = 0; i < series; ++i) {
                one_series(contest);
            }
            print(contest);
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
