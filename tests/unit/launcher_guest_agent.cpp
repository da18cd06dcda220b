#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <malloc.h>
#include <sys/socket.h>

#include "launcher/remote/agent_lines.h"
#include "launcher/remote/base64.h"
#include "launcher/remote/guest_agent.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;
using nlohmann::json;

// The guest's end of the port, played by the test.
struct Guest {
    Guest() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        agent.emplace(io, OwnedFd{ends[0]}, [this] { ++answers; });
        port.assign(stream_protocol{}, ends[1]);
        port.non_blocking(true);
    }

    void until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            io.restart();
            io.run_one_for(std::chrono::milliseconds{50});
        }
    }

    bool has_request() {
        std::array<char, 4096> chunk{};
        error_code error;
        received.append(chunk.data(), port.read_some(boost::asio::buffer(chunk), error));
        return received.find('\n') != std::string::npos;
    }

    json next_request() {
        until([&] { return has_request(); });
        const std::size_t end = received.find('\n');
        const json request = json::parse(received.substr(0, end));
        received.erase(0, end + 1);
        return request;
    }

    void say(const std::string& text) { boost::asio::write(port, boost::asio::buffer(text)); }
    void answer(const json& value) { say(json{{"return", value}}.dump() + "\n"); }
    void answer_sync() { answer(next_request()["arguments"]["id"]); }

    // A program that opens the port, and is an agent.
    void opens() {
        agent->port_changed(true);
        answer_sync();
        until([&] { return agent->answers(); });
    }

    // It was asked to, and is asked how that goes on.
    void runs_a_command() {
        opens();
        agent->exec({"ls"}, keep());
        answer_sync();
        std::ignore = next_request();
        answer({{"pid", 7}});
        std::ignore = next_request();
    }

    GuestAgent::Done keep() {
        return [this](const GuestAgent::Result& outcome) { result = outcome; };
    }
    Fault fault() {
        until([&] { return result.has_value(); });
        REQUIRE(std::holds_alternative<Fault>(*result));
        return std::get<Fault>(*result);
    }
    GuestExit exit() {
        until([&] { return result.has_value(); });
        REQUIRE(std::holds_alternative<GuestExit>(*result));
        return std::get<GuestExit>(*result);
    }

    boost::asio::io_context io;
    std::optional<GuestAgent> agent;
    stream_protocol::socket port{io};
    std::string received;
    std::optional<GuestAgent::Result> result;
    int answers = 0;
};

TEST_CASE("a command runs in the guest, and its end is asked for until it comes") {
    Guest machine;
    machine.opens();
    machine.agent->exec({"uname", "-a"}, machine.keep());
    machine.answer_sync();
    const json start = machine.next_request();
    CHECK(start["execute"] == "guest-exec");
    CHECK(start["arguments"] == json{{"path", "uname"}, {"arg", {"-a"}}, {"capture-output", true}});
    machine.answer({{"pid", 7}});
    for (int turn = 0; turn < 3; ++turn) {
        const json question = machine.next_request();
        CHECK(question["execute"] == "guest-exec-status");
        CHECK(question["arguments"]["pid"] == 7);
        machine.answer({{"exited", false}});
    }
    std::ignore = machine.next_request();
    machine.answer({{"exited", true}, {"exitcode", 3}, {"out-data", "TGludXgK"}, {"err-data", "IQ=="}});
    const GuestExit exit = machine.exit();
    CHECK(exit.code == 3);
    CHECK(from_base64(exit.output) == "Linux\n");
    CHECK(from_base64(exit.errors) == "!");
}

TEST_CASE("who opens the port is an agent once it answers with the number that it was sent, and not before") {
    Guest machine;
    machine.agent->port_changed(true);
    const json question = machine.next_request();
    CHECK(question["execute"] == "guest-sync");
    const auto number = question["arguments"]["id"].get<int>();
    CHECK(!machine.agent->answers());
    // UEFI's console, an echo, an older answer, an answer that was never asked for
    machine.say("UEFI Interactive Shell\n" + question.dump() + "\n{\"return\":0}\n");
    machine.say(json{{"return", number + 1}}.dump() + "\n{\"return\":{}}\n{\"return\":\"1\"}\n");
    machine.say("{\"error\":{\"class\":\"GenericError\",\"desc\":\"x\"}}\n");
    machine.until([&] { return machine.io.poll() == 0; });
    CHECK(!machine.agent->answers());
    CHECK(machine.answers == 0);
    machine.answer(number);
    machine.until([&] { return machine.agent->answers(); });
    CHECK(machine.answers == 1);
    machine.answer(number);
    machine.agent->port_changed(false);
    CHECK(!machine.agent->answers());
    machine.opens();  // the operating system's agent, after the firmware's driver
    CHECK(machine.answers == 2);
}

