#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <fcntl.h>

#include "base/error.h"
#include "qmp/client.h"
#include "tests/unit/qmp_support.h"

namespace vml::qmp {
namespace {

using test::event_line;
using test::FakePeer;
using test::greeting_line;
using test::Log;
using test::ready_line;
using test::reply_line;
using test::run_ready;
using test::run_until;
using test::socket_pair;
using test::Witness;

// A client and its fake peer on one loop. Handlers may be replaced before connect().
struct Bench {
    boost::asio::io_context io;
    Witness witness;
    Handlers handlers = witness.handlers();
    std::optional<FakePeer> peer;
    std::optional<Client> client;

    void connect() {
        auto [ours, theirs] = socket_pair();
        peer.emplace(io, std::move(theirs));
        client.emplace(io, std::move(ours), handlers);
    }
    void connect_ready() {
        connect();
        peer->say_now(greeting_line + ready_line);
        run_ready(io);
        REQUIRE(witness.log == Log{"ready 7.2.22"});
        witness.log.clear();
    }
    void send(const std::string& name) { client->send({name}, witness.callback(name)); }
    bool run_until_closed() {
        return run_until(io, [this] { return witness.closed(); });
    }
};

TEST_CASE("commands go out at once, right behind qmp_capabilities") {
    Bench bench;
    bench.connect();
    bench.send("query-status");
    const std::string expected =
        "{\"execute\":\"qmp_capabilities\",\"id\":0}\n{\"execute\":\"query-status\",\"id\":1}\n";
    CHECK(run_until(bench.io, [&] { return bench.peer->heard.size() >= expected.size(); }));
    CHECK(bench.peer->heard == expected);
    CHECK(bench.witness.log.empty());
}

TEST_CASE("the same log for every place where the bytes are split") {
    const std::string bytes = greeting_line + ready_line + event_line("RESUME") + reply_line(1) +
                              event_line("STOP") + reply_line(2);
    const Log expected{"ready 7.2.22", "event RESUME", "cont = {}", "event STOP", "stop = {}"};
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        Bench bench;
        bench.connect();
        bench.send("cont");
        bench.send("stop");
        bench.peer->say_now(bytes.substr(0, split));
        run_ready(bench.io);
        bench.peer->say_now(bytes.substr(split));
        run_ready(bench.io);
        REQUIRE(bench.witness.log == expected);
    }
}

TEST_CASE("one byte at a time") {
    Bench bench;
    bench.connect();
    bench.send("cont");
    for (const char byte : greeting_line + ready_line + event_line("RESUME") + reply_line(1)) {
        bench.peer->say_now({&byte, 1});
        run_ready(bench.io);
    }
    CHECK(bench.witness.log == Log{"ready 7.2.22", "event RESUME", "cont = {}"});
}

TEST_CASE("two hundred pipelined commands, answers in one go with events between") {
    Bench bench;
    bench.connect();
    std::string answers = greeting_line + ready_line;
    Log expected{"ready 7.2.22"};
    for (std::uint64_t id = 1; id <= 200; ++id) {
        const std::string name = "c" + std::to_string(id);
        bench.send(name);
        answers += event_line("E" + std::to_string(id)) + reply_line(id, std::to_string(id));
        expected.push_back("event E" + std::to_string(id));
        expected.push_back(name + " = " + std::to_string(id));
    }
    bench.peer->say(answers);
    CHECK(run_until(bench.io, [&] { return bench.witness.log.size() >= expected.size(); }));
    CHECK(bench.witness.log == expected);
    CHECK(run_until(bench.io, [&] {
        return std::count(bench.peer->heard.begin(), bench.peer->heard.end(), '\n') == 201;
    }));
}

TEST_CASE("a reply of 207 KB in one line") {
    Bench bench;
    bench.connect_ready();
    std::size_t bytes = 0;
    bench.client->send({"query-qmp-schema"}, [&](const Result& result) {
        bytes = std::get<nlohmann::json>(result).get<std::string>().size();
    });
    bench.peer->say(reply_line(1, '"' + std::string(207'000, 's') + '"'));
    CHECK(run_until(bench.io, [&] { return bytes != 0; }));
    CHECK(bytes == 207'000);
}

TEST_CASE("a line of 20 MB is a fault, and is not read to its end") {
    Bench bench;
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say(std::string(20'000'000, 'x') + "\r\n");
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"fault line_too_long", "query-status Disconnected", "closed"});
    CHECK(run_until(bench.io, [&] { return bench.peer->client_gone; }));
    CHECK(bench.peer->said >= max_line_bytes);
    CHECK(bench.peer->said < max_line_bytes + 1'000'000);  // the rest is what the socket's buffer holds
}

TEST_CASE("a failure of QEMU reaches its callback") {
    Bench bench;
    bench.connect_ready();
    bench.send("no-such");
    bench.peer->say_now(R"({"id": 1, "error": {"class": "CommandNotFound", "desc": "no"}})"
                        "\r\n");
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"no-such CommandNotFound"});
}

TEST_CASE("faults that are not fatal are told and passed over") {
    Bench bench;
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say_now("garbage\r\n" + reply_line(77) +
                        R"({"error": {"class": "GenericError", "desc": "JSON parse error"}})"
                        "\r\n" +
                        reply_line(1) + "\xff\xfe\n" + event_line("STOP"));
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"fault garbled_line", "fault unknown_id", "fault failure_without_id",
                                   "query-status = {}", "fault garbled_line", "event STOP"});
}

