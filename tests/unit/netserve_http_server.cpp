// The server over real sockets: what it answers, and what it refuses.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "netserve/http_server.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

namespace fs = std::filesystem;

constexpr Ip4 loopback{127, 0, 0, 1};

// A server in a thread of its own, over a folder with one small and one large file.
class Served {
  public:
    explicit Served(Stranger stranger = all_but_user(::geteuid()), const Ip4& address = loopback)
        : address_{address} {
        std::string name = (fs::temp_directory_path() / "vml-http-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
        folder_.reset(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        std::ofstream{path_ / "small"} << "0123456789";
        std::ofstream{path_ / "large"} << std::string(large, 'x') << "END";
        Listener listener = listen_on(address);
        port_ = listener.port;
        server_ = std::make_unique<HttpServer>(
            io_,
            HttpServer::Config{std::move(listener.socket),
                               [this](const std::string& file) { return open_beneath(folder_.get(), file); },
                               std::move(stranger)},
            [this](const std::string& line) {
                refused_ = refused_ || line == "http: Too many open files";
                const std::lock_guard lock{mutex_};
                lines_ += line + "\n";
            });
        thread_ = std::thread{[this] { io_.run(); }};
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;
    ~Served() {
        io_.stop();
        thread_.join();
        server_.reset();
        fs::remove_all(path_);
    }

    [[nodiscard]] OwnedFd connect() const {
        OwnedFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        connect(fd);
        return fd;
    }

    void connect(const OwnedFd& fd) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        std::memcpy(&address.sin_addr, address_.data(), address_.size());
        const timeval limit{30, 0};  // a test that waits in vain fails
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

    // What the server told.
    [[nodiscard]] std::string lines() const {
        const std::lock_guard lock{mutex_};
        return lines_;
    }

    // Waits until a connection could not be taken.
    [[nodiscard]] bool has_refused() const {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!refused_ && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return refused_;
    }

    // On the server's own thread, which does nothing else meanwhile; done when this returns.
    void on_its_thread(const std::function<void()>& what) {
        std::promise<void> done;
        boost::asio::post(io_, [&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }

    void begin_anew(const std::function<void()>& before = [] {}) {
        on_its_thread([&] {
            before();
            server_->client_began_anew();
        });
    }

    // Everything that comes until the server closes.
    [[nodiscard]] std::string ask(const std::string& request) const {
        const OwnedFd fd = connect();
        REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()));
        return everything(fd.get());
    }

    static std::string everything(int fd) {
        std::string text;
        std::string piece(65536, '\0');
        ssize_t count = 0;
        while ((count = ::recv(fd, piece.data(), piece.size(), 0)) > 0) {
            text.append(piece, 0, static_cast<std::size_t>(count));
        }
        return text;
    }

    static constexpr std::size_t large = 3'000'000;

  private:
    Ip4 address_;
    fs::path path_;
    OwnedFd folder_;
    std::uint16_t port_ = 0;
    boost::asio::io_context io_;
    std::atomic<bool> refused_{false};
    mutable std::mutex mutex_;
    std::string lines_;
    std::unique_ptr<HttpServer> server_;
    std::thread thread_;
};

std::string get(const std::string& target, const std::string& more = {}) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", target, more);
}

std::string status_of(const std::string& answer) {
    return answer.substr(0, answer.find('\r'));
}

std::string body_of(const std::string& answer) {
    const std::size_t head = answer.find("\r\n\r\n");
    return head == std::string::npos ? "" : answer.substr(head + 4);
}

bool has(const std::string& answer, const std::string& header) {
    return answer.find("\r\n" + header + "\r\n") != std::string::npos;
}

TEST_CASE("the connections of a client that began anew are reset, and it is served again") {
    Served served;
    const OwnedFd fd = served.connect();
    const std::string request = "GET /small HTTP/1.1\r\nHost: x\r\n\r\n";  // which keeps the connection
    REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    std::string answer(4096, '\0');
    REQUIRE(::recv(fd.get(), answer.data(), answer.size(), 0) > 0);
    served.begin_anew();
    ssize_t count = 1;
    while (count > 0) {
        count = ::recv(fd.get(), answer.data(), answer.size(), 0);  // what is left of the answer
    }
    CHECK(count == -1);
    CHECK(errno == ECONNRESET);
    CHECK(body_of(served.ask(get("/small"))) == "0123456789");
}

TEST_CASE("a client that began anew is not answered on connections that nobody has taken yet") {
    Served served;
    std::vector<OwnedFd> waiting;
    const std::string request = get("/small");
    served.begin_anew([&] {
        for (int i = 0; i < 3; ++i) {
            waiting.push_back(served.connect());
            ::send(waiting.back().get(), request.data(), request.size(), MSG_NOSIGNAL);
        }
    });
    for (const OwnedFd& fd : waiting) {
        CHECK(Served::everything(fd.get()).empty());
        char byte = 0;
        CHECK(::send(fd.get(), &byte, 1, MSG_NOSIGNAL) == -1);  // reset, and not closed in order
    }
    CHECK(body_of(served.ask(request)) == "0123456789");
}

TEST_CASE("a file, whole and in part") {
    const Served served;
    const std::string whole = served.ask(get("/small"));
    CHECK(status_of(whole) == "HTTP/1.1 200 OK");
    CHECK(has(whole, "Content-Length: 10"));
    CHECK(has(whole, "Accept-Ranges: bytes"));
    CHECK(body_of(whole) == "0123456789");
    const std::string part = served.ask(get("/small", "Range: bytes=2-4\r\n"));
    CHECK(status_of(part) == "HTTP/1.1 206 Partial Content");
    CHECK(has(part, "Content-Range: bytes 2-4/10"));
    CHECK(body_of(part) == "234");
    const std::string beyond = served.ask(get("/small", "Range: bytes=10-\r\n"));
    CHECK(status_of(beyond) == "HTTP/1.1 416 Range Not Satisfiable");
    CHECK(has(beyond, "Content-Range: bytes */10"));
}

TEST_CASE("a large file comes whole") {
    const Served served;
    const std::string body = body_of(served.ask(get("/large")));
    CHECK(body.size() == Served::large + 3);
    CHECK(body.substr(Served::large) == "END");
}

TEST_CASE("a connection is kept, for HEAD too") {
    const Served served;
    const std::string head = "HEAD /small HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string answers = served.ask(head + get("/small"));
    CHECK(answers.find("HTTP/1.1 200 OK", 1) != std::string::npos);
    CHECK(body_of(body_of(answers)) == "0123456789");
    CHECK(served.ask("GET /small HTTP/1.0\r\n\r\n").ends_with("0123456789"));  // closes by itself
}

TEST_CASE("what is not there, not allowed or no request") {
    const Served served;
    CHECK(status_of(served.ask(get("/none"))) == "HTTP/1.1 404 Not Found");
    CHECK(status_of(served.ask(get("/"))) == "HTTP/1.1 404 Not Found");
    CHECK(status_of(served.ask(get("/../../etc/passwd"))) == "HTTP/1.1 403 Forbidden");
    CHECK(status_of(served.ask(get("/%2e%2e/etc/passwd"))) == "HTTP/1.1 403 Forbidden");
    CHECK(status_of(served.ask(get("/%zz"))) == "HTTP/1.1 400 Bad Request");
    const std::string post =
        served.ask("POST /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    CHECK(status_of(post) == "HTTP/1.1 405 Method Not Allowed");
    CHECK(has(post, "Allow: GET, HEAD"));
    CHECK(served.ask("\x16\x03\x01 no HTTP at all\r\n\r\n").empty());
    CHECK(served.ask(get("/" + std::string(20'000, 'a'))).empty());
    CHECK(status_of(served.ask(get("/small"))) == "HTTP/1.1 200 OK");  // and it still serves
}

TEST_CASE("a client that sends what nobody wants gets its answer all the same") {
    const Served served;
    for (const std::size_t size : {1UL, Served::large}) {
        const std::string body = fmt::format("Content-Length: {}\r\n\r\n", size) + std::string(size, 'x');
        const std::string head = "Host: x\r\n" + body;
        CHECK(status_of(served.ask("POST /small HTTP/1.1\r\n" + head)) == "HTTP/1.1 405 Method Not Allowed");
        CHECK(status_of(served.ask("PUT /new HTTP/1.1\r\n" + head)) == "HTTP/1.1 405 Method Not Allowed");
        for (const std::string file : {"small", "large"}) {
            const std::string answer = served.ask("GET /" + file + " HTTP/1.1\r\n" + head);
            CHECK(status_of(answer) == "HTTP/1.1 400 Bad Request");
        }
    }
}

TEST_CASE("connections of another user are closed") {
    const Served served{all_but_user(::geteuid() + 1)};
    CHECK(served.ask(get("/small")).empty());
    CHECK(served.lines().find(fmt::format("it is another user's ({})", ::geteuid())) != std::string::npos);
}

// Every address of 127.0.0.0/8 is this host's.
TEST_CASE("another address of this host, and a client told by where it connects from") {
    const Ip4 address{127, 77, 0, 3};
    std::atomic<bool> open{true};
    std::atomic<std::uint16_t> to{0};
    const Served served{[&](const Connection& connection) -> std::optional<std::string> {
                            to = connection.port;
                            if (open && connection.peer == loopback && connection.peer_port != 0) {
                                return std::nullopt;
                            }
                            return "the guest did not open it";
                        },
                        address};
    CHECK(body_of(served.ask(get("/small"))) == "0123456789");
    CHECK(to == served.port());
    open = false;
    CHECK(served.ask(get("/small")).empty());
    CHECK(served.lines().find("the connection from 127.0.0.1:") != std::string::npos);
    CHECK(served.lines().find("was closed: the guest did not open it") != std::string::npos);
}

TEST_CASE("an address that is not this host's") {
    try {
        const Listener listener = listen_on({192, 0, 2, 1});  // RFC 5737: nobody's
        FAIL("it listens");
    } catch (const Error& error) {
        CHECK(error.faults().front().what == "cannot serve by HTTP");
    }
}

TEST_CASE("a client that sends nothing and many at once hold nobody up") {
    const Served served;
    std::vector<OwnedFd> idle;
    for (std::size_t i = 0; i + 1 < HttpServer::most_connections; ++i) {
        idle.push_back(served.connect());
    }
    CHECK(body_of(served.ask(get("/small"))) == "0123456789");
}

TEST_CASE("more than are served at once wait for their turn") {
    const Served served;
    std::vector<OwnedFd> all;
    const std::string request = get("/small");
    for (std::size_t i = 0; i < HttpServer::most_connections + 8; ++i) {
        all.push_back(served.connect());
    }
    for (const OwnedFd& fd : all) {
        REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()));
    }
    for (const OwnedFd& fd : all) {
        CHECK(body_of(Served::everything(fd.get())) == "0123456789");
    }
}

TEST_CASE("connections that are kept and unused make room") {
    const Served served;
    std::vector<OwnedFd> kept;
    const std::string request = "HEAD /small HTTP/1.1\r\nHost: x\r\n\r\n";
    for (std::size_t i = 0; i < HttpServer::most_connections; ++i) {
        kept.push_back(served.connect());
        REQUIRE(::send(kept.back().get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    }
    CHECK(body_of(served.ask(get("/small"))) == "0123456789");
}

// As many as are served at once, each of which has been answered once.
std::vector<OwnedFd> kept_connections(const Served& served) {
    std::vector<OwnedFd> kept;
    const std::string request = "HEAD /small HTTP/1.1\r\nHost: x\r\n\r\n";
    for (std::size_t i = 0; i < HttpServer::most_connections; ++i) {
        kept.push_back(served.connect());
        REQUIRE(::send(kept.back().get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
        std::string head;
        for (char byte = 0; !head.ends_with("\r\n\r\n"); head += byte) {
            REQUIRE(::recv(kept.back().get(), &byte, 1, 0) == 1);
        }
    }
    return kept;
}

TEST_CASE("a connection whose request has not been read yet is not unused") {
    Served served;
    std::vector<OwnedFd> all = kept_connections(served);
    const std::string request = get("/small");
    const auto send_to = [&](const OwnedFd& fd) {
        ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    };
    // It sees first who waits, when the others are old enough to be closed.
    served.on_its_thread([&] {
        all.push_back(served.connect());
        std::for_each(all.begin(), all.end(), send_to);
        std::this_thread::sleep_for(std::chrono::milliseconds{1200});
    });
    for (const OwnedFd& fd : all) {
        CHECK(body_of(Served::everything(fd.get())) == "0123456789");
    }
}

TEST_CASE("no connection is closed for nobody") {
    const Served served;
    const std::vector<OwnedFd> kept = kept_connections(served);
    char byte = 0;
    const timeval longer_than_any_is_kept_for_others{2, 0};
    ::setsockopt(kept.front().get(), SOL_SOCKET, SO_RCVTIMEO, &longer_than_any_is_kept_for_others,
                 sizeof longer_than_any_is_kept_for_others);
    CHECK(::recv(kept.front().get(), &byte, 1, 0) == -1);
    for (const OwnedFd& fd : kept) {
        CHECK(::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == -1);
    }
}

TEST_CASE("a client that gave up before its turn is no other user's") {
    Served served{all_but_user(::geteuid() + 1)};
    served.on_its_thread([&] { const OwnedFd gone = served.connect(); });
    CHECK(served.ask(get("/small")).empty());
    const std::string lines = served.lines();  // of the second one alone
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
}

TEST_CASE("the kernel's table of connections") {
    const std::string table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 "
        "100 0 0 10 0\n"
        "   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 20 "
        "4 30 10 -1\n"
        "   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 "
        "4 30 10 -1\n"
        "   3: 0100007F:9C42 0100007F:1F90 05 00000000:00000000 03:00000DF8 00000000     0        0 0 1 0\n";
    CHECK(owner_of_connection(table, 40000, 8080) == 65534);
    CHECK(owner_of_connection(table, 40002, 8080) == -1);  // closed, and nobody's
    CHECK(owner_of_connection(table, 8080, 40000) == 0);
    CHECK(owner_of_connection(table, 40001, 8080) == -1);
    CHECK(owner_of_connection("", 1, 2) == -1);
    CHECK(owner_of_connection("a b\n\n0: x", 1, 2) == -1);
    for (const char* no_user : {"-2", "4294967296", "x", "7x"}) {
        CHECK(owner_of_connection(std::string{"0: 0100007F:0001 0100007F:0002 01 a b c "} + no_user, 1, 2) ==
              -1);
    }
}

TEST_CASE("a moment without descriptors does not make the server deaf") {
    Served served;
    const OwnedFd late{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 3;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    served.connect(late);
    const bool refused = served.has_refused();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(refused);
    const std::string request = get("/small");
    REQUIRE(::send(late.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    CHECK(body_of(Served::everything(late.get())) == "0123456789");
}

}  // namespace
}  // namespace vml::serve
