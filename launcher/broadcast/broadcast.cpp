#include "launcher/broadcast/broadcast.h"

#include <string_view>
#include <utility>

namespace vml {

Broadcast::Broadcast(boost::asio::io_context& io, OwnedFd file, Clock::time_point began,
                     std::function<void(int error)> gone)
    : io_{io}, began_{began} {
    if (file) {
        file_.emplace(
            io, std::move(file),
            [this](std::size_t /*bytes*/, std::size_t count) { return lost_line(count); }, std::move(gone));
    }
}

events::Stamp Broadcast::stamp() const {
    return {std::chrono::duration<double>(Clock::now() - began_).count(), std::chrono::system_clock::now()};
}

std::string Broadcast::lost_line(std::size_t count) const {
    return events::line_of(events::lost(count), stamp(), std::nullopt);
}

void Broadcast::tell(events::Event event) {
    const auto told = record_.take(std::move(event), stamp());
    if (!told || (!file_ && followers_.empty())) {
        return;
    }
    const std::string line = events::line_of(*told);
    if (file_) {
        file_->write(line);
    }
    for (const control::Exchange& follower : followers_) {
        follower.write(line);
    }
}

void Broadcast::add(const control::Exchange& exchange, const std::string& phase) {
    if (drained_by_) {
        exchange.refuse({"the VM has ended", "", "", ExitCode::failed});
        return;
    }
    const auto place = followers_.insert(followers_.end(), exchange);
    exchange.stream({{"stream", true}, {"v", events::version}},
                    {[](std::string_view /*bytes*/) {}, [this, place] { followers_.erase(place); },
                     [this](std::size_t /*bytes*/, std::size_t count) { return lost_line(count); }});
    const std::string present = record_.present();
    for (std::size_t begin = 0, end = 0; begin < present.size(); begin = end) {
        end = present.find('\n', begin) + 1;
        exchange.write(std::string_view{present}.substr(begin, end - begin));  // what is lost is whole lines
    }
    exchange.write(events::line_of(events::following(phase), stamp(), std::nullopt));
}

void Broadcast::end(events::Event last) {
    drained_by_ = Clock::now() + EventFile::slow_reader;
    const auto told = record_.take(std::move(last), stamp());
    const std::string line = told ? events::line_of(*told) : "";
    for (const control::Exchange& follower : followers_) {
        follower.close(line);
    }
    if (file_) {
        file_->write_last(line);
    }
}

void Broadcast::drain() {
    io_.restart();
    while (drained_by_ && !followers_.empty() && io_.run_one_until(*drained_by_) > 0) {
    }
    if (file_ && drained_by_) {
        file_->flush(std::chrono::duration_cast<std::chrono::milliseconds>(*drained_by_ - Clock::now()));
    }
}

}  // namespace vml
