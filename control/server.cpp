#include "control/server.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "control/peer.h"
#include "control/session.h"

namespace vml::control {

namespace {

using boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr int backlog = 16;
// Where the kernel has no descriptors left, accepting again at once would fail again at once.
constexpr std::chrono::seconds accept_pause{1};

Error cannot_listen(const Address& address, const std::string& why) {
    return Error{{"cannot make the control socket of " + address.name, why,
                  fmt::format("can {} hold a socket? is /proc there?", address.folder.path), ExitCode::host}};
}

void refuse_at_once(stream_protocol::socket& socket, const Fault& fault) {
    const std::string line = format_refusal(fault);
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(boost::asio::buffer(line), ignored);
}

}  // namespace

void Exchange::answer(const nlohmann::json& value) const {
    if (const auto session = session_.lock()) {
        session->send_answer(format_answer(value), {});
    }
}

void Exchange::answer(nlohmann::json value, std::string_view bytes) const {
    value["bytes"] = bytes.size();
    if (const auto session = session_.lock()) {
        session->send_answer(format_answer(value), bytes);
    }
}

void Exchange::refuse(const Fault& fault) const {
    if (const auto session = session_.lock()) {
        session->send_answer(format_refusal(fault), {});
    }
}

void Exchange::stream(const nlohmann::json& value, Stream handlers) const {
    if (const auto session = session_.lock()) {
        session->become_stream(format_answer(value), std::move(handlers));
    }
}

void Exchange::write(std::string_view bytes) const {
    if (const auto session = session_.lock()) {
        session->write(bytes);
    }
}

void Exchange::close(std::string_view last) const {
    if (const auto session = session_.lock()) {
        session->close_when_sent(last);
    }
}

Server::Server(boost::asio::io_context& io, const std::vector<Folder>& folders, const std::string& name,
               Handler handler, const Limits& limits)
    : claim_{folders, name}, handler_{std::move(handler)}, limits_{limits}, acceptor_{io}, pause_{io} {
    const stream_protocol::endpoint endpoint{claim_.path()};
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
        acceptor_.bind(endpoint, error);
    }
    if (!error) {
        acceptor_.listen(backlog, error);
    }
    if (error) {
        throw cannot_listen(claim_.address(), error.message());
    }
    acceptor_.non_blocking(true);
    accept();
}

Server::~Server() {
    for (const std::shared_ptr<Session>& session : sessions_) {
        session->abandon();
    }
}

void Server::accept() {
    acceptor_.async_accept([this](const error_code& error, stream_protocol::socket socket) {
        if (error == boost::asio::error::operation_aborted) {
            return;
        }
        if (!error) {
            accepted(std::move(socket));
            accept();
            return;
        }
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](const error_code& aborted) { aborted ? void() : accept(); });
    });
}

void Server::accepted(stream_protocol::socket socket) {
    if (!may_talk(socket)) {
        refuse_at_once(socket,
                       {"you may not command this VM", "it is another user's, or another container's",
                        "use the account that started it, or root, inside its container", ExitCode::host});
        return;
    }
    if (sessions_.size() >= limits_.clients) {
        refuse_at_once(socket, {"the VM's control socket is busy", "too many clients at once",
                                "end some of them: consoles above all", ExitCode::failed});
        return;
    }
    const auto place = sessions_.emplace(sessions_.end());
    *place = std::make_shared<Session>(std::move(socket), limits_, handler_,
                                       [this, place] { sessions_.erase(place); });
    (*place)->start();
}

bool Server::may_talk(stream_protocol::socket& socket) const {
    const auto peer = peer_of(socket.native_handle());
    return peer && may_command(*peer, address().folder.owner);
}

}  // namespace vml::control