TEST_CASE("a command for a guest whose firmware alone has the port open finds no agent") {
    Guest machine;
    machine.agent->port_changed(true);
    std::ignore = machine.next_request();
    machine.agent->exec({"ls"}, machine.keep());
    machine.agent->port_changed(false);
    CHECK(machine.fault().why == "no guest agent runs in it");
}

// Bytes that are in use, or 0 where the C library does not count them (a sanitizer's).
std::size_t bytes_in_use() {
    const struct mallinfo2 now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
}

// What the guest's flood costs at most.
std::size_t cost_of(Guest& machine, char letter) {
    const std::string piece(65536, letter);
    const std::size_t before = bytes_in_use();
    std::size_t most = before;
    for (std::size_t sent = 0; sent < std::size_t{12} << 20;) {
        error_code error;
        sent += machine.port.write_some(boost::asio::buffer(piece), error);
        machine.io.restart();
        machine.io.poll();
        most = std::max(most, bytes_in_use());
    }
    return most - before;
}

constexpr std::size_t few = std::size_t{2} << 20;

TEST_CASE("what nobody asked for costs nothing, and the agent is understood afterwards") {
    for (const char letter : {'[', '{', 'x', '"'}) {
        CAPTURE(letter);
        Guest machine;
        CHECK(cost_of(machine, letter) < few);  // the port is not even open
        machine.say("\n");
        machine.opens();
        CHECK(cost_of(machine, letter) < few);
        machine.say("\n");
        machine.agent->exec({"ls"}, machine.keep());
        const auto number = machine.next_request()["arguments"]["id"];
        CHECK(cost_of(machine, letter) < few);  // guest-sync is under way
        machine.say("\n");
        machine.answer(number);
        CHECK(machine.next_request()["execute"] == "guest-exec");
    }
}

TEST_CASE("brackets without end, where an answer may be long, cost nothing either") {
    Guest machine;
    machine.runs_a_command();
    CHECK(cost_of(machine, '[') < few);
    machine.say("\n");
    machine.answer({{"exited", true}, {"exitcode", 0}});
    CHECK(machine.exit().code == 0);
}

// Bytes that are taken of a guest that repeats a text without end, until the reading rests: 64 MiB where it
// never does.
std::size_t taken_before_rest(Guest& machine, const std::string& text) {
    std::string piece;
    while (piece.size() < 65536) {
        piece += text;
    }
    std::size_t sent = 0;
    for (int idle = 0; idle < 3 && sent < std::size_t{64} << 20;) {
        error_code error;
        const std::size_t more = machine.port.write_some(boost::asio::buffer(piece), error);
        sent += more;
        machine.io.restart();
        idle = machine.io.poll() == 0 && more == 0 ? idle + 1 : 0;
    }
    return sent;
}

TEST_CASE("the reading rests where a guest writes without end what nobody asked for") {
    for (const std::string text : {"\n", "x", "[", "{}\n", "{\"return\":1}\n"}) {
        CAPTURE(text);
        Guest machine;
        CHECK(taken_before_rest(machine, text) < std::size_t{16} << 20);  // the port is not even open
    }
    for (const std::string text : {"\n", "{}\n", "[\n"}) {
        CAPTURE(text);
        Guest machine;
        machine.runs_a_command();
        CHECK(taken_before_rest(machine, text) < std::size_t{16} << 20);  // guest-exec-status is under way
    }
}

