#include "launcher/watch/answer_wait.h"

#include <chrono>
#include <utility>

#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include "bootwatch/progress.h"

namespace vml {

AnswerWait::AnswerWait(boost::asio::io_context& io, Log& log, Sources sources)
    : log_{log}, sources_{std::move(sources)}, timer_{io} {}

void AnswerWait::look() {
    const std::vector<boot::Fetch>& fetches = sources_.fetches();
    if (fetches.empty() || !boot::awaits_answer(fetches.back()) || fetches.back().latest == asked_at_) {
        return;
    }
    asked_at_ = fetches.back().latest;
    timer_.expires_after(std::chrono::ceil<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>{boot::answer_due_s}));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            due();
        }
    });
}

void AnswerWait::due() {
    const double now = sources_.now();
    if (const auto line = boot::overdue_answer(now, sources_.fetches())) {
        log_.info(fmt::format("[{:6.2f} s] {}", now, *line));
    }
}

}  // namespace vml
