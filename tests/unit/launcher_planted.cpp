// What somebody who owns the data folder may have put into it, where root runs vm-launch.
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "launcher/start/identity_file.h"
#include "launcher/start/kept_files.h"
#include "launcher/start/report_file.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

namespace fs = std::filesystem;
using test::contains;
using test::Folder;
using test::text_in;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

// A data folder with the state of a VM, and a file of somebody else's.
struct Planted {
    Folder data;
    fs::path secret = data.write("secret", "root's");
    fs::path state = data.path() / "box";
    OwnedFd fd = open_state_folder(state);

    void link(const std::string& name) const { fs::create_symlink(secret, state / name); }
    [[nodiscard]] bool untouched() const { return text_in(secret) == "root's"; }
};

template <typename Task>
std::string refusal(const Task& task) {
    try {
        task();
    } catch (const Error& error) {
        return to_text(error.faults().front());
    }
    return "not refused";
}

TEST_CASE("what is written beside a file is never a link's target") {
    const Planted planted;
    for (const char* name : {"disk0.raw.new", "nvram.fd.new", "nvram.json.new"}) {
        planted.link(name);
    }
    static_cast<void>(open_kept_blank(planted.fd.get(), {planted.state / "disk0.raw", mebibyte}));
    const fs::path original = planted.data.write("template", "variables");
    static_cast<void>(
        open_kept_store(planted.fd.get(), {planted.state / "nvram.fd", original, false, "origin"}));
    CHECK(planted.untouched());
    CHECK(text_in(planted.state / "nvram.json") == "origin");
    CHECK(fs::file_size(planted.state / "disk0.raw") == mebibyte);
    fs::create_symlink(planted.secret, planted.data.path() / "identity.new");
    keep_identity({planted.data.path() / "identity", "source"});
    CHECK(planted.untouched());
    CHECK(text_in(planted.data.path() / "identity") == "source\n");
}

TEST_CASE("a link in a file's place is refused") {
    const Planted planted;
    planted.link("disk0.raw");
    planted.link("nvram.fd");
    planted.link("first-boot-done");
    const auto link_is_told = [](const std::string& text) { return contains(text, "it is a symbolic link"); };
    CHECK(link_is_told(refusal([&] {
        static_cast<void>(open_kept_blank(planted.fd.get(), {planted.state / "disk0.raw", mebibyte}));
    })));
    CHECK(link_is_told(refusal([&] {
        static_cast<void>(
            open_kept_store(planted.fd.get(), {planted.state / "nvram.fd", planted.secret, false, ""}));
    })));
    CHECK(planted.untouched());
}

TEST_CASE("a pipe in a file's place is refused, and holds nothing up") {
    const Planted planted;
    REQUIRE(::mkfifo((planted.state / "disk0.raw").c_str(), 0600) == 0);
    CHECK(contains(
        refusal([&] {
            static_cast<void>(open_kept_blank(planted.fd.get(), {planted.state / "disk0.raw", mebibyte}));
        }),
        "it is no regular file"));
}

TEST_CASE("a state folder is no link, belongs to who runs this, and is not everybody's") {
    const Folder data;
    fs::create_directory(data.path() / "elsewhere");
    fs::create_directory_symlink(data.path() / "elsewhere", data.path() / "box");
    CHECK_THROWS_AS(open_state_folder(data.path() / "box"), Error);
    REQUIRE(::chmod((data.path() / "elsewhere").c_str(), 0777) == 0);
    CHECK(contains(refusal([&] { static_cast<void>(open_state_folder(data.path() / "elsewhere")); }),
                   "everybody may write to it"));
    REQUIRE(::chmod((data.path() / "elsewhere").c_str(), 0700) == 0);
    CHECK_NOTHROW(open_state_folder(data.path() / "elsewhere"));
    REQUIRE(::chown((data.path() / "elsewhere").c_str(), 12345, 12345) == 0);
    CHECK(contains(refusal([&] { static_cast<void>(open_state_folder(data.path() / "elsewhere")); }),
                   "it belongs to another user (12345)"));
}