TEST_CASE("the reading does not rest while the answer comes that was asked for") {
    Guest machine;
    machine.runs_a_command();
    machine.say("{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"");
    CHECK(taken_before_rest(machine, "TGlu") > std::size_t{40} << 20);
}

TEST_CASE("an answer of more values than an agent's is not kept") {
    AgentLines lines{8};
    CHECK(lines.take(std::string(AgentLines::most_commas, ',') + "\n", 1000).line);
    CHECK_FALSE(lines.take(std::string(AgentLines::most_commas + 1, ',') + "\n", 1000).line);
    CHECK(lines.take('"' + std::string(500, ',') + "\"\n", 1000).line);
}

TEST_CASE("an answer that is too large is a fault, and what comes after it is understood") {
    Guest machine;
    machine.opens();
    machine.agent->exec({"ls"}, machine.keep());
    machine.answer_sync();
    std::ignore = machine.next_request();
    machine.answer(std::string(short_answer, 'x'));  // to guest-exec
    CHECK(machine.fault().why == "the guest agent's reply is too large");
    machine.result.reset();
    machine.agent->exec({"ls"}, machine.keep());
    machine.answer_sync();
    CHECK(machine.next_request()["execute"] == "guest-exec");
}

TEST_CASE("lines of a guest: whole ones, in pieces, too long or too deep") {
    AgentLines lines{2};
    const auto take = [&](std::string_view bytes, std::size_t limit) { return lines.take(bytes, limit); };
    CHECK(take("[[1]]\nrest", 10).line == "[[1]]");
    CHECK(take("[[1]]\nrest", 10).count == 6);
    CHECK_FALSE(take("[", 10).line);
    CHECK_FALSE(take("[", 10).line);
    CHECK(take("]]\n", 10).line == "[[]]");
    CHECK_FALSE(take("[[[", 10).line);  // too deep
    CHECK_FALSE(take("]]]\n", 10).line);
    CHECK(take("\"[[[\\\"[\"\n", 20).line == "\"[[[\\\"[\"");
    CHECK(take("12345678901", 10).too_long);
    CHECK_FALSE(take("2", 10).too_long);
    CHECK_FALSE(take("3\n", 10).line);
    CHECK(take("1234567890\n", 10).line == "1234567890");
    CHECK_FALSE(take("1\n", 0).line);
    CHECK_FALSE(take("1", 0).line);
    CHECK_FALSE(take("2\n", 10).line);  // its beginning was passed over
    CHECK(take("2\n", 10).line == "2");
}

TEST_CASE("two commands run beside each other over the one port") {
    Guest machine;
    machine.opens();
    std::optional<GuestAgent::Result> second;
    machine.agent->exec({"first"}, machine.keep());
    machine.agent->exec({"second"}, [&](const GuestAgent::Result& outcome) { second = outcome; });
    int started = 0;
    while (true) {
        bool asked = false;
        machine.until([&] { return (asked = machine.has_request()) || (machine.result && second); });
        if (!asked) {
            break;
        }
        const json request = machine.next_request();
        if (request["execute"] == "guest-sync") {
            machine.answer(request["arguments"]["id"]);
        } else if (request["execute"] == "guest-exec") {
            machine.answer({{"pid", ++started}});
        } else {
            machine.answer({{"exited", true}, {"exitcode", request["arguments"]["pid"]}});
        }
    }
    CHECK(std::get<GuestExit>(*machine.result).code == 1);
    CHECK(std::get<GuestExit>(*second).code == 2);
}

TEST_CASE("without an agent in the guest nothing is sent") {
    Guest machine;
    machine.agent->exec({"ls"}, machine.keep());
    CHECK(machine.fault().why == "no guest agent runs in it");
    GuestAgent none{machine.io, OwnedFd{}};
    none.port_changed(true);
    machine.result.reset();
    none.exec({"ls"}, machine.keep());
    CHECK(machine.fault().code == ExitCode::exec_failed);
}

TEST_CASE("what is left over of an earlier conversation is passed over") {
    Guest machine;
    machine.opens();
    machine.say("half an answer\n\xff{\"return\":{}}\n{\"return\":99}\n[]\n");
    machine.agent->exec({"ls"}, machine.keep());
    machine.say("{\"return\":{\"pid\":1}}\n");
    machine.answer_sync();
    CHECK(machine.next_request()["execute"] == "guest-exec");
    machine.say("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no such program\"}}\n");
    CHECK(machine.fault().why == "no such program");
}

TEST_CASE("an agent that ends, or whose answers make no sense, fails the command and no more") {
    for (const std::string nonsense : {"{\"return\":7}\n", "{\"return\":{}}\n", "{}\n", "{\"error\":[]}\n"}) {
        Guest machine;
        machine.opens();
        machine.agent->exec({"ls"}, machine.keep());
        machine.answer_sync();
        std::ignore = machine.next_request();
        machine.say(nonsense);
        CHECK(machine.fault().code == ExitCode::exec_failed);
    }
    Guest machine;
    machine.opens();
    machine.agent->exec({"ls"}, machine.keep());
    machine.agent->port_changed(false);
    CHECK(machine.fault().why == "its guest agent ended");
    CHECK(!machine.agent->answers());
}

TEST_CASE("an exit is a code or a signal") {
    const auto exit = [](const char* text) { return guest_exit_in(json::parse(text)); };
    CHECK(std::holds_alternative<std::monostate>(exit(R"({"exited":false})")));
    CHECK(std::get<GuestExit>(exit(R"({"exited":true,"signal":9})")) ==
          GuestExit{std::nullopt, 9, "", "", false});
    CHECK(std::get<GuestExit>(exit(R"({"exited":true,"exitcode":0,"out-truncated":true})")).truncated);
    CHECK(std::holds_alternative<Fault>(exit(R"({"exited":true})")));
    CHECK(std::holds_alternative<Fault>(exit(R"({"exited":true,"exitcode":"0"})")));
    CHECK(std::holds_alternative<Fault>(exit("[]")));
}

TEST_CASE("base64 gives the bytes that were encoded") {
    CHECK(from_base64("").empty());
    CHECK(from_base64("Zg==") == "f");
    CHECK(from_base64("Zm8=") == "fo");
    CHECK(from_base64("Zm9v") == "foo");
    CHECK(from_base64("AAEC/f7/") == std::string("\0\x01\x02\xfd\xfe\xff", 6));
    CHECK(from_base64("Zm9v*Zm9v") == "foo");
}

}  // namespace
}  // namespace vml
