#include <string>
#include <variant>
#include <vector>

#include "qmp/session.h"
#include "tests/unit/qmp_support.h"

namespace vml::qmp {
namespace {

using nlohmann::json;
using test::event_line;
using test::greeting_line;
using test::ready_line;
using test::reply_line;
using Kind = ProtocolFault::Kind;
using Deliveries = std::vector<Delivery>;

const Ready ready{Greeting{7, 2, 22, "Debian"}};

Event plain_event(const std::string& name) {
    return {name, json::object(), 1, 2};
}

Deliveries take(Session& session) {
    Deliveries all;
    while (auto delivery = session.next()) {
        all.push_back(std::move(*delivery));
    }
    return all;
}

Deliveries take(Session& session, std::string_view bytes) {
    session.feed(bytes);
    return take(session);
}

// The only delivery, which has to be a fault; its kind.
Kind only_fault(const Deliveries& deliveries) {
    REQUIRE(deliveries.size() == 1);
    const auto* fault = std::get_if<ProtocolFault>(&deliveries.front());
    REQUIRE(fault != nullptr);
    return fault->kind;
}

std::uint64_t pending_command(Session& session, const std::string& name = "query-status") {
    const auto outgoing = session.command({name});
    REQUIRE(outgoing);
    return outgoing->id;
}

struct ReadySession : Session {
    ReadySession() { REQUIRE(take(*this, greeting_line + ready_line) == Deliveries{ready}); }
};

TEST_CASE("ready is the reply to qmp_capabilities, not the greeting") {
    Session session;
    CHECK(Session::opening() == "{\"execute\":\"qmp_capabilities\",\"id\":0}\n");
    CHECK(session.state() == State::connecting);
    CHECK(take(session, greeting_line).empty());
    CHECK(session.state() == State::negotiating);
    CHECK(take(session, ready_line) == Deliveries{ready});
    CHECK(session.state() == State::ready);
}

TEST_CASE("commands may be made before the greeting and are answered in order") {
    Session session;
    const auto first = session.command({"query-status"});
    const auto second = session.command({"query-pci"});
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->line == "{\"execute\":\"query-status\",\"id\":1}\n");
    CHECK(second->id == 2);
    CHECK(session.pending() == 2);
    CHECK(take(session, greeting_line + ready_line + reply_line(1) + reply_line(2, "[]")) ==
          Deliveries{ready, Reply{1, json::object()}, Reply{2, json::array()}});
    CHECK(session.pending() == 0);
}

TEST_CASE("events keep their place between replies") {
    ReadySession session;
    const auto id = pending_command(session);
    CHECK(take(session, event_line("A") + reply_line(id) + event_line("B")) ==
          Deliveries{plain_event("A"), Reply{id, json::object()}, plain_event("B")});
}

TEST_CASE("a failure is for its command") {
    ReadySession session;
    const auto id = pending_command(session, "no-such");
    CHECK(take(session, R"({"id": 1, "error": {"class": "CommandNotFound", "desc": "no"}})"
                        "\r\n") == Deliveries{Failure{id, "CommandNotFound", "no"}});
    CHECK(session.pending() == 0);
}

TEST_CASE("any split of the bytes gives the same") {
    const std::string bytes =
        greeting_line + ready_line + event_line("STOP") + reply_line(1) + "junk\r\n" + event_line("RESUME");
    Session whole;
    pending_command(whole);
    const Deliveries expected = take(whole, bytes);
    REQUIRE(expected.size() == 5);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        Session session;
        pending_command(session);
        Deliveries got = take(session, std::string_view{bytes}.substr(0, split));
        for (auto& delivery : take(session, std::string_view{bytes}.substr(split))) {
            got.push_back(std::move(delivery));
        }
        REQUIRE(got == expected);
    }
}

TEST_CASE("a garbled line is reported and skipped") {
    ReadySession session;
    session.feed("qemu: oops\r\n" + event_line("STOP"));
    CHECK(session.next() == Delivery{ProtocolFault{Kind::garbled_line, "not JSON", "qemu: oops"}});
    CHECK(session.next() == Delivery{plain_event("STOP")});
    CHECK(!session.next());
}

