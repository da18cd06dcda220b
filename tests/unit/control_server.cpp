#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "control/client.h"
#include "control/folder.h"
#include "control/peer.h"
#include "control/server.h"
#include "tests/unit/catch.h"
#include "tests/unit/control_support.h"

using namespace vml;
using namespace vml::control;
using boost::asio::local::stream_protocol;
using boost::system::error_code;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr auto deadline = 20s;

// A server in the same event loop as raw clients, so that every step is the test's.
struct Lab {
    explicit Lab(const Limits& limits = {})
        : server{std::in_place,
                 io,
                 std::vector{home.folder()},
                 "web",
                 [this](const Request& r, Exchange e) { handle(r, e); },
                 limits} {}

    void handle(const Request& request, const Exchange& exchange) {
        commands.push_back(request.command);
        if (request.command == "echo") {
            exchange.answer(request.arguments);
        } else if (request.command == "bytes") {
            exchange.answer(json::object(),
                            std::string(request.arguments.value("count", std::size_t{0}), 'x'));
        } else if (request.command == "later") {
            kept = exchange;
        } else if (request.command == "wrong") {
            std::ignore = request.arguments.at("missing");
        } else if (request.command == "stream") {
            exchange.stream({{"stream", true}}, {[this](std::string_view bytes) { streamed += bytes; },
                                                 [this] { stream_closed = true; }});
            kept = exchange;
        } else {
            exchange.refuse({"no", "why", "hint", ExitCode::failed});
        }
    }

    stream_protocol::socket connect() {
        stream_protocol::socket socket{io};
        socket.connect(stream_protocol::endpoint{(home.path() / "web.sock").string()});
        socket.non_blocking(true);
        return socket;
    }

    void until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + deadline;
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            io.restart();
            io.run_one_for(100ms);
        }
    }

    static void send(stream_protocol::socket& socket, const std::string& text) {
        error_code error;
        boost::asio::write(socket, boost::asio::buffer(text), error);
        REQUIRE(!error);
    }

    // What has come until the condition holds; `closed` is set at the end of the stream.
    std::string receive(stream_protocol::socket& socket,
                        const std::function<bool(const std::string&)>& enough) {
        std::string text;
        closed = false;
        until([&] {
            std::string chunk(65536, '\0');
            error_code error;
            chunk.resize(socket.read_some(boost::asio::buffer(chunk), error));
            text += chunk;
            closed = closed || (error && error != boost::asio::error::would_block);
            return closed || enough(text);
        });
        return text;
    }

    std::string line_from(stream_protocol::socket& socket) {
        return receive(socket, [](const std::string& text) { return text.ends_with('\n'); });
    }

    boost::asio::io_context io;
    test::PrivateFolder home;
    Address address{home.folder(), "web"};
    std::vector<std::string> commands;
    std::optional<Exchange> kept;
    std::string streamed;
    bool stream_closed = false;
    bool closed = false;
    std::optional<Server> server;
};

const std::string echo = "{\"command\":\"echo\",\"arguments\":{\"a\":1}}\n";
const std::string echoed = "{\"return\":{\"a\":1}}\n";

}  // namespace

TEST_CASE("requests are answered one after another, however they are cut") {
    Lab lab;
    auto client = lab.connect();
    for (const char letter : echo + echo) {
        Lab::send(client, std::string(1, letter));
        lab.io.restart();
        lab.io.poll();
    }
    CHECK(lab.receive(client, [](const auto& text) { return text.size() >= 2 * echoed.size(); }) ==
          echoed + echoed);
    CHECK(lab.server->clients() == 1);
}

TEST_CASE("requests wait while another is with the handler") {
    Lab lab;
    auto client = lab.connect();
    Lab::send(client, "{\"command\":\"later\"}\n" + echo);
    lab.until([&] { return lab.kept.has_value(); });
    lab.io.restart();
    lab.io.poll();
    CHECK(lab.commands == std::vector<std::string>{"later"});
    lab.kept->answer("now");
    CHECK(lab.receive(client, [](const auto& text) { return text.size() > echoed.size(); }) ==
          "{\"return\":\"now\"}\n" + echoed);
}

TEST_CASE("thousands of requests in one go are answered without recursion") {
    Lab lab;
    auto client = lab.connect();
    constexpr int count = 20000;
    std::string all;
    for (int i = 0; i < count; ++i) {
        all += echo;
    }
    std::string received;
    lab.until([&] {
        error_code error;
        all.erase(0, client.write_some(boost::asio::buffer(all), error));
        std::string chunk(65536, '\0');
        chunk.resize(client.read_some(boost::asio::buffer(chunk), error));
        received += chunk;
        return received.size() >= count * echoed.size();
    });
    CHECK(lab.commands.size() == count);
}

