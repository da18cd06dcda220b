#include "launcher/testing/test_loop.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <tuple>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/wait.h>

#include "base/text.h"
#include "launcher/cases/judge.h"
#include "launcher/cases/results.h"
#include "launcher/testing/alarm.h"
#include "launcher/testing/guard.h"
#include "launcher/testing/running_cell.h"

namespace vml {

namespace {

using cases::Outcome;
using cases::Result;

Result of_cell(const PreparedCell& prepared, Outcome outcome, std::string reason) {
    Result result;
    result.name = prepared.cell.name;
    result.vm = prepared.cell.vm;
    result.outcome = outcome;
    result.reasons.push_back(std::move(reason));
    return result;
}

std::size_t widest_name(const TestPlan& plan) {
    constexpr std::size_t most = 60;
    std::size_t width = 0;
    for (const PreparedCell& prepared : plan.cells) {
        width = std::max(width, prepared.cell.name.size());
    }
    return std::min(width, most);
}

class TestLoop {
  public:
    TestLoop(const TestPlan& plan, Display& display)
        : plan_{plan},
          display_{display},
          name_width_{widest_name(plan)},
          guard_{plan.keeps ? std::filesystem::path{} : plan.folder},
          signals_{io_, SIGINT, SIGTERM, SIGHUP},
          clock_{io_},
          force_{io_} {
        signals_.add(SIGQUIT);
        signals_.add(SIGCHLD);
    }

    TestEnd run() {
        end_.results.resize(plan_.cells.size());
        for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
            if (plan_.cells[i].early) {
                finish(i, *plan_.cells[i].early);
            } else {
                waiting_.push_back(i);
            }
        }
        wait_for_signal();
        start_some();
        redraw();
        if (display_.is_live()) {
            tick();
        }
        if (!running_.empty()) {
            io_.run();
        }
        guard_.dismiss();
        display_.show({});
        return std::move(end_);
    }

  private:
    void start_some() {
        while (end_.signal == 0) {
            if (running_.empty()) {
                free_memory_mib_ = plan_.free_memory_mib();
            }
            std::vector<cases::Load> waiting;
            for (const std::size_t index : waiting_) {
                waiting.push_back(plan_.cells[index].load);
            }
            std::vector<cases::Load> running;
            for (const auto& cell : running_) {
                running.push_back(cell->load());
            }
            const auto next =
                cases::next_to_start(waiting, running, {plan_.jobs, free_memory_mib_, plan_.cpus});
            if (!next) {
                break;
            }
            const std::size_t index = waiting_[*next];
            waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*next));
            start(index);
        }
    }

    void start(std::size_t index) {
        try {
            running_.push_back(
                std::make_unique<RunningCell>(io_, index, plan_.cells[index], plan_, guard_.group()));
        } catch (const Error& error) {
            finish(index, of_cell(plan_.cells[index], Outcome::failed,
                                  "cannot start: " + one_line(error.faults().front())));
        }
    }

    void finish(std::size_t index, Result result) {
        display_.say(cases::as_line(result, name_width_));
        end_.results[index] = std::move(result);
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) {
                return;
            }
            wait_for_signal();
            if (number == SIGCHLD) {
                reap();
            } else {
                stop(number);
            }
        });
    }

    void reap() {
        for (auto cell = running_.begin(); cell != running_.end();) {
            int status = 0;
            if (::waitpid((*cell)->pid(), &status, WNOHANG) != (*cell)->pid()) {
                ++cell;
                continue;
            }
            const std::size_t index = (*cell)->index();
            const cases::Evidence evidence = (*cell)->evidence(status);
            cell = running_.erase(cell);
            Result result = cases::result_of(plan_.cells[index].cell, evidence);
            if (!plan_.keeps) {
                result.stem.clear();
            }
            if (end_.signal != 0) {
                result.outcome = Outcome::not_run;
                result.reasons = {"the test was stopped while it ran"};
            }
            finish(index, std::move(result));
        }
        start_some();
        redraw();
        if (running_.empty()) {
            io_.stop();
        }
    }

    void stop(int number) {
        if (end_.signal != 0) {
            force();
        } else {
            end_.signal = number;
            for (const std::size_t index : std::exchange(waiting_, {})) {
                finish(index,
                       of_cell(plan_.cells[index], Outcome::not_run, "the test was stopped before its turn"));
            }
        }
        for (const auto& cell : running_) {
            cell->stop();
        }
        if (running_.empty()) {
            io_.stop();
        }
    }

    // The second signal gives them a while, the third none.
    void force() {
        constexpr std::chrono::seconds grace{5};
        const auto kill_all = [this] {
            for (const auto& cell : running_) {
                cell->kill();
            }
        };
        if (force_.is_set()) {
            kill_all();
        } else {
            force_.set(grace, kill_all);
        }
    }

    void tick() {
        constexpr std::chrono::seconds one{1};
        clock_.expires_after(one);
        clock_.async_wait([this](const boost::system::error_code& error) {
            if (!error) {
                redraw();
                tick();
            }
        });
    }

    void redraw() {
        std::vector<std::string> lines;
        for (const auto& cell : running_) {
            lines.push_back(cell->line());
        }
        if (!waiting_.empty()) {
            lines.push_back(fmt::format("waiting  {}", waiting_.size()));
        }
        display_.show(lines);
    }

    const TestPlan& plan_;
    Display& display_;
    std::size_t name_width_;
    TestGuard guard_;
    boost::asio::io_context io_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer clock_;
    Alarm force_;
    std::uint64_t free_memory_mib_ = 0;
    std::vector<std::size_t> waiting_;
    std::vector<std::unique_ptr<RunningCell>> running_;
    TestEnd end_;
};

}  // namespace

TestEnd run_cells(const TestPlan& plan, Display& display) {
    std::ignore = ::signal(SIGPIPE, SIG_IGN);
    return TestLoop{plan, display}.run();
}

}  // namespace vml