// Kubernetes gives a volume to the Pod's group (fsGroup).
TEST_CASE("in a group's folder, what may be another's is refused, and what is ours is not") {
    const Planted planted;
    REQUIRE(::chmod(planted.state.c_str(), 02770) == 0);
    const KeptBlank disk{planted.state / "disk0.raw", mebibyte};
    static_cast<void>(open_kept_blank(planted.fd.get(), disk));
    CHECK_NOTHROW(open_kept_blank(planted.fd.get(), disk));
    REQUIRE(::chown(disk.file.c_str(), 12345, 12345) == 0);
    CHECK(contains(refusal([&] { static_cast<void>(open_kept_blank(planted.fd.get(), disk)); }),
                   "it may have been put there by another user"));
    const fs::path tpm = planted.state / "tpm.state";
    static_cast<void>(open_kept_tpm(planted.fd.get(), tpm, std::nullopt));
    REQUIRE(::chown(tpm.c_str(), 12345, 12345) == 0);  // an older vm-launch gave it to QEMU's user
    CHECK_NOTHROW(open_kept_tpm(planted.fd.get(), tpm,
                                RunUser{.name = "qemu", .uid = 12345, .gid = 12345, .groups = {}}));
    fs::create_hard_link(planted.secret, planted.state / "disk1.raw");
    CHECK(contains(
        refusal([&] {
            static_cast<void>(open_kept_blank(planted.fd.get(), {planted.state / "disk1.raw", mebibyte}));
        }),
        "it may have been put there by another user"));
    CHECK(planted.untouched());
}

TEST_CASE("a report takes the old one away at once, and appears whole") {
    const Folder folder;
    const fs::path path = folder.write("boot.json", "last week's");
    const std::vector<ReportFile> reports = open_reports({path}, "$BOOT_REPORT");
    CHECK_FALSE(fs::exists(path));
    CHECK(write_report(reports.front(), "this one") == 0);
    CHECK(text_in(path) == "this one");
    CHECK_FALSE(fs::exists(path.string() + ".new"));
}

TEST_CASE("two runs that write one report do not spoil each other's") {
    const Folder folder;
    const fs::path path = folder.path() / "boot.pcapng";
    const ReportFile report = std::move(open_reports({path}, "$BOOT_REPORT").front());
    GrowingReport first{report};
    CHECK(write_report(report, "of another") == EBUSY);
    first.finish("of the first");
    CHECK(text_in(path) == "of the first");
    CHECK(write_report(report, "of a later one") == 0);
    CHECK(text_in(path) == "of a later one");
}

TEST_CASE("a report whose file was taken away is not another's") {
    const Folder folder;
    const fs::path path = folder.path() / "boot.pcapng";
    const ReportFile report = std::move(open_reports({path}, "$BOOT_REPORT").front());
    {
        GrowingReport growing{report};
        fs::remove(path.string() + ".new");
        folder.write("boot.pcapng.new", "another's");
        CHECK_THROWS_AS(growing.finish("its own"), std::system_error);
    }
    CHECK(text_in(path.string() + ".new") == "another's");
    CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a report under a link is written where the link leads") {
    const Folder folder;
    const fs::path real = folder.write("real/boot.json", "last week's");
    const fs::path link = folder.path() / "boot.json";
    fs::create_symlink(real, link);
    const std::vector<ReportFile> reports = open_reports({link}, "$BOOT_REPORT");
    CHECK(write_report(reports.front(), "this one") == 0);
    CHECK(fs::is_symlink(link));
    CHECK(text_in(real) == "this one");
}

TEST_CASE("where no report can be, that is told before anything runs") {
    const Folder folder;
    CHECK(contains(
        refusal([&] { static_cast<void>(open_reports({folder.path() / "no/boot.json"}, "$BOOT_REPORT")); }),
        "cannot write the report"));
    CHECK_THROWS_AS(open_reports({folder.path()}, "$BOOT_REPORT"), Error);
    const std::vector<ReportFile> full = open_reports({"/dev/full"}, "$BOOT_REPORT");
    CHECK(write_report(full.front(), "text") == ENOSPC);
}

}  // namespace
}  // namespace vml
