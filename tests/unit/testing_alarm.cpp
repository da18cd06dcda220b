// What is to be done later is done once, and by nobody who is gone.
#include <memory>

#include <boost/asio/io_context.hpp>

#include "launcher/testing/alarm.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("an alarm that is set anew does the new thing alone") {
    boost::asio::io_context io;
    Alarm alarm{io};
    CHECK_FALSE(alarm.is_set());
    int first = 0;
    int second = 0;
    alarm.set(std::chrono::seconds{600}, [&] { ++first; });
    alarm.set(std::chrono::seconds{0}, [&] {
        ++second;
        alarm.set(std::chrono::seconds{0}, [&] { second += 10; });
    });
    io.run();
    CHECK(alarm.is_set());
    CHECK(first == 0);
    CHECK(second == 11);
}

TEST_CASE("an alarm that is gone does nothing") {
    boost::asio::io_context io;
    int done = 0;
    auto alarm = std::make_unique<Alarm>(io);
    alarm->set(std::chrono::seconds{0}, [&] { ++done; });
    alarm.reset();
    io.run();
    CHECK(done == 0);
}

}  // namespace
}  // namespace vml
