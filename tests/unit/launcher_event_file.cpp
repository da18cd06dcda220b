// The file of --events, with readers that are slow, gone, or never there.
#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/broadcast/event_file.h"
#include "launcher/run/signals.h"
#include "launcher/start/event_target.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::Folder;

struct Ends {
    OwnedFd read;
    OwnedFd write;
};

// Both may wait, as those that a shell makes.
Ends a_pipe() {
    std::array<int, 2> fds{};
    REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
    return {OwnedFd{fds[0]}, OwnedFd{fds[1]}};
}

Ends a_socket() {
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return {OwnedFd{fds[0]}, OwnedFd{fds[1]}};
}

std::string read_now(int fd) {
    std::string text;
    std::array<char, 65536> chunk{};
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    for (ssize_t count = 0; (count = ::read(fd, chunk.data(), chunk.size())) > 0;) {
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return text;
}

struct Place {
    boost::asio::io_context io;
    int gone = 0;
    int error = 0;
    EventFile file;

    explicit Place(OwnedFd fd)
        : file{io, std::move(fd),
               [](std::size_t /*bytes*/, std::size_t count) { return fmt::format("lost {}\n", count); },
               [this](int why) {
                   ++gone;
                   error = why;
               }} {}
};

// Each line of what was read is one that was written, or tells how many are missing; together they are all.
unsigned accounted(const std::string& text, const std::string& line) {
    std::istringstream lines{text};
    unsigned count = 0;
    for (std::string got; std::getline(lines, got);) {
        if (got.starts_with("lost ")) {
            count += static_cast<unsigned>(std::stoul(got.substr(5)));
        } else {
            CHECK(got == line);
            ++count;
        }
    }
    return count;
}

TEST_CASE("a reader that does not read is not waited for, and is told how much it missed") {
    Ends ends = GENERATE(true, false) ? a_pipe() : a_socket();
    const OwnedFd shared{::fcntl(ends.write.get(), F_DUPFD_CLOEXEC, 0)};
    Place place{std::move(ends.write)};
    const std::string line(1000, 'x');
    constexpr unsigned written = 3000;
    for (unsigned count = 0; count < written; ++count) {
        place.file.write(line + "\n");
    }
    std::string text;
    while (text.find("lost ") == std::string::npos) {
        text += read_now(ends.read.get());
        REQUIRE(place.io.run_one_for(std::chrono::seconds{60}) > 0);
        text += read_now(ends.read.get());
    }
    place.file.flush(EventFile::slow_reader);
    text += read_now(ends.read.get());
    CHECK(accounted(text, line) == written);
    place.file.write("again\n");
    CHECK(read_now(ends.read.get()) == "again\n");
    CHECK((::fcntl(shared.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK(place.gone == 0);
}

TEST_CASE("the last line is not lost, however much was before it") {
    Ends ends = GENERATE(true, false) ? a_pipe() : a_socket();
    Place place{std::move(ends.write)};
    const std::string line(1000, 'x');
    constexpr unsigned written = 3000;
    for (unsigned count = 0; count < written; ++count) {
        place.file.write(line + "\n");
    }
    place.file.write_last("end\n");
    std::string text;
    while (!text.ends_with("end\n")) {
        text += read_now(ends.read.get());
        place.file.flush(std::chrono::milliseconds{1});
    }
    text.erase(text.size() - 4);
    CHECK(accounted(text, line) == written);
}

TEST_CASE("a reader that is gone is told of once") {
    hold_signals();  // SIGPIPE
    Ends ends = GENERATE(true, false) ? a_pipe() : a_socket();
    Place place{std::move(ends.write)};
    place.file.write("one\n");
    ends.read.reset();
    for (int count = 0; count < 3; ++count) {
        place.file.write("two\n");
    }
    place.file.flush(EventFile::slow_reader);
    CHECK(place.gone == 1);
    CHECK(place.error == EPIPE);
}

TEST_CASE("a full disk is told of once") {
    Place place{OwnedFd{::open("/dev/full", O_WRONLY | O_CLOEXEC)}};
    place.file.write("one\n");
    place.file.write("two\n");
    CHECK(place.gone == 1);
    CHECK(place.error == ENOSPC);
}

TEST_CASE(
    "a file is made, or emptied of events; a pipe that nobody reads keeps what is written for who comes") {
    const Folder folder;
    const std::filesystem::path path = folder.path() / "events";
    Place{open_event_file(path, "--events")}.file.write("{\"v\":1, of an earlier run\n");
    Place{open_event_file(path, "--events")}.file.write("new\n");
    CHECK(read_now(OwnedFd{::open(path.c_str(), O_RDONLY)}.get()) == "new\n");
    CHECK_THROWS_AS(open_event_file(path, "--events"), Error);  // which is no event
    CHECK(read_now(OwnedFd{::open(path.c_str(), O_RDONLY)}.get()) == "new\n");
    const std::filesystem::path fifo = folder.path() / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    Place waiting{open_event_file(fifo, "--events")};
    waiting.file.write("early\n");
    const OwnedFd reader{::open(fifo.c_str(), O_RDONLY | O_NONBLOCK)};
    waiting.file.write("late\n");
    CHECK(read_now(reader.get()) == "early\nlate\n");
    CHECK_THROWS_AS(open_event_file(folder.path(), "--events"), Error);
    CHECK_THROWS_AS(open_event_file(folder.path() / "no/file", "--events"), Error);
}

TEST_CASE("a descriptor that was given is taken over, if it can be written to") {
    Ends ends = a_pipe();
    CHECK_THROWS_AS(given_descriptor(ends.read.get(), "--events"), Error);
    CHECK_THROWS_AS(given_descriptor(1023, "--events"), Error);
    OwnedFd given = given_descriptor(ends.write.release(), "--events");
    CHECK((::fcntl(given.get(), F_GETFD) & FD_CLOEXEC) != 0);
    Place{std::move(given)}.file.write("hello\n");
    std::array<char, 64> bytes{};
    CHECK(::read(ends.read.get(), bytes.data(), bytes.size()) == 6);
    CHECK(::read(ends.read.get(), bytes.data(), bytes.size()) == 0);  // nobody else has it
}

}  // namespace
}  // namespace vml
