#include "launcher/testing/running_cell.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "launcher/cases/results.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_log = std::size_t{16} << 20;
constexpr std::size_t largest_pipe = std::size_t{1} << 20;         // /proc/sys/fs/pipe-max-size
constexpr std::size_t largest_report_file = std::size_t{8} << 20;  // a report has 4 MiB at most

std::vector<std::string> arguments_with_files(const PreparedCell& prepared, const TestPlan& plan) {
    const fs::path stem = plan.folder / prepared.cell.stem;
    std::string reports = stem.string() + ".json";
    if (plan.keeps) {
        reports += "," + stem.string() + ".html";
    }
    std::vector<std::string> arguments = prepared.cell.arguments;
    const std::vector<std::string> more{fmt::format("--events=fd:{}", events_descriptor),
                                        "--report=" + reports};
    arguments.insert(arguments.begin() + 1, more.begin(), more.end());
    return arguments;
}

Environment with_secrets(const PreparedCell& prepared, const TestPlan& plan) {
    Environment environment = plan.environment;
    for (const auto& [name, value] : prepared.cell.secrets) {
        environment.insert_or_assign(name, value);
    }
    return environment;
}

// What an earlier run left there is no evidence of this one. Throws Error.
void forget(const fs::path& file) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
        throw Error{{fmt::format("cannot take away {}, which an earlier run left", file.string()),
                     errno_text(errno), "name another folder by --report", ExitCode::report}};
    }
}

nlohmann::json report_in(const fs::path& file) {
    const auto text = read_file(file, largest_report_file);
    nlohmann::json report = text ? parse_json(*text) : nlohmann::json(nullptr);
    return report.is_object() ? report : nlohmann::json(nullptr);
}

}  // namespace

PipeReader::PipeReader(boost::asio::io_context& io, OwnedFd pipe, Take take)
    : pipe_{io, pipe.release()}, take_{std::move(take)} {
    read();
}

void PipeReader::read() {
    pipe_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this, alive = std::weak_ptr{alive_}](const boost::system::error_code& error) {
                         if (error || alive.expired()) {
                             return;
                         }
                         const ssize_t size = take_some();
                         if (size > 0 || (size < 0 && errno == EAGAIN)) {
                             read();
                         }
                     });
}

ssize_t PipeReader::take_some() {
    const ssize_t size = ::read(pipe_.native_handle(), room_.data(), room_.size());
    if (size > 0) {
        take_({room_.data(), static_cast<std::size_t>(size)});
    }
    return size;
}

void PipeReader::drain() {
    std::size_t reads = largest_pipe / room_.size();
    while (reads > 0 && take_some() > 0) {
        --reads;
    }
}

CappedFile::CappedFile(const fs::path& path)
    : fd_{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)} {}

void CappedFile::write(std::string_view bytes) {
    if (!fd_ || size_ + bytes.size() > largest_log) {
        return;
    }
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    size_ += written > 0 ? static_cast<std::size_t>(written) : largest_log;
}

RunningCell::RunningCell(boost::asio::io_context& io, std::size_t index, const PreparedCell& prepared,
                         const TestPlan& plan, pid_t group)
    : index_{index},
      name_{cases::plain(prepared.cell.name)},
      load_{prepared.load},
      report_{plan.folder / (prepared.cell.stem + ".json")},
      progress_{prepared.cell.expect.console},
      alarm_{io} {
    for (const char* end : {".json", ".html", ".console.log", ".log"}) {
        forget(plan.folder / (prepared.cell.stem + end));
    }
    if (plan.keeps) {
        console_file_ = CappedFile{plan.folder / (prepared.cell.stem + ".console.log")};
        log_file_ = CappedFile{plan.folder / (prepared.cell.stem + ".log")};
    }
    CellProcess process =
        start_cell(arguments_with_files(prepared, plan), with_secrets(prepared, plan), group);
    pid_ = process.pid;
    if (prepared.limit) {
        limit_to(*prepared.limit);
    }
    pipes_.push_back(std::make_unique<PipeReader>(io, std::move(process.events),
                                                  [this](auto bytes) { progress_.events(bytes); }));
    pipes_.push_back(std::make_unique<PipeReader>(io, std::move(process.console), [this](auto bytes) {
        progress_.console(bytes);
        console_file_.write(bytes);
    }));
    pipes_.push_back(std::make_unique<PipeReader>(io, std::move(process.log), [this](auto bytes) {
        progress_.log(bytes);
        log_file_.write(bytes);
    }));
}

std::string RunningCell::line() const {
    const auto runs = std::chrono::steady_clock::now() - began_;
    return fmt::format("running  {}  {} s  {}", name_,
                       std::chrono::duration_cast<std::chrono::seconds>(runs).count(), progress_.stage());
}

void RunningCell::stop() const {
    ::kill(pid_, SIGTERM);
}

void RunningCell::kill() const {
    ::kill(pid_, SIGKILL);
}

void RunningCell::limit_to(const cases::TimeLimit& limit) {
    alarm_.set(limit.run, [this, limit] {
        overdue_ = true;
        stop();
        alarm_.set(limit.stop, [this] { kill(); });
    });
}

cases::Evidence RunningCell::evidence(int wait_status) {
    constexpr int of_signals = 128;  // as a shell has it
    for (const auto& pipe : pipes_) {
        pipe->drain();
    }
    pipes_.clear();
    progress_.finish();
    cases::Evidence evidence;
    evidence.exit_code =
        WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : of_signals + WTERMSIG(wait_status);
    evidence.overdue = overdue_;
    evidence.report = report_in(report_);
    evidence.console_seen = progress_.console_seen();
    evidence.console_matched = progress_.console_matched();
    evidence.console = progress_.console_tail();
    evidence.log = progress_.log_tail();
    evidence.took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    return evidence;
}

}  // namespace vml