TEST_CASE("a refused negotiation closes the client") {
    Bench bench;
    bench.connect();
    bench.send("query-status");
    bench.peer->say_now(greeting_line +
                        R"({"id": 0, "error": {"class": "X", "desc": "y"}})"
                        "\n" +
                        event_line("STOP"));
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"fault refused", "query-status Disconnected", "closed"});
}

TEST_CASE("the peer dies in the middle of a reply: the tail is dropped, the rest delivered") {
    Bench bench;
    bench.connect_ready();
    bench.send("one");
    bench.send("two");
    bench.peer->say_now(reply_line(1) + event_line("SHUTDOWN") + "{\"return\": {\"a\": [1, 2");
    bench.peer->hang_up();
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"one = {}", "event SHUTDOWN", "two Disconnected", "closed"});
    CHECK(bench.client->state() == State::closed);
}

TEST_CASE("last words are read although a write has failed") {
    Bench bench;
    bench.connect_ready();
    bench.peer->say_now(event_line("SHUTDOWN"));
    bench.peer->hang_up();
    bench.send("query-status");
    bench.send("query-pci");
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log ==
          Log{"event SHUTDOWN", "query-status Disconnected", "query-pci Disconnected", "closed"});
}

TEST_CASE("a peer that resets the connection with commands unread") {
    Bench bench;
    auto [ours, theirs] = socket_pair();
    bench.client.emplace(bench.io, std::move(ours), bench.handlers);
    bench.send("query-status");
    run_ready(bench.io);
    theirs.reset();
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"query-status Disconnected", "closed"});
}

TEST_CASE("a peer that hangs up before its greeting") {
    Bench bench;
    bench.connect();
    bench.send("query-status");
    bench.peer->hang_up();
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"query-status Disconnected", "closed"});
}

TEST_CASE("a peer that never greets: the client sleeps, and can be closed") {
    Bench bench;
    bench.connect();
    bench.send("query-status");
    run_ready(bench.io);
    CHECK(bench.io.poll() == 0);
    CHECK(bench.client->state() == State::connecting);
    bench.client->close();
    CHECK(bench.witness.log.empty());  // never from inside a call
    REQUIRE(bench.run_until_closed());
    CHECK(bench.witness.log == Log{"query-status Disconnected", "closed"});
}

TEST_CASE("nothing is left to do after the end") {
    Bench bench;
    bench.connect_ready();
    bench.client->close();
    bench.client->close();
    CHECK(run_until(bench.io, [&] { return bench.peer->client_gone; }));
    run_ready(bench.io);
    CHECK(bench.io.stopped());  // out of work
    CHECK(bench.witness.log == Log{"closed"});
}

TEST_CASE("a command after the end fails, later") {
    Bench bench;
    bench.connect_ready();
    bench.client->close();
    bench.send("late");
    CHECK(bench.witness.log.empty());
    run_ready(bench.io);
    bench.send("later");
    bench.client->send({"nobody-waits"}, {});
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"closed", "late Disconnected", "later Disconnected"});
}

