// The frames of QEMU's dump, over a real pipe.
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "launcher/watch/wire_watch.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using test::Pipe;
using test::Words;

struct Sockets {
    Sockets() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        ours.reset(ends[0]);
        theirs.reset(ends[1]);
    }
    OwnedFd ours;
    OwnedFd theirs;
};

struct WireBench {
    WireBench() {
        std::vector<WireTap> taps;
        taps.push_back({"net0", "52:54:00:12:34:56", std::move(pipe.reader), 0, false, "net0-dump",
                        std::move(inlet.ours), "net0-inlet"});
        wire.emplace(io, std::move(taps),
                     WireWatch::Handlers{[this](std::size_t nic, const WireFrame& frame) {
                                             CHECK_FALSE(frame.came_in);
                                             CHECK(nic == 0);
                                             bytes += frame.bytes.size();
                                             lengths += frame.length;
                                             ++frames;
                                         },
                                         [this](const std::string& filter, bool on) {
                                             switched.push_back(filter + (on ? " on" : " off"));
                                         },
                                         [this](double late_s) { late.push_back(late_s); }});
    }
    void dump(std::string_view text) {
        REQUIRE(::write(pipe.writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    bool run_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + test::deadline;
        while (!done() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_until(end);
        }
        return done();
    }

    boost::asio::io_context io;
    Pipe pipe;
    Sockets inlet;  // to the guest
    int frames = 0;
    std::size_t bytes = 0;
    std::size_t lengths = 0;
    Words switched;
    std::vector<double> late;
    std::optional<WireWatch> wire;
};

// The head of a dump, and one frame in it (pcap-savefile(5), as QEMU's net/dump.c writes it).
const std::string dump_head{"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\x04\0\0\x01\0\0\0", 24};
const std::string dumped_frame =
    std::string{"\0\0\0\0\0\0\0\0\x3c\0\0\0\x3c\0\0\0", 16} + std::string(60, 'f');

TEST_CASE("frames are handed over as they come") {
    WireBench bench;
    bench.dump(dump_head + dumped_frame);
    CHECK(bench.run_until([&] { return bench.frames == 1; }));
    for (int i = 0; i < 5; ++i) {
        bench.dump(dumped_frame);
    }
    CHECK(bench.run_until([&] { return bench.frames == 6; }));
    CHECK(bench.bytes == 360);
    CHECK(bench.lengths == 360);
    std::string cut = dumped_frame;
    cut.replace(12, 2, "\xdc\x05");  // of 1500
    bench.dump(cut);
    CHECK(bench.run_until([&] { return bench.frames == 7; }));
    CHECK(bench.bytes == 420);
    CHECK(bench.lengths == 1860);
}

TEST_CASE("what has come between two batches can be asked for") {
    WireBench bench;
    bench.dump(dump_head + dumped_frame);
    CHECK(bench.run_until([&] { return bench.frames == 1; }));
    bench.dump(dumped_frame + dumped_frame.substr(0, 20));
    bench.wire->catch_up();
    CHECK(bench.frames == 2);
    bench.dump(dumped_frame.substr(20));
    bench.wire->catch_up();
    CHECK(bench.frames == 3);
}

// QEMU's filter-redirector takes a frame behind its length, in four bytes (QEMU net/net.c, net_fill_rstate).
TEST_CASE("a frame reaches a guest on a user-mode network by its inlet") {
    WireBench bench;
    REQUIRE(bench.wire->send(0, "a frame"));
    Words::value_type got(64, '\0');
    got.resize(static_cast<std::size_t>(::read(bench.inlet.theirs.get(), got.data(), got.size())));
    CHECK(got == std::string{"\0\0\0\x07", 4} + "a frame");
    bench.inlet.theirs.reset();
    CHECK_FALSE(bench.wire->send(0, "a frame"));
}

TEST_CASE("a watch that is paused, and a dump that rests, are switched off and on") {
    WireBench bench;
    bench.wire->pause();
    bench.wire->pause();
    bench.wire->rest(0, std::chrono::duration<double>{0.001});
    bench.wire->resume();
    CHECK(bench.switched == Words{"net0-dump off", "net0-inlet off", "net0-dump on", "net0-inlet on"});
    bench.switched.clear();
    bench.wire->rest(0, std::chrono::duration<double>{0.001});
    bench.wire->rest(0, std::chrono::duration<double>{0.001});
    CHECK(bench.switched == Words{"net0-dump off"});
    CHECK(bench.run_until([&] { return bench.switched == Words{"net0-dump off", "net0-dump on"}; }));
}

TEST_CASE("a rest that ends too late is told with how late it was") {
    WireBench bench;
    bench.wire->rest(0, std::chrono::duration<double>{0.001});
    std::this_thread::sleep_for(std::chrono::milliseconds{50});  // a loop that has no turn
    CHECK(bench.run_until([&] { return bench.late.size() == 1; }));
    CHECK(bench.late.front() >= 0.04);
}

TEST_CASE("a dump that ends, or is none, is left") {
    WireBench ended;
    ended.dump(dump_head + dumped_frame);
    ended.pipe.writer.reset();
    CHECK(ended.run_until([&] { return ended.frames == 1; }));
    CHECK(ended.run_until([&] { return ended.io.stopped(); }));  // nothing is waited for any more

    WireBench garbled;
    garbled.dump(std::string(100, 'x'));
    CHECK(garbled.run_until([&] { return garbled.io.stopped(); }));
    CHECK(garbled.frames == 0);
    garbled.dump(dump_head + dumped_frame);
    garbled.wire->catch_up();
    CHECK(garbled.frames == 0);
}

}  // namespace
}  // namespace vml