TEST_CASE("what is no request is refused, and the connection goes on") {
    Lab lab;
    auto client = lab.connect();
    Lab::send(client, "nonsense\n");
    CHECK(lab.line_from(client).find("this is no request") != std::string::npos);
    Lab::send(client, "{\"command\":\"wrong\"}\n");
    CHECK(lab.line_from(client).find("cannot be carried out") != std::string::npos);
    Lab::send(client, "{\"command\":\"unknown\"}\n");
    CHECK(lab.line_from(client) ==
          "{\"error\":{\"exit_code\":1,\"hint\":\"hint\",\"what\":\"no\",\"why\":\"why\"}}\n");
    Lab::send(client, echo);
    CHECK(lab.line_from(client) == echoed);
}

TEST_CASE("a line without end costs its sender the connection, and nothing else") {
    Lab lab;
    auto hostile = lab.connect();
    auto client = lab.connect();
    std::string flood(longest_request + 4096, 'x');
    lab.until([&] {
        error_code error;
        flood.erase(0, hostile.write_some(boost::asio::buffer(flood), error));
        return flood.empty() || (error && error != boost::asio::error::would_block);
    });
    const std::string refusal = lab.receive(hostile, [](const auto&) { return false; });
    CHECK(refusal.find("longer than any request") != std::string::npos);
    Lab::send(client, echo);
    CHECK(lab.line_from(client) == echoed);
    lab.until([&] { return lab.server->clients() == 1; });
}

TEST_CASE("a client that takes no answers loses its connection, and nothing else") {
    Limits limits;
    limits.unsent = 1 << 20;
    Lab lab{limits};
    auto slow = lab.connect();
    auto client = lab.connect();
    Lab::send(slow, "{\"command\":\"bytes\",\"arguments\":{\"count\":4000000}}\n");
    lab.until([&] { return lab.server->clients() == 1; });
    Lab::send(client, "{\"command\":\"bytes\",\"arguments\":{\"count\":1000}}\n");
    CHECK(lab.receive(client, [](const auto& text) { return text.size() > 1000; })
              .ends_with(std::string(1000, 'x')));
}

TEST_CASE("an idle client is closed after its time, one that waits for an answer is not") {
    Limits limits;
    limits.request_time = 50ms;
    Lab lab{limits};
    auto waiting = lab.connect();
    Lab::send(waiting, "{\"command\":\"later\"}\n");
    lab.until([&] { return lab.kept.has_value(); });
    auto idle = lab.connect();
    Lab::send(idle, "{\"comm");
    CHECK(lab.receive(idle, [](const auto&) { return false; }).empty());
    CHECK(lab.closed);
    lab.kept->answer(1);
    CHECK(lab.line_from(waiting) == "{\"return\":1}\n");
}

TEST_CASE("one client too many is told so, and there is room again when another leaves") {
    Limits limits;
    limits.clients = 2;
    Lab lab{limits};
    auto first = lab.connect();
    auto second = lab.connect();
    lab.until([&] { return lab.server->clients() == 2; });
    auto third = lab.connect();
    CHECK(lab.receive(third, [](const auto&) { return false; }).find("too many clients") !=
          std::string::npos);
    first.close();
    lab.until([&] { return lab.server->clients() == 1; });
    auto fourth = lab.connect();
    Lab::send(fourth, echo);
    CHECK(lab.line_from(fourth) == echoed);
}

TEST_CASE("a stream goes both ways, and its end is told") {
    Lab lab;
    auto client = lab.connect();
    Lab::send(client, "{\"command\":\"stream\"}\nkeys");
    CHECK(lab.line_from(client) == "{\"return\":{\"stream\":true}}\n");
    lab.until([&] { return lab.streamed == "keys"; });
    lab.kept->write("screen\n");
    CHECK(lab.line_from(client) == "screen\n");
    client.close();
    lab.until([&] { return lab.stream_closed; });
    lab.kept->write("nobody is there");
}