TEST_CASE("close in a handler drops what was not delivered yet") {
    Bench bench;
    bench.handlers.on_event = [&](const Event& event) {
        bench.witness.log.push_back("event " + event.name);
        bench.client->close();
        bench.client->close();
    };
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say_now(event_line("STOP") + reply_line(1) + event_line("RESUME"));
    REQUIRE(bench.run_until_closed());
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"event STOP", "query-status Disconnected", "closed"});
}

TEST_CASE("close in on_ready, in a callback and in on_closed") {
    Bench bench;
    bench.handlers.on_ready = [&](const Greeting&) {
        bench.client->send({"a"}, [&](const Result&) {
            bench.witness.log.emplace_back("a");
            bench.client->close();
            bench.send("b");
        });
        bench.client->close();
    };
    bench.handlers.on_closed = [&] {
        bench.witness.log.emplace_back("closed");
        bench.client->close();
    };
    bench.connect();
    bench.peer->say_now(greeting_line + ready_line);
    REQUIRE(bench.run_until_closed());
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"a", "closed", "b Disconnected"});
}

TEST_CASE("a callback may send the next command") {
    Bench bench;
    bench.connect_ready();
    bench.client->send({"one"}, [&](const Result&) { bench.send("two"); });
    bench.peer->say_now(reply_line(1));
    run_ready(bench.io);
    bench.peer->say_now(reply_line(2));
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"two = {}"});
}

TEST_CASE("a command that is sent again on each failure does not keep the client from closing") {
    Bench bench;
    int tries = 0;
    std::function<void(const Result&)> again = [&](const Result&) {
        if (++tries < 1000) {
            bench.client->send({"again"}, again);
        }
    };
    bench.connect_ready();
    bench.client->send({"again"}, again);
    bench.peer->hang_up();
    REQUIRE(bench.run_until_closed());
    CHECK(tries < 1000);
    CHECK(run_until(bench.io, [&] { return tries == 1000; }));
}

TEST_CASE("the client may be destroyed in any handler") {
    Bench bench;
    SECTION("on_ready") {
        bench.handlers.on_ready = [&](const Greeting&) { bench.client.reset(); };
    }
    SECTION("on_event") {
        bench.handlers.on_event = [&](const Event&) { bench.client.reset(); };
    }
    SECTION("on_protocol_fault") {
        bench.handlers.on_protocol_fault = [&](const ProtocolFault&) { bench.client.reset(); };
    }
    SECTION("on_closed") {
        bench.handlers.on_closed = [&] { bench.client.reset(); };
    }
    SECTION("callback") {}
    bench.connect();
    const auto token = std::make_shared<int>();
    bench.client->send({"x"}, [&bench, token](const Result&) { bench.client.reset(); });
    bench.peer->say_now(greeting_line + ready_line + event_line("STOP") + "junk\n" + reply_line(1));
    run_ready(bench.io);
    if (bench.client) {  // waits for its end
        bench.peer->hang_up();
    }
    CHECK(run_until(bench.io, [&] { return !bench.client; }));
    bench.witness.log.clear();
    run_ready(bench.io);
    CHECK(bench.witness.log.empty());
    CHECK(token.use_count() == 1);  // callbacks are gone with it
}

TEST_CASE("a client that is destroyed calls nobody") {
    Bench bench;
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say_now(event_line("STOP") + reply_line(1));
    SECTION("as it is") {}
    SECTION("after close") {
        bench.client->close();
        bench.send("late");
    }
    bench.client.reset();
    CHECK(run_until(bench.io, [&] { return bench.peer->client_gone; }));
    CHECK(bench.witness.log.empty());
}

TEST_CASE("what a handler throws comes out of run, and the rest is delivered by the next run") {
    Bench bench;
    bench.handlers.on_event = [&](const Event& event) {
        bench.witness.log.push_back("event " + event.name);
        throw std::runtime_error{event.name};
    };
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say_now(event_line("A") + event_line("B") + reply_line(1));
    CHECK_THROWS_WITH(run_ready(bench.io), "A");
    CHECK_THROWS_WITH(run_ready(bench.io), "B");
    run_ready(bench.io);
    CHECK(bench.witness.log == Log{"event A", "event B", "query-status = {}"});
    bench.peer->say_now(event_line("C"));
    CHECK_THROWS_WITH(run_ready(bench.io), "C");
}

