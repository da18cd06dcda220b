// The user's terminal, the output queue and the console over real ptys, pipes and sockets.
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/console/console.h"
#include "launcher/console/output_queue.h"
#include "launcher/console/own_lines.h"
#include "launcher/console/terminal.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using test::Pipe;
using test::Words;

struct Pty {
    Pty() {
        int first = -1;
        int second = -1;
        if (::openpty(&first, &second, nullptr, nullptr, nullptr) != 0) {
            throw std::runtime_error{"no pty"};
        }
        ::fcntl(first, F_SETFD, FD_CLOEXEC);
        ::fcntl(second, F_SETFD, FD_CLOEXEC);
        user.reset(first);
        terminal.reset(second);
    }
    OwnedFd user;      // the master: what a user types and sees
    OwnedFd terminal;  // the slave: what a program has
};

termios mode_of(int fd) {
    termios mode{};
    REQUIRE(::tcgetattr(fd, &mode) == 0);
    return mode;
}

bool same_mode(const termios& left, const termios& right) {
    return left.c_iflag == right.c_iflag && left.c_oflag == right.c_oflag && left.c_cflag == right.c_cflag &&
           left.c_lflag == right.c_lflag &&
           std::equal(std::begin(left.c_cc), std::end(left.c_cc), right.c_cc);
}

bool is_raw(const termios& mode) {
    return (mode.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == 0 && (mode.c_iflag & (IXON | ICRNL)) == 0;
}

// Runs what is ready, and waits for something to become so until `done`.
bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + test::deadline;
    while (!done() && std::chrono::steady_clock::now() < end) {
        io.restart();
        io.run_one_until(end);
    }
    return done();
}

void run_ready(boost::asio::io_context& io) {
    io.restart();
    io.poll();
}

// -- RawTerminal

TEST_CASE("the terminal is raw as long as it is attached, but output begins at the left margin") {
    const Pty pty;
    const termios before = mode_of(pty.terminal.get());
    CHECK_FALSE(is_raw(before));
    {
        const RawTerminal raw{pty.terminal.get()};
        CHECK(is_raw(mode_of(pty.terminal.get())));
        CHECK((mode_of(pty.terminal.get()).c_oflag & OPOST) != 0);
    }
    CHECK(same_mode(mode_of(pty.terminal.get()), before));
}

TEST_CASE("an exception puts the terminal back") {
    const Pty pty;
    const termios before = mode_of(pty.terminal.get());
    try {
        const RawTerminal raw{pty.terminal.get()};
        throw std::runtime_error{"x"};
    } catch (const std::runtime_error&) {
        CHECK(same_mode(mode_of(pty.terminal.get()), before));
    }
}

TEST_CASE("a mode that was unusual before is kept") {
    const Pty pty;
    termios odd = mode_of(pty.terminal.get());
    odd.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    odd.c_cc[VINTR] = 7;
    REQUIRE(::tcsetattr(pty.terminal.get(), TCSANOW, &odd) == 0);
    const termios before = mode_of(pty.terminal.get());
    { const RawTerminal raw{pty.terminal.get()}; }
    CHECK(same_mode(mode_of(pty.terminal.get()), before));
}

TEST_CASE("what is no terminal cannot be made raw") {
    const Pipe pipe;
    CHECK_THROWS_AS(RawTerminal{pipe.reader.get()}, Error);
    CHECK_FALSE(is_our_terminal(pipe.reader.get()));
    CHECK_FALSE(is_our_terminal(-1));
}

TEST_CASE("a terminal of another session is not ours") {
    const Pty pty;
    CHECK_FALSE(is_our_terminal(pty.terminal.get()));
}

// -- keys

TEST_CASE("keys are cut at Ctrl-]") {
    const auto keys = [](std::string_view typed) {
        const Keys split = split_keys(typed);
        return std::pair{split.for_guest, split.detach};
    };
    using Pair = std::pair<std::string, bool>;
    CHECK(keys("") == Pair{"", false});
    CHECK(keys("ls\r") == Pair{"ls\r", false});
    CHECK(keys("\x03\x1c\x1a") == Pair{"\x03\x1c\x1a", false});
    CHECK(keys("\x1d") == Pair{"", true});
    CHECK(keys("a\x1d") == Pair{"a", true});
    CHECK(keys("a\x1d"
               "b") == Pair{"a", true});
    CHECK(keys(std::string_view{"a\0b", 3}) == Pair{std::string("a\0b", 3), false});
}

// -- OutputQueue