TEST_CASE("a viewer that does not keep up loses what it did not take, is told so, and sees what comes then") {
    Limits limits;
    limits.unsent_stream = 100000;
    Lab lab{limits};
    auto client = lab.connect();
    Lab::send(client, "{\"command\":\"stream\"}\n");
    lab.until([&] { return lab.kept.has_value(); });
    constexpr std::size_t all = std::size_t{1000} * 10000;
    for (int i = 0; i < 1000; ++i) {
        lab.kept->write(std::string(10000, 'x'));
    }
    const std::string note = " bytes lost here: this client did not keep up]\r\n";
    const std::string text =
        lab.receive(client, [&](const std::string& got) { return got.find(note) != std::string::npos; });
    const auto taken = static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x'));
    CHECK(text.ends_with(fmt::format("x\r\n[{}{}", all - taken, note)));
    lab.kept->write("on it goes\n");
    CHECK(lab.line_from(client) == "on it goes\n");
    CHECK(!lab.stream_closed);
}

TEST_CASE("the last words of a stream are not lost, and stand behind what is told of what was") {
    Lab lab;
    auto client = lab.connect();
    Lab::send(client, "{\"command\":\"stream\"}\n");
    lab.until([&] { return lab.kept.has_value(); });
    for (int i = 0; i < 1000; ++i) {
        lab.kept->write(std::string(10000, 'x'));
    }
    lab.kept->close("the end\n");
    const std::string text = lab.receive(client, [](const std::string& /*got*/) { return false; });
    CHECK(text.ends_with(" bytes lost here: this client did not keep up]\r\nthe end\n"));
    CHECK(lab.closed);
}

TEST_CASE("a client that only asks is not asked for more, whatever it sends") {
    Lab lab;
    auto client = lab.connect();
    const std::string question = "{\"command\":\"bytes\",\"arguments\":{\"count\":1000000}}\n";
    std::string questions;
    for (int i = 0; i < 1000; ++i) {
        questions += question;
    }
    Lab::send(client, questions);
    lab.until([&] { return !lab.commands.empty(); });
    for (int i = 0; i < 100; ++i) {
        lab.io.restart();
        lab.io.poll();
    }
    CHECK(lab.commands.size() == 1);
    std::size_t received = 0;
    lab.until([&] {
        std::string chunk(1 << 20, '\0');
        error_code error;
        received += client.read_some(boost::asio::buffer(chunk), error);
        return lab.commands.size() >= 10;
    });
    CHECK(received > 5000000);
}

TEST_CASE("an exchange may be used after its client and its server have gone") {
    Lab lab;
    {
        auto client = lab.connect();
        Lab::send(client, "{\"command\":\"later\"}\n");
        lab.until([&] { return lab.kept.has_value(); });
    }
    lab.until([&] { return lab.server->clients() == 0; });
    lab.kept->answer(1);
    lab.kept->close();
    lab.server.reset();
    lab.kept->refuse({"x", "", "", ExitCode::failed});
    lab.io.restart();
    lab.io.poll();
}

TEST_CASE("a name is taken while its server lives, and free at once afterwards") {
    Lab lab;
    const auto nobody = [](const Request&, const Exchange&) {};
    CHECK_THROWS_AS((Server{lab.io, {lab.home.folder()}, "web", nobody}), Error);
    lab.server.reset();
    CHECK_NOTHROW((Server{lab.io, {lab.home.folder()}, "web", nobody}));
}

TEST_CASE("root and the owner may command a VM, from its own PID namespace only") {
    CHECK(may_command({10, 0}, 1000));
    CHECK(may_command({10, 1000}, 1000));
    CHECK(!may_command({10, 1001}, 1000));
    CHECK(!may_command({0, 0}, 1000));
    CHECK(!may_command({10, 0, true}, 1000));
    CHECK(!may_command({10, 1000, true}, 1000));
    CHECK(!may_command({10, 1000}, 0));
}

TEST_CASE("the blocking client asks, and gets values, bytes and faults") {
    Lab lab;
    bool done = false;
    std::thread loop{[&] { lab.until([&] { return done; }); }};
    {
        Client client{lab.address};
        CHECK(client.ask({"echo", {{"b", 2}}}, 5s) == json{{"b", 2}});
        const json answer = client.ask({"bytes", {{"count", 300000}}}, 5s);
        CHECK(client.read_bytes(answer["bytes"], 5s) == std::string(300000, 'x'));
        CHECK_THROWS_AS(client.ask({"unknown"}, 5s), Error);
        CHECK_THROWS_AS(client.ask({"later"}, 1s), Error);  // no answer within the limit
    }
    CHECK(running_in({lab.home.folder()}) == std::vector<Address>{lab.address});
    done = true;
    loop.join();
    lab.server.reset();
    CHECK_THROWS_AS(Client{lab.address}, Error);
}
