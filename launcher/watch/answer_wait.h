// A line of the log about a server that took a request and does not answer. The guest waits in silence then:
// nothing but the time shows it. Runs in the event loop.
#pragma once

#include <functional>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.h"
#include "bootwatch/fetches.h"

namespace vml {

class AnswerWait {
  public:
    struct Sources {
        std::function<double()> now;  // seconds since the guest began to run
        std::function<const std::vector<boot::Fetch>&()> fetches;
    };

    AnswerWait(boost::asio::io_context& io, Log& log, Sources sources);

    // After each packet: waits for the answer to a request that it may have been. Once for each.
    void look();

  private:
    void due();

    Log& log_;
    Sources sources_;
    boost::asio::steady_timer timer_;
    double asked_at_ = -1;  // the request that is waited for
};

}  // namespace vml
