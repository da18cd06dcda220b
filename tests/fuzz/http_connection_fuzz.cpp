// A connection of a guest to the HTTP server, from the first byte to the end. The input's first byte sizes
// the pieces that the guest sends, the rest is what it sends; then it sends no more.
//
// Holds that the server says nothing but answers, each with as many bytes behind its head as it announces and
// all of them the file's, that there are no more answers than requests can be in so many bytes, and that the
// connection ends once the guest has ended it.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "netserve/http_connection.h"
#include "tests/fuzz/require.h"

namespace {

using namespace vml;
using namespace vml::serve;
using boost::asio::ip::tcp;

constexpr std::size_t file_size = 1000;
constexpr std::size_t shortest_request = sizeof("A / HTTP/1.0\r\n\r\n") - 1;
constexpr std::size_t longest_head = 1024;  // of an answer

char byte_at(std::size_t place) {
    return static_cast<char>('a' + place % 23);
}

OwnedFd made_file() {
    OwnedFd file{::memfd_create("file", MFD_CLOEXEC)};
    std::string content;
    while (content.size() < file_size) {
        content += byte_at(content.size());
    }
    require(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(file_size));
    return file;
}

// A folder with one file, one that may not be read, and one that says it is longer than it is.
FoundFile open_made(const std::string& name) {
    static const OwnedFd file = made_file();
    if (name == "file" || name == "cut") {
        return {OwnedFd{::dup(file.get())}, name == "file" ? file_size : file_size + 1, 0};
    }
    return {OwnedFd{}, 0, name == "secret" ? EACCES : ENOENT};
}

// What came from the server, taken apart.
class Answers {
  public:
    explicit Answers(std::string_view text) : text_{text} {}

    // Gives how many there were.
    std::size_t check() {
        std::size_t count = 0;
        for (; !text_.empty(); ++count) {
            one();
        }
        return count;
    }

  private:
    void one() {
        const std::size_t end = text_.find("\r\n\r\n");
        require(end < longest_head);
        const std::string_view head = text_.substr(0, end + 2);
        text_.remove_prefix(end + 4);
        const std::string_view code = head.substr(0, head.find('\r')).substr(sizeof("HTTP/1.1 ") - 1, 3);
        require(head.starts_with("HTTP/1.") && head.find('\n') < end);
        const auto status = whole_number<unsigned>(code);
        require(status && *status >= 200 && *status < 600);
        const auto length = whole_number<std::size_t>(value_of(head, "Content-Length"));
        require(length && *length <= file_size + 1 && (*status < 300 || *length == 0));
        body(*length, first_of(value_of(head, "Content-Range")));
    }

    // HEAD has none, and what was asked for by GET comes whole, unless the file ended, or the guest did.
    void body(std::size_t length, std::size_t first) {
        if (text_.starts_with("HTTP/1.")) {
            return;
        }
        const std::size_t there = std::min(length, text_.size());
        for (std::size_t place = 0; place < there; ++place) {
            require(text_[place] == byte_at(first + place));
        }
        text_.remove_prefix(there);
    }

    static std::string_view value_of(std::string_view head, std::string_view name) {
        const std::size_t at = head.find("\r\n" + std::string{name} + ": ");
        if (at == std::string_view::npos) {
            return {};
        }
        const std::string_view rest = head.substr(at + 2 + name.size() + 2);
        return rest.substr(0, rest.find('\r'));
    }

    // "bytes 10-19/1000"
    static std::size_t first_of(std::string_view range) {
        const std::size_t blank = range.find(' ');
        return blank == std::string_view::npos
                   ? 0
                   : leading_number<std::size_t>(range.substr(blank + 1)).value_or(0);
    }

    std::string_view text_;
};

class Guest {
  public:
    explicit Guest(int fd) : fd_{fd} {}

    void say(std::string_view bytes) const {
        static_cast<void>(::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    }
    void end() const { static_cast<void>(::shutdown(fd_.get(), SHUT_WR)); }
    void hear() {
        std::array<char, 4096> room{};
        ssize_t count = 0;
        while ((count = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT)) > 0) {
            heard_.append(room.data(), static_cast<std::size_t>(count));
        }
    }
    [[nodiscard]] const std::string& heard() const { return heard_; }

  private:
    OwnedFd fd_;
    std::string heard_;
};

void converse(std::string_view wire, std::size_t piece) {
    static boost::asio::io_context io;
    static const OpenFile open = open_made;
    std::vector<std::string> told;
    const HttpConnection::OnRequest on_request = [&](const std::string& line) { told.push_back(line); };
    bool ended = false;
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    Guest guest{ends[0]};
    std::make_shared<HttpConnection>(tcp::socket{io, tcp::v4(), ends[1]}, open, on_request,
                                     [&](const std::shared_ptr<HttpConnection>& /*self*/) { ended = true; })
        ->read();
    const std::size_t most = wire.size() / shortest_request;
    while (!wire.empty() && !ended) {
        guest.say(wire.substr(0, piece));
        wire.remove_prefix(std::min(piece, wire.size()));
        io.restart();
        io.poll();
        guest.hear();
    }
    guest.end();
    for (std::size_t turn = 0; !ended && turn <= 4 * most + 4; ++turn) {
        io.restart();
        io.poll();
        guest.hear();
    }
    require(ended && told.size() <= most);
    guest.hear();
    require(Answers{guest.heard()}.check() <= told.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    converse(input.substr(1), std::size_t{1} + data[0] * std::size_t{4});
    return 0;
}
