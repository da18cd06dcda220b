#include "launcher/console/console_client.h"

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "launcher/console/console.h"
#include "launcher/console/output_queue.h"
#include "launcher/console/terminal.h"
#include "screen/guest_text.h"

namespace vml {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds answer_limit{5};

class ConsoleClient {
  public:
    ConsoleClient(control::Client client, bool keyboard, ConsoleBytes bytes, const std::string& first_bytes)
        : client_{std::move(client)},
          socket_{io_, asio::local::stream_protocol{}, ::fcntl(client_.fd(), F_DUPFD_CLOEXEC, 0)},
          screen_{io_, STDOUT_FILENO},
          shown_{screen::guest_text(output_kind(STDOUT_FILENO, keyboard, bytes))} {
        signals_.add(SIGHUP);
        signals_.async_wait([this](const error_code& error, int /*number*/) { error ? void() : io_.stop(); });
        if (keyboard) {
            raw_.emplace(STDIN_FILENO);
        }
        shown_->system_runs(true);  // nothing of ours has to be kept on this screen
        screen_.write(shown_->feed(first_bytes));
        screen_.on_drained([this] { read_guest(); });
        read_guest();
        if (keyboard) {
            keys_.assign(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
            read_keys();
        }
    }

    void run() {
        io_.run();
        screen_.write(shown_->restore());
        screen_.flush(OutputQueue::slow_reader_ms);
    }

  private:
    void read_guest() {
        if (screen_.congested()) {
            return;  // until it is drained
        }
        socket_.async_read_some(asio::buffer(from_guest_),
                                [this](const error_code& error, std::size_t count) {
                                    if (error) {
                                        io_.stop();
                                        return;
                                    }
                                    screen_.write(shown_->feed({from_guest_.data(), count}));
                                    read_guest();
                                });
    }

    // Only waited for: the terminal is shared with the user's shell, so it must not become non-blocking.
    void read_keys() {
        keys_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
            std::array<char, 1024> typed{};
            const ssize_t count = error ? 0 : ::read(STDIN_FILENO, typed.data(), typed.size());
            if (count <= 0) {
                io_.stop();
                return;
            }
            const Keys keys = split_keys({typed.data(), static_cast<std::size_t>(count)});
            error_code failed;
            asio::write(socket_, asio::buffer(keys.for_guest), failed);
            if (keys.detach || failed) {
                io_.stop();
            } else {
                read_keys();
            }
        });
    }

    asio::io_context io_;
    control::Client client_;
    asio::local::stream_protocol::socket socket_;
    asio::signal_set signals_{io_, SIGINT, SIGTERM};
    OutputQueue screen_;
    std::unique_ptr<screen::GuestText> shown_;
    asio::posix::stream_descriptor keys_{io_};
    std::optional<RawTerminal> raw_;
    std::array<char, 16384> from_guest_{};
};

}  // namespace

void attach_console(control::Client client, ConsoleBytes bytes, Log& log) {
    const bool terminal = is_our_terminal(STDIN_FILENO);
    const nlohmann::json answer = client.ask({"console", {{"keyboard", terminal}}}, answer_limit);
    const bool keyboard = terminal && answer.value("keyboard", false);
    log.info(keyboard   ? "attached to the console; Ctrl-] detaches"
             : terminal ? "somebody else writes on this console: you only watch; Ctrl-] detaches"
                        : "watching the console");
    const std::string first = client.take_received();
    ConsoleClient{std::move(client), terminal, bytes, first}.run();
    log.info("detached from the console");
}

}  // namespace vml