TEST_CASE("a garbled line before the greeting is no more than that") {
    Session session;
    CHECK(only_fault(take(session, "warning: hello\n")) == Kind::garbled_line);
    CHECK(take(session, greeting_line + ready_line) == Deliveries{ready});
}

TEST_CASE("replies and errors that nobody waits for") {
    ReadySession session;
    const auto id = pending_command(session);
    CHECK(only_fault(take(session, reply_line(99))) == Kind::unknown_id);
    CHECK(only_fault(take(session, ready_line)) == Kind::unknown_id);
    CHECK(only_fault(take(session, R"({"id": 5, "error": {"class": "X", "desc": "y"}})"
                                   "\n")) == Kind::unknown_id);
    CHECK(take(session, reply_line(id)).size() == 1);
    CHECK(only_fault(take(session, reply_line(id))) == Kind::unknown_id);
    CHECK(session.state() == State::ready);
}

TEST_CASE("an error without an id leaves the commands pending") {
    ReadySession session;
    pending_command(session);
    CHECK(take(session, R"({"error": {"class": "GenericError", "desc": "JSON parse error"}})"
                        "\r\n") ==
          Deliveries{ProtocolFault{Kind::failure_without_id, "GenericError: JSON parse error",
                                   R"({"error": {"class": "GenericError", "desc": "JSON parse error"}})"}});
    CHECK(session.pending() == 1);
}

TEST_CASE("nothing may come before the greeting, and only one greeting") {
    for (const std::string& line : {reply_line(1), ready_line, event_line("STOP"),
                                    std::string{"{\"error\": {\"class\": \"X\", \"desc\": \"y\"}}\n"}}) {
        Session session;
        pending_command(session);
        CHECK(only_fault(take(session, line + greeting_line + ready_line)) == Kind::out_of_turn);
        CHECK(take(session, greeting_line).empty());
        CHECK(session.close("x").size() == 1);
    }
    ReadySession session;
    CHECK(only_fault(take(session, greeting_line + event_line("STOP"))) == Kind::out_of_turn);
}

TEST_CASE("a refused negotiation is fatal") {
    Session session;
    CHECK(only_fault(take(session, greeting_line +
                                       R"({"id": 0, "error": {"class": "X", "desc": "y"}})"
                                       "\n" +
                                       event_line("STOP"))) == Kind::refused);
    CHECK(session.state() == State::negotiating);
    CHECK(!session.next());
}

TEST_CASE("what came before a line that is too long is delivered, nothing after it") {
    Session session{greeting_line.size()};
    const std::string long_line(greeting_line.size() + 1, 'x');
    const auto deliveries = take(session, greeting_line + ready_line + long_line + "\n" + event_line("STOP"));
    REQUIRE(deliveries.size() == 2);
    CHECK(deliveries[0] == Delivery{ready});
    CHECK(std::get<ProtocolFault>(deliveries[1]).kind == Kind::line_too_long);
    CHECK(take(session, event_line("STOP")).empty());
}

TEST_CASE("only what ends the conversation is fatal") {
    CHECK_FALSE(is_fatal(Kind::garbled_line));
    CHECK_FALSE(is_fatal(Kind::unknown_id));
    CHECK_FALSE(is_fatal(Kind::failure_without_id));
    CHECK(is_fatal(Kind::out_of_turn));
    CHECK(is_fatal(Kind::refused));
    CHECK(is_fatal(Kind::line_too_long));
}

TEST_CASE("close gives every pending command back once, in order") {
    ReadySession session;
    for (int i = 0; i < 3; ++i) {
        pending_command(session);
    }
    REQUIRE(take(session, reply_line(2) + "{\"return\": {}, \"id\"").size() == 1);
    CHECK(session.close("QEMU died") ==
          std::vector{Failure{1, "Disconnected", "QEMU died"}, Failure{3, "Disconnected", "QEMU died"}});
    CHECK(session.state() == State::closed);
    CHECK(session.close("again").empty());
    CHECK(!session.command({"query-status"}));
}

TEST_CASE("a reply that was not taken before close is not delivered twice") {
    ReadySession session;
    const auto id = pending_command(session);
    session.feed(reply_line(id) + event_line("STOP"));
    CHECK(session.close("bye").size() == 1);
    CHECK(!session.next());
    CHECK(take(session, reply_line(id)).empty());
}

}  // namespace
}  // namespace vml::qmp
