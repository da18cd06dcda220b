// What a VM's vm-launch said last is not lost, whenever it is looked at.
#include <array>
#include <string>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "launcher/testing/running_cell.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

struct Ends {
    OwnedFd ours;
    OwnedFd theirs;
};

Ends new_ends() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    return {OwnedFd{ends[0]}, OwnedFd{ends[1]}};
}

std::string numbers(std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) {
        text += std::to_string(i) + "\n";
    }
    return text;
}

void put(const OwnedFd& pipe, const std::string& text) {
    REQUIRE(::write(pipe.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

TEST_CASE("what is drained before the loop has run is whole, and in its order") {
    boost::asio::io_context io;
    Ends ends = new_ends();
    const std::string sent = numbers(40000);
    put(ends.theirs, sent);
    std::string got;
    PipeReader reader{io, std::move(ends.ours), [&](std::string_view bytes) { got += bytes; }};
    reader.drain();
    CHECK(got == sent);
}

TEST_CASE("what comes while the loop runs and what is drained then is all of it") {
    boost::asio::io_context io;
    Ends ends = new_ends();
    std::string got;
    PipeReader reader{io, std::move(ends.ours), [&](std::string_view bytes) { got += bytes; }};
    std::string sent;
    for (int i = 0; i < 5; ++i) {
        const std::string part = numbers(20000);
        put(ends.theirs, part);
        sent += part;
        io.run_one();
        reader.drain();
        CHECK(got == sent);
    }
}

TEST_CASE("a pipe that ended is read no more") {
    boost::asio::io_context io;
    Ends ends = new_ends();
    std::string got;
    const PipeReader reader{io, std::move(ends.ours), [&](std::string_view bytes) { got += bytes; }};
    put(ends.theirs, "last");
    ends.theirs.reset();
    io.run();
    CHECK(got == "last");
}

}  // namespace
}  // namespace vml
