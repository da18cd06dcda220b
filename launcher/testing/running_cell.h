// One VM of a test while it runs: its vm-launch, and what that says. Makes system calls.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "launcher/cases/progress.h"
#include "launcher/cases/result.h"
#include "launcher/testing/alarm.h"
#include "launcher/testing/cell_process.h"
#include "launcher/testing/prepared_cell.h"

namespace vml {

// What comes through a pipe, as it comes. Bytes are read in the moment that they are taken: between two
// handlers none is on its way.
class PipeReader {
  public:
    using Take = std::function<void(std::string_view bytes)>;

    PipeReader(boost::asio::io_context& io, OwnedFd pipe, Take take);
    // All that is there already, up to what a pipe can hold; for the time after the writer's end, whoever
    // else may have the pipe.
    void drain();

  private:
    void read();
    // As read(2) gives it.
    ssize_t take_some();

    boost::asio::posix::stream_descriptor pipe_;
    Take take_;
    std::array<char, 16384> room_{};
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  // a handler may outlive it
};

// A file that gets no larger than 16 MiB; what does not go into it is left out.
class CappedFile {
  public:
    explicit CappedFile(const std::filesystem::path& path);
    CappedFile() = default;
    void write(std::string_view bytes);

  private:
    OwnedFd fd_;
    std::size_t size_ = 0;
};

class RunningCell {
  public:
    // Starts it. Throws Error.
    RunningCell(boost::asio::io_context& io, std::size_t index, const PreparedCell& prepared,
                const TestPlan& plan, pid_t group);

    [[nodiscard]] std::size_t index() const { return index_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] const cases::Load& load() const { return load_; }
    // For the table: its name, how long it runs, how far it is.
    [[nodiscard]] std::string line() const;

    void stop() const;  // SIGTERM
    void kill() const;  // SIGKILL
    // Once its process was reaped.
    [[nodiscard]] cases::Evidence evidence(int wait_status);

  private:
    void limit_to(const cases::TimeLimit& limit);

    std::size_t index_;
    std::string name_;
    cases::Load load_;
    std::filesystem::path report_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    cases::Progress progress_;
    CappedFile console_file_;
    CappedFile log_file_;
    pid_t pid_ = -1;
    Alarm alarm_;
    bool overdue_ = false;
    std::vector<std::unique_ptr<PipeReader>> pipes_;
};

}  // namespace vml
