// Faults as a user reads them, and the Error that carries them.
#include <cerrno>

#include "base/error.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

TEST_CASE("a fault is what, why and hint, a line each") {
    CHECK(to_text({"cannot read X", "No such file or directory", "name another"}) ==
          "cannot read X\n  why:  No such file or directory\n  hint: name another");
}

TEST_CASE("an empty part of a fault leaves no line behind") {
    CHECK(to_text({"cannot read X", "", "name another"}) == "cannot read X\n  hint: name another");
    CHECK(to_text({"cannot read X", "no such file", ""}) == "cannot read X\n  why:  no such file");
    CHECK(to_text({"cannot read X", "", ""}) == "cannot read X");
}

TEST_CASE("an error holds every fault, and the first decides the exit code") {
    const std::vector<Fault> faults{{"one", "", "", ExitCode::settings}, {"two", "", "", ExitCode::host}};
    const Error error{faults};
    CHECK(error.faults() == faults);
    CHECK(error.code() == ExitCode::settings);
    CHECK(std::string{error.what()} == "one\ntwo");
}

TEST_CASE("an error of one fault") {
    const Error error{Fault{"one", "why", "", ExitCode::host}};
    CHECK(error.faults().size() == 1);
    CHECK(error.code() == ExitCode::host);
}

TEST_CASE("exit codes are the documented numbers") {
    CHECK(static_cast<int>(ExitCode::ok) == 0);
    CHECK(static_cast<int>(ExitCode::failed) == 1);
    CHECK(static_cast<int>(ExitCode::settings) == 2);
    CHECK(static_cast<int>(ExitCode::host) == 3);
    CHECK(static_cast<int>(ExitCode::qemu) == 4);
    CHECK(static_cast<int>(ExitCode::rom_never_ran) == 10);
    CHECK(static_cast<int>(ExitCode::no_offer) == 11);
    CHECK(static_cast<int>(ExitCode::nothing_to_boot) == 12);
    CHECK(static_cast<int>(ExitCode::fetch_failed) == 13);
    CHECK(static_cast<int>(ExitCode::not_bootable) == 14);
    CHECK(static_cast<int>(ExitCode::boot_timeout) == 15);
    CHECK(static_cast<int>(ExitCode::reboot_loop) == 16);
    CHECK(static_cast<int>(ExitCode::guest_panicked) == 20);
}

TEST_CASE("errno in the system's words") {
    CHECK(errno_text(ENOENT) == "No such file or directory");
    CHECK(errno_text(EACCES) == "Permission denied");
}

}  // namespace
}  // namespace vml