TEST_CASE("callbacks and on_closed that throw: all others still run once") {
    Bench bench;
    bench.handlers.on_closed = [&] {
        bench.witness.log.emplace_back("closed");
        throw std::runtime_error{"closed"};
    };
    bench.connect_ready();
    for (const char* name : {"one", "two"}) {
        bench.client->send({name}, [&bench, name](const Result&) {
            bench.witness.log.emplace_back(name);
            throw std::runtime_error{name};
        });
    }
    bench.peer->hang_up();
    CHECK_THROWS_WITH(run_until(bench.io, [] { return false; }), "one");
    CHECK_THROWS_WITH(run_until(bench.io, [] { return false; }), "two");
    CHECK_THROWS_WITH(run_until(bench.io, [] { return false; }), "closed");
    run_ready(bench.io);
    CHECK(bench.io.stopped());
    CHECK(bench.witness.log == Log{"one", "two", "closed"});
}

TEST_CASE("a handler that throws and closes, or throws and destroys") {
    Bench bench;
    bool destroy = false;
    SECTION("closes") {}
    SECTION("destroys") {
        destroy = true;
    }
    bench.handlers.on_event = [&](const Event&) {
        if (destroy) {
            bench.client.reset();
        } else {
            bench.client->close();
        }
        throw std::runtime_error{"x"};
    };
    bench.connect_ready();
    bench.send("query-status");
    bench.peer->say_now(event_line("A") + event_line("B"));
    CHECK_THROWS_WITH(run_ready(bench.io), "x");
    run_ready(bench.io);
    CHECK(bench.witness.log == (destroy ? Log{} : Log{"query-status Disconnected", "closed"}));
}

TEST_CASE("empty handlers and callbacks are fine") {
    Bench bench;
    bench.handlers = {};
    bench.connect();
    bench.client->send({"query-status"}, {});
    bench.peer->say_now(greeting_line + ready_line + event_line("A") + "junk\n" + reply_line(1));
    run_ready(bench.io);
    CHECK(bench.client->state() == State::ready);
    bench.peer->hang_up();
    CHECK(run_until(bench.io, [&] { return bench.client->state() == State::closed; }));
}

TEST_CASE("handlers are let go at the end, so that they may own the client") {
    boost::asio::io_context io;
    auto [ours, theirs] = socket_pair();
    struct Owner {
        std::unique_ptr<Client> client;
    };
    auto owner = std::make_shared<Owner>();
    const std::weak_ptr<Owner> watch = owner;
    Handlers handlers;
    handlers.on_closed = [owner] {};
    owner->client = std::make_unique<Client>(io, std::move(ours), std::move(handlers));
    owner.reset();
    theirs.reset();
    io.run_for(std::chrono::seconds{30});
    CHECK(watch.expired());
}

TEST_CASE("much to send while the peer does not read") {
    Bench bench;
    auto [ours, theirs] = socket_pair();
    bench.client.emplace(bench.io, std::move(ours), bench.handlers);
    for (int i = 0; i < 50; ++i) {
        bench.client->send({"x", {{"text", std::string(20'000, 'x')}}}, {});
    }
    run_ready(bench.io);
    CHECK(bench.io.poll() == 0);  // waits for room, without spinning
    FakePeer peer{bench.io, std::move(theirs)};
    CHECK(run_until(bench.io, [&] { return std::count(peer.heard.begin(), peer.heard.end(), '\n') == 51; }));
}

TEST_CASE("what is no socket") {
    boost::asio::io_context io;
    CHECK_THROWS_AS(Client(io, OwnedFd{}, {}), Error);
    Witness witness;
    const Client client{io, OwnedFd{::open("/dev/null", O_RDWR | O_CLOEXEC)}, witness.handlers()};
    CHECK(run_until(io, [&] { return witness.closed(); }));
    CHECK(witness.log == Log{"closed"});
}

}  // namespace
}  // namespace vml::qmp
