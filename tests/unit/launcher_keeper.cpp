// The process that keeps a VM's files for a vm-launch that is not root: what it does, what it refuses, and
// what it takes away at the end, whatever ends the other one.
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/claim.h"
#include "launcher/keeper/file_keeper.h"
#include "launcher/keeper/keep.h"
#include "launcher/keeper/messages.h"
#include "launcher/start/report_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/control_support.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

namespace fs = std::filesystem;
using control::test::PrivateFolder;
using test::Folder;

OwnedFd folder_at(const fs::path& path) {
    return OwnedFd{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

std::string text_of(const OwnedFd& fd) {
    std::string text(64, '\0');
    const ssize_t count = ::pread(fd.get(), text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

std::string text_at(const fs::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// What a VM has open: a report, a folder to boot from, a data folder.
struct Place {
    Place() {
        folder.write("served/boot.ipxe", "#!ipxe");
        folder.write("secret", "nobody's");
        fs::create_directory(folder.path() / "reports");
        fs::create_directory(folder.path() / "state");
        fs::create_symlink(folder.path() / "secret", folder.path() / "served/link");
    }
    // A folder, a file by its name in another one, and a text.
    [[nodiscard]] serve::Content content() const {
        serve::Content served;
        served.folder = folder_at(folder.path() / "served");
        served.files.push_back({"sub/beside", folder_at(folder.path()), "secret"});
        OwnedFd memory{::memfd_create("text", MFD_CLOEXEC)};
        REQUIRE(::pwrite(memory.get(), "#!ipxe\n", 7, 0) == 7);
        served.files.push_back({"kernel.ipxe", std::move(memory), ""});
        return served;
    }
    [[nodiscard]] OpenFiles files() const {
        return {open_reports({folder.path() / "reports/boot.json", folder.path() / "reports/boot.pcapng"},
                             "--report"),
                content(), folder_at(folder.path() / "state")};
    }
    Folder folder;
};

TEST_CASE("the keeper does what is asked of it, in its folders alone") {
    const Place place;
    FileKeeper keeper{place.files(), {}};
    const serve::FoundFile script = keeper.open_served("boot.ipxe");
    REQUIRE(script.fd);
    CHECK(text_of(script.fd) == "#!ipxe");
    CHECK(script.size == 6);
    CHECK((::fcntl(script.fd.get(), F_GETFL) & O_ACCMODE) == O_RDONLY);
    CHECK(keeper.open_served("no-such-file").error == ENOENT);
    CHECK(keeper.open_served("../secret").error == EXDEV);
    CHECK(keeper.open_served("link").error == EXDEV);
    CHECK(keeper.open_served((place.folder.path() / "secret").string()).error == EXDEV);
    CHECK(text_of(keeper.open_served("kernel.ipxe").fd) == "#!ipxe\n");
    CHECK(text_of(keeper.open_served("./sub//beside").fd) == "nobody's");
    CHECK(keeper.open_served("beside").error == ENOENT);
    place.folder.write("secret.new", "anew");
    fs::rename(place.folder.path() / "secret.new", place.folder.path() / "secret");  // as editors do
    CHECK(text_of(keeper.open_served("sub/beside").fd) == "anew");
    CHECK(keeper.write_report(0, "{}") == 0);
    CHECK(text_at(place.folder.path() / "reports/boot.json") == "{}");
    CHECK(keeper.write_report(2, "{}") == EINVAL);
    CHECK(keeper.mark_first_boot() == 0);
    CHECK_FALSE(fs::is_empty(place.folder.path() / "state"));
}

// By whom a report is written as the VM runs: by this process itself, or with a keeper.
template <typename Files>
void check_growing(const Place& place, Files& files) {
    const fs::path path = place.folder.path() / "reports/boot.pcapng";
    const BegunReport begun = files.begin_report(1);
    REQUIRE(begun.error == 0);
    CHECK(files.begin_report(1).error == EINVAL);  // once
    CHECK(files.begin_report(2).error == EINVAL);
    REQUIRE(::pwrite(begun.fd.get(), "its begin", 9, 0) == 9);
    CHECK_FALSE(fs::exists(path));
    CHECK(files.write_report(1, ", its end") == 0);
    CHECK(text_at(path) == "its begin, its end");
    CHECK_FALSE(fs::exists(path.string() + ".new"));
}

TEST_CASE("a report that is written as the VM runs appears whole at the end") {
    const Place place;
    SECTION("in this process") {
        OwnVmFiles files{place.files(), {}};
        check_growing(place, files);
    }
    SECTION("with a keeper") {
        FileKeeper keeper{place.files(), {}};
        check_growing(place, keeper);
    }
}

TEST_CASE("of a report that was begun and is never finished nothing is left") {
    const Place place;
    const fs::path growing = place.folder.path() / "reports/boot.pcapng.new";
    SECTION("by a run that ends early") {
        OwnVmFiles files{place.files(), {}};
        REQUIRE(files.begin_report(1).fd);
        CHECK(fs::exists(growing));
    }
    SECTION("by one with a keeper") {
        FileKeeper keeper{place.files(), {}};
        REQUIRE(keeper.begin_report(1).fd);
        CHECK(fs::exists(growing));
    }
    CHECK(fs::is_empty(place.folder.path() / "reports"));
}

TEST_CASE("a report for a pipe is written into it at the end") {
    const Place place;
    const fs::path pipe = place.folder.path() / "reports/pipe.pcapng";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const OwnedFd reader{::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    OwnVmFiles files{{open_reports({pipe}, "--report"), {}, {}}, {}};
    const BegunReport begun = files.begin_report(0);
    REQUIRE(begun.fd);
    REQUIRE(::pwrite(begun.fd.get(), "its begin", 9, 0) == 9);
    std::string got(64, '\0');
    CHECK(::read(reader.get(), got.data(), got.size()) == -1);  // nothing yet
    CHECK(files.write_report(0, ", its end") == 0);
    got.resize(static_cast<std::size_t>(::read(reader.get(), got.data(), got.size())));
    CHECK(got == "its begin, its end");
}

TEST_CASE("of a VM without these files the keeper has none") {
    FileKeeper keeper{{}, {}};
    CHECK(keeper.open_served("boot.ipxe").error == ENOENT);
    CHECK(keeper.mark_first_boot() == EBADF);
}

TEST_CASE("whose keeper is gone is told so, and does not wait") {
    const Place place;
    FileKeeper keeper{place.files(), {}};
    REQUIRE(keeper.open_served("boot.ipxe").fd);
    const pid_t parent = ::getpid();
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        std::ifstream stat{entry.path() / "stat"};
        int pid = 0;
        std::string name;
        char state = 0;
        int of = 0;
        if (stat >> pid >> name >> state >> of && of == parent && name == "(vm-launch-files)") {
            ::kill(pid, SIGKILL);
        }
    }
    CHECK(keeper.open_served("boot.ipxe").error == EPIPE);
    CHECK(keeper.write_report(0, "{}") == EPIPE);
    CHECK(keeper.begin_report(1).error == EPIPE);
}

// A VM's vm-launch that has a control socket's place and a keeper, and then ends as `then` has it.
int with_keeper(const Place& place, const PrivateFolder& sockets, void (*then)()) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        auto* const claim = new control::Claim{{sockets.folder()}, "vm"};
        std::ofstream{sockets.path() / "vm.sock"} << "";
        auto keeper = std::make_unique<FileKeeper>(place.files(), Leavings{{sockets.folder()}, std::nullopt});
        static_cast<void>(keeper->begin_report(1));  // it is ready
        static_cast<void>(claim);                    // nobody takes it away
        then();
        ::_exit(0);
    }
    return test::reap(pid);
}

TEST_CASE("what a killed vm-launch leaves is taken away by its keeper") {
    const Place place;
    const PrivateFolder sockets;
    const int status = with_keeper(place, sockets, [] { ::raise(SIGKILL); });
    CHECK(WIFSIGNALED(status));
    // The keeper is nobody's child here: its work shows.
    for (int tries = 0; fs::exists(sockets.path() / "vm.lock") && tries < 2000; ++tries) {
        ::poll(nullptr, 0, 10);
    }
    CHECK_FALSE(fs::exists(sockets.path() / "vm.lock"));
    CHECK_FALSE(fs::exists(sockets.path() / "vm.sock"));
    CHECK(fs::is_empty(place.folder.path() / "reports"));
    CHECK(text_at(place.folder.path() / "secret") == "nobody's");
}

// The other end of a keeper that runs in a child.
struct Attacked {
    explicit Attacked(const Place& place) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
        socket.reset(ends[0]);
        OwnedFd its{ends[1]};
        pid = ::fork();
        if (pid == 0) {
            keep({its.get(), -1}, place.files(), {});
        }
    }
    // The keeper's exit code, once it has been told this.
    [[nodiscard]] int after(std::string_view bytes) {
        static_cast<void>(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
        socket.reset();
        const int status = test::reap(pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    OwnedFd socket;
    pid_t pid = -1;
};

TEST_CASE("what is no question ends the keeper in order") {
    const Place place;
    const auto question = [](std::uint32_t wish, const std::string& rest) {
        return std::string(reinterpret_cast<const char*>(&wish), sizeof wish) + std::string(4, '\0') + rest;
    };
    CHECK(Attacked{place}.after("") == 0);
    CHECK(Attacked{place}.after("abc") == 0);
    CHECK(Attacked{place}.after(question(77, "name")) == 0);
    CHECK(Attacked{place}.after(question(0, std::string(100'000, 'x'))) == 0);
    CHECK(Attacked{place}.after(question(0, std::string(20, '\0'))) == 0);
    CHECK(Attacked{place}.after(question(1, "")) == 0);  // a report without its text
    CHECK_FALSE(fs::exists(place.folder.path() / "reports/boot.json"));
}

TEST_CASE("a report that is a device or has no end is refused") {
    const Place place;
    Attacked keeper{place};
    Question question{Wish::write_report, 0, {}, OwnedFd{::open("/dev/zero", O_RDONLY | O_CLOEXEC)}};
    REQUIRE(send_question(keeper.socket.get(), question));
    CHECK(receive_reply(keeper.socket.get()).value_or(Reply{}).error == EINVAL);
    CHECK(keeper.after("") == 0);
}

}  // namespace
}  // namespace vml