bool blocks(int fd) {
    return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

TEST_CASE("what a reader takes at once is written at once") {
    boost::asio::io_context io;
    Pipe pipe;
    OutputQueue queue{io, pipe.writer.get()};
    queue.write("one ");
    queue.write("");
    queue.write("two");
    std::array<char, 64> bytes{};
    CHECK(::read(pipe.reader.get(), bytes.data(), bytes.size()) == 7);
    CHECK(std::string(bytes.data()) == "one two");
    CHECK_FALSE(queue.congested());
}

TEST_CASE("a full pipe does not block, and is drained in order") {
    boost::asio::io_context io;
    Pipe pipe;
    OutputQueue queue{io, pipe.writer.get()};
    int drained = 0;
    queue.on_drained([&] { ++drained; });
    std::string expected;
    for (int i = 0; i < 100'000; ++i) {
        const std::string piece = std::to_string(i) + "\n";
        expected += piece;
        queue.write(piece);
    }
    CHECK(queue.congested());
    std::string got;
    std::array<char, 60'000> bytes{};
    REQUIRE(run_until(io, [&] {
        ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
        const ssize_t count = ::read(pipe.reader.get(), bytes.data(), bytes.size());
        got.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
        return got.size() >= expected.size();
    }));
    CHECK(got == expected);
    CHECK(drained == 1);
    CHECK_FALSE(queue.congested());
}

TEST_CASE("O_NONBLOCK does not reach those who share the pipe or the terminal") {
    boost::asio::io_context io;
    Pipe pipe;
    const Pty pty;
    OutputQueue to_pipe{io, pipe.writer.get()};
    OutputQueue to_terminal{io, pty.terminal.get()};
    to_pipe.write(std::string(200'000, 'x'));
    to_terminal.write("x");
    CHECK(blocks(pipe.writer.get()));
    CHECK(blocks(pty.terminal.get()));
}

TEST_CASE("a terminal whose user looks away does not block") {
    boost::asio::io_context io;
    const Pty pty;
    OutputQueue queue{io, pty.terminal.get()};
    queue.write(std::string(1'000'000, 'x'));
    CHECK(queue.congested());
}

TEST_CASE("when the reader has gone, what is written vanishes") {
    auto* before = std::signal(SIGPIPE, SIG_IGN);
    boost::asio::io_context io;
    Pipe pipe;
    OutputQueue queue{io, pipe.writer.get()};
    queue.write(std::string(1'000'000, 'x'));
    CHECK(queue.congested());
    bool drained = false;
    queue.on_drained([&] { drained = true; });
    pipe.reader.reset();
    CHECK(run_until(io, [&] { return drained; }));
    CHECK_FALSE(queue.congested());
    queue.write("more");
    CHECK_FALSE(queue.congested());
    std::signal(SIGPIPE, before);
}

TEST_CASE("a reader that was gone before, a closed descriptor and /dev/null take everything") {
    auto* before = std::signal(SIGPIPE, SIG_IGN);
    boost::asio::io_context io;
    Pipe pipe;
    pipe.reader.reset();
    OutputQueue gone{io, pipe.writer.get()};
    gone.write(std::string(1'000'000, 'x'));
    CHECK_FALSE(gone.congested());
    OutputQueue closed{io, 987};
    closed.write("x");
    CHECK_FALSE(closed.congested());
    const OwnedFd null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    OutputQueue nowhere{io, null.get()};
    nowhere.write(std::string(1'000'000, 'x'));
    CHECK_FALSE(nowhere.congested());
    std::signal(SIGPIPE, before);
}

TEST_CASE("a file is appended to where it stands") {
    boost::asio::io_context io;
    const test::Folder folder;
    const auto file = folder.write("log", "before\n");
    const OwnedFd fd{::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
    OutputQueue queue{io, fd.get()};
    queue.write("after\n");
    CHECK(test::text_in(file) == "before\nafter\n");
}

TEST_CASE("the last flush waits for a slow reader, but no longer than it may") {
    boost::asio::io_context io;
    Pipe pipe;
    OutputQueue queue{io, pipe.writer.get()};
    queue.write(std::string(300'000, 'x'));
    const auto begin = std::chrono::steady_clock::now();
    queue.flush(50);
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= std::chrono::milliseconds{50});
    CHECK(took < test::deadline);
    ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
    std::array<char, 100'000> bytes{};
    std::size_t got = 0;
    for (int i = 0; i < 1000 && got < 300'000; ++i) {
        const ssize_t count = ::read(pipe.reader.get(), bytes.data(), bytes.size());
        got += static_cast<std::size_t>(std::max<ssize_t>(0, count));
        queue.flush(1);
    }
    CHECK(got == 300'000);
}

// -- Console

struct ConsoleBench {
    explicit ConsoleBench(ConsoleMode mode, const screen::OutputKind& kind = {}) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        guest.reset(ends[0]);
        console.emplace(io, OwnedFd{ends[1]}, mode, queue, kind,
                        Console::Handlers{[this](const std::string& line) {
                                              lines.push_back(line);
                                              answer_line();
                                          },
                                          [this](const std::string& line) { partial = line; },
                                          [this] { ++shows; }, [this](bool on) { attached.push_back(on); },
                                          [this](std::string_view bytes) { taken += bytes.size(); }});
    }
    void say(std::string_view text) {
        const std::size_t expected = taken + text.size();
        REQUIRE(::write(guest.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        REQUIRE(run_until(io, [&] { return taken == expected; }));
    }
    void answer_line() {
        if (lines.size() < answered) {
            REQUIRE(::write(guest.get(), "more\n", 5) == 5);
        }
    }
    std::string shown() {
        ::fcntl(screen.reader.get(), F_SETFL, O_NONBLOCK);
        std::string text;
        std::array<char, 4096> bytes{};
        ssize_t count = 0;
        while ((count = ::read(screen.reader.get(), bytes.data(), bytes.size())) > 0) {
            text.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return text;
    }

    boost::asio::io_context io;
    Pipe screen;
    OutputQueue queue{io, screen.writer.get()};
    OwnedFd guest;
    Words lines;
    std::string partial;
    int shows = 0;
    std::vector<bool> attached;
    std::size_t taken = 0;     // bytes of the guest's
    std::size_t answered = 0;  // so many lines: by another one of the guest's
    std::optional<Console> console;
};

TEST_CASE("a console that is shown tells the lines, and a pipe gets their text") {
    ConsoleBench bench{ConsoleMode::shown};
    bench.say("\x1b[1mhello\x1b[0m\r\nwor");
    CHECK(bench.lines == Words{"hello"});
    CHECK(bench.partial == "wor");
    bench.say("ld\r\n");
    CHECK(bench.lines == Words{"hello", "world"});
    CHECK_FALSE(bench.console->mid_line());
    CHECK(bench.shows == 3);
    CHECK(bench.shown() == "hello\nworld\n");
}

TEST_CASE("a line that the guest has begun is held, and lines of ours go before it") {
    ConsoleBench bench{ConsoleMode::shown};
    bench.say("hello\r\nwor");
    CHECK_FALSE(bench.console->mid_line());
    CHECK(bench.console->before_own_lines().empty());
    CHECK(bench.shown() == "hello\n");
    bench.say("ld\r\n");
    CHECK(bench.shown() == "world\n");
}

TEST_CASE("a prompt is not held for ever, and lines of ours begin a line behind it") {
    ConsoleBench bench{ConsoleMode::shown};
    bench.say("login: ");
    REQUIRE(run_until(bench.io, [&] { return bench.console->mid_line(); }));
    CHECK(bench.shown() == "login: ");
    bench.say("ro");
    CHECK(bench.shown().empty());
    CHECK(bench.console->before_own_lines() == "ro\n");
    CHECK_FALSE(bench.console->mid_line());
    bench.say("ot\r\n");
    CHECK(bench.shown() == "ot\n");
}

TEST_CASE("what is held is shown at the end") {
    ConsoleBench bench{ConsoleMode::shown};
    bench.say("last wor");
    CHECK(bench.shown().empty());
    bench.console->release_terminal();
    CHECK(bench.shown() == "last wor\n");
}

TEST_CASE("nothing is held where every byte is wanted, and where somebody types") {
    for (const screen::OutputKind& kind :
         {screen::OutputKind{false, false, true}, screen::OutputKind{false, true}}) {
        ConsoleBench bench{ConsoleMode::shown, kind};
        bench.say("wor");
        CHECK(bench.shown() == "wor");
        CHECK(bench.console->mid_line());
    }
}

TEST_CASE("a pipe's reader gets whole lines, also where they come faster than it reads") {
    boost::asio::io_context io;
    Pipe pipe;
    ::fcntl(pipe.writer.get(), F_SETPIPE_SZ, 8192);
    OutputQueue queue{io, pipe.writer.get()};
    const std::string line = std::string(99, 'x') + "\n";
    for (int i = 0; i < 1000; ++i) {
        queue.write(line + line + line);
    }
    REQUIRE(queue.congested());
    std::array<char, 8192> bytes{};
    std::size_t seen = 0;
    while (seen < 300'000) {
        const ssize_t count = ::read(pipe.reader.get(), bytes.data(), bytes.size());
        REQUIRE(count > 0);
        CHECK(bytes.at(static_cast<std::size_t>(count) - 1) == '\n');
        seen += static_cast<std::size_t>(count);
        run_ready(io);
    }
    CHECK(seen == 300'000);
}

// -- OwnLines

TEST_CASE("own lines in a pipe of their own go between the guest's whole lines") {
    ConsoleBench bench{ConsoleMode::shown};
    Pipe own;
    OutputQueue err{bench.io, own.writer.get()};
    OwnLines lines{bench.io, bench.queue, err, Sharing::perhaps};
    lines.beside(&*bench.console);
    bench.say("hello\r\nwor");
    lines.print("ours\n");
    CHECK(bench.shown() == "hello\n");
    std::array<char, 64> bytes{};
    REQUIRE(::read(own.reader.get(), bytes.data(), bytes.size()) == 5);
    CHECK(std::string(bytes.data()) == "ours\n");
    bench.say("ld\r\n");
    CHECK(bench.shown() == "world\n");
}

TEST_CASE("the newline behind a prompt is read before own lines are in a pipe of their own") {
    ConsoleBench bench{ConsoleMode::shown};
    Pipe own;
    OutputQueue err{bench.io, own.writer.get()};
    OwnLines lines{bench.io, bench.queue, err, Sharing::perhaps, test::deadline};
    lines.beside(&*bench.console);
    bench.say("login: ");
    REQUIRE(run_until(bench.io, [&] { return bench.console->mid_line(); }));
    CHECK(bench.shown() == "login: ");
    const auto readable = [](int fd, int limit_ms) {
        pollfd ready{fd, POLLIN, 0};
        return ::poll(&ready, 1, limit_ms) == 1;
    };
    bool newline_came = false;
    std::string newline;
    bool ours_was_there = true;
    std::thread reader{[&] {
        newline_came = readable(bench.screen.reader.get(), -1);
        ours_was_there = readable(own.reader.get(), 0);
        newline = bench.shown();
    }};
    lines.print("ours\n");
    lines.show();
    reader.join();
    CHECK(newline_came);
    CHECK(newline == "\n");
    CHECK_FALSE(ours_was_there);
    CHECK(readable(own.reader.get(), 0));
}

TEST_CASE("a reader that has stopped holds nothing up for long") {
    ConsoleBench bench{ConsoleMode::shown};
    Pipe own;
    OutputQueue err{bench.io, own.writer.get()};
    OwnLines lines{bench.io, bench.queue, err, Sharing::perhaps};
    lines.beside(&*bench.console);
    bench.say("login: ");
    REQUIRE(run_until(bench.io, [&] { return bench.console->mid_line(); }));
    lines.print("ours\n");
    lines.show();
    std::array<char, 64> bytes{};
    CHECK(::read(own.reader.get(), bytes.data(), bytes.size()) == 5);
    CHECK(bench.shown() == "login: \n");
}

TEST_CASE("a silent console tells the lines and shows nothing") {
    ConsoleBench bench{ConsoleMode::silent};
    bench.say("hello\nwor");
    CHECK(bench.lines == Words{"hello"});
    CHECK_FALSE(bench.console->mid_line());
    CHECK(bench.shown().empty());
}

TEST_CASE("what QEMU wrote before it ended is still shown") {
    ConsoleBench bench{ConsoleMode::shown};
    REQUIRE(::write(bench.guest.get(), "last words\n", 11) == 11);
    bench.guest.reset();
    bench.console->drain({});
    CHECK(bench.lines == Words{"last words"});
    CHECK(bench.shown() == "last words\n");
}

TEST_CASE("a guest that writes on is drained of what it had written") {
    ConsoleBench bench{ConsoleMode::silent};
    bench.answered = 1000;
    REQUIRE(::write(bench.guest.get(), "last words\n", 11) == 11);
    bench.console->drain({});
    CHECK(bench.lines == Words{"last words"});
}

TEST_CASE("what a guest writes after its last words is left where the drain is to end") {
    ConsoleBench bench{ConsoleMode::silent};
    const std::string text = "last words\n\x1b[2JSeaBIOS (version 1)\n";
    REQUIRE(::write(bench.guest.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    bench.console->drain("SeaBIOS (version ");
    CHECK(bench.lines == Words{"last words"});
    REQUIRE(run_until(bench.io, [&] { return bench.taken == text.size(); }));
    CHECK(bench.lines == Words{"last words", "SeaBIOS (version 1)"});
}

TEST_CASE("a line that the guest had begun ends with a reset") {
    ConsoleBench bench{ConsoleMode::silent};
    bench.say("login: \x1b[");
    bench.console->system_runs(true);
    CHECK(bench.partial == "login: ");
    bench.console->system_runs(false);
    bench.say("1;2H\n");
    CHECK(bench.lines == Words{"1;2H"});
}

TEST_CASE("a reader that stops holds the guest back instead of filling memory, and nothing is lost") {
    ConsoleBench bench{ConsoleMode::shown};
    ::fcntl(bench.guest.get(), F_SETFL, O_NONBLOCK);
    const std::string line = std::string(999, 'x') + "\n";
    std::size_t said = 0;
    int refused_in_a_row = 0;
    while (refused_in_a_row < 3 && said < std::size_t{64} << 20) {
        const ssize_t count = ::write(bench.guest.get(), line.data(), line.size());
        if (count == static_cast<ssize_t>(line.size())) {
            said += line.size();
            refused_in_a_row = 0;
        } else {
            REQUIRE(count < 0);
            ++refused_in_a_row;
            run_ready(bench.io);
        }
    }
    CHECK(said < std::size_t{4} << 20);  // the socket's, the queue's and the pipe's buffers, and no more
    std::size_t seen = bench.shown().size();
    REQUIRE(run_until(bench.io, [&] {
        seen += bench.shown().size();
        return seen >= said;
    }));
    CHECK(seen == said);
    CHECK(bench.lines.size() == said / line.size());
}

// Standard input is the terminal's for a while.
class BorrowedInput {
  public:
    explicit BorrowedInput(int fd) : before_{::dup(STDIN_FILENO)} { ::dup2(fd, STDIN_FILENO); }
    ~BorrowedInput() {
        if (before_ >= 0) {
            ::dup2(before_, STDIN_FILENO);
            ::close(before_);
        }
    }
    BorrowedInput(const BorrowedInput&) = delete;
    BorrowedInput& operator=(const BorrowedInput&) = delete;

  private:
    int before_;
};

TEST_CASE("an attached console: keys to the guest, Ctrl-] detaches, Enter attaches again") {
    const Pty pty;
    const BorrowedInput input{pty.terminal.get()};
    const termios before = mode_of(pty.terminal.get());
    ConsoleBench bench{ConsoleMode::attached, {true, true}};
    CHECK(is_raw(mode_of(pty.terminal.get())));
    CHECK(blocks(STDIN_FILENO));
    const auto type = [&](std::string_view keys) {
        REQUIRE(::write(pty.user.get(), keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
    };
    std::string heard;
    ::fcntl(bench.guest.get(), F_SETFL, O_NONBLOCK);
    const auto hears = [&](const std::string& expected) {
        return run_until(bench.io, [&] {
            std::array<char, 64> bytes{};
            const ssize_t count = ::read(bench.guest.get(), bytes.data(), bytes.size());
            heard.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
            return heard == expected;
        });
    };
    type("ls\x03\r");
    CHECK(hears("ls\x03\r"));
    bench.say("\x1b[?25lshown ");
    type("x\x1d");
    CHECK(run_until(bench.io, [&] { return bench.attached == std::vector<bool>{false}; }));
    CHECK(hears("ls\x03\rx"));
    CHECK(same_mode(mode_of(pty.terminal.get()), before));
    bench.say("hidden ");
    type("\n");
    CHECK(run_until(bench.io, [&] { return bench.attached == std::vector<bool>{false, true}; }));
    CHECK(is_raw(mode_of(pty.terminal.get())));
    bench.say("shown again");
    CHECK(bench.shown() == "\x1b[?25lshown \x1b[?25h\nshown again");
    type("y");
    CHECK(hears("ls\x03\rxy"));
    bench.console->release_terminal();
    CHECK(same_mode(mode_of(pty.terminal.get()), before));
}

TEST_CASE("a console that goes puts the terminal back") {
    const Pty pty;
    const BorrowedInput input{pty.terminal.get()};
    const termios before = mode_of(pty.terminal.get());
    {
        const ConsoleBench bench{ConsoleMode::attached};
        CHECK(is_raw(mode_of(pty.terminal.get())));
    }
    CHECK(same_mode(mode_of(pty.terminal.get()), before));
}

}  // namespace
}  // namespace vml
