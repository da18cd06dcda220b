// The barrier and the queue of events around the supervisor.
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "launcher/run/guard.h"
#include "launcher/run/supervision.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("whatever a handler throws is reported, and the next one runs") {
    std::vector<std::string> reported;
    Guard guard{[&](const Fault& fault) { reported.push_back(fault.what + "|" + fault.why); }};
    int calls = 0;
    const auto handler = guard.around([&](int kind) {
        ++calls;
        if (kind == 1) {
            throw std::runtime_error{"odd reply"};
        }
        if (kind == 2) {
            throw Error{{"cannot read x", "no such file", "", ExitCode::failed}};
        }
        if (kind == 3) {
            throw 7;
        }
    });
    for (const int kind : {0, 1, 2, 3, 0}) {
        handler(kind);
    }
    CHECK(calls == 5);
    REQUIRE(reported.size() == 3);
    CHECK(reported[0] == "vm-launch could not handle an event of the run|odd reply");
    CHECK(reported[1] == "cannot read x|no such file");
    CHECK(reported[2] == "vm-launch could not handle an event of the run|an exception of an unknown kind");
}

TEST_CASE("what fails again and again is not reported for ever") {
    unsigned reports = 0;
    Guard guard{[&](const Fault& /*fault*/) { ++reports; }};
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(guard.run([] { throw std::runtime_error{"again"}; }));
    }
    CHECK(reports == Guard::most_reports + 1);
}

TEST_CASE("a log that fails itself ends nothing") {
    Guard guard{[](const Fault& /*fault*/) { throw std::runtime_error{"the log is full"}; }};
    CHECK_FALSE(guard.run([] { throw std::runtime_error{"first"}; }));
    CHECK(guard.run([] {}));
}

struct Run {
    boost::asio::io_context io;
    std::vector<std::string> reported;
    Guard guard{[this](const Fault& fault) { reported.push_back(fault.why); }};
    std::vector<std::string> carried_out;
    std::function<void(const supervise::Action&)> hook = [](const supervise::Action&) {};
    Supervision supervision{io, guard, {}, [this](const supervise::Action& action) {
                                if (const auto* say = std::get_if<supervise::Say>(&action)) {
                                    carried_out.push_back(say->text);
                                } else if (std::holds_alternative<supervise::AskPower>(action)) {
                                    carried_out.emplace_back("ask");
                                } else if (const auto* end = std::get_if<supervise::Finish>(&action)) {
                                    carried_out.push_back("finish " + std::to_string(end->exit_code));
                                }
                                hook(action);
                            }};

    void to_running() {
        supervision.start();
        supervision.feed(supervise::QmpReady{});
        REQUIRE(supervision.state().phase == supervise::Phase::running);
    }
};

TEST_CASE("an event that an action brings waits until all actions of its step are carried out") {
    Run run;
    run.to_running();
    std::vector<supervise::Phase> phases;
    run.hook = [&](const supervise::Action& action) {
        if (std::holds_alternative<supervise::AskPower>(action)) {
            run.supervision.feed(supervise::SignalReceived{2});  // would force the stop
            phases.push_back(run.supervision.state().phase);
        }
    };
    run.supervision.feed(supervise::SignalReceived{15});
    REQUIRE(phases.size() == 1);
    CHECK(phases.front() == supervise::Phase::asking);  // the signal's turn had not come
    CHECK(run.carried_out == std::vector<std::string>{"ask", "SIGINT again: forcing the stop"});
    CHECK(run.supervision.state().phase == supervise::Phase::quitting);
}

TEST_CASE("an action that fails keeps neither the others nor the next event back") {
    Run run;
    run.to_running();
    run.hook = [](const supervise::Action&) { throw std::runtime_error{"broken"}; };
    run.supervision.feed(supervise::SignalReceived{15});
    run.supervision.feed(supervise::ChildEnded{0, {}});
    CHECK_FALSE(run.reported.empty());
    CHECK(run.carried_out.back() == "finish 0");
    CHECK(run.supervision.state().phase == supervise::Phase::ended);
}

TEST_CASE("a step that fails loses its event alone, and QEMU's end is an end all the same") {
    Run run;
    supervise::Config config;
    config.checks = {{"/machine", "x", "1", "wrong"}};
    Supervision supervision{run.io, run.guard, config, [&](const supervise::Action& action) {
                                if (const auto* end = std::get_if<supervise::Finish>(&action)) {
                                    run.carried_out.push_back("finish " + std::to_string(end->exit_code));
                                }
                            }};
    supervision.start();
    supervision.feed(supervise::QmpReady{});
    supervision.feed(supervise::CheckAnswered{99, "1"});  // no such check
    CHECK(run.reported.size() == 1);
    supervision.feed(supervise::CheckAnswered{0, "1"});
    CHECK(supervision.state().phase == supervise::Phase::running);
    supervision.feed(supervise::ChildEnded{0, {}});
    CHECK(run.carried_out == std::vector<std::string>{"finish 4"});
}

}  // namespace
}  // namespace vml
