// Faults as a user reads them, and the Error that carries them.
#include <algorithm>
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
    CHECK(static_cast<int>(ExitCode::report) == 5);
    CHECK(static_cast<int>(ExitCode::rom_never_ran) == 10);
    CHECK(static_cast<int>(ExitCode::no_offer) == 11);
    CHECK(static_cast<int>(ExitCode::nothing_to_boot) == 12);
    CHECK(static_cast<int>(ExitCode::fetch_failed) == 13);
    CHECK(static_cast<int>(ExitCode::not_bootable) == 14);
    CHECK(static_cast<int>(ExitCode::boot_timeout) == 15);
    CHECK(static_cast<int>(ExitCode::reboot_loop) == 16);
    CHECK(static_cast<int>(ExitCode::no_machine) == 17);
    CHECK(static_cast<int>(ExitCode::tests_failed) == 18);
    CHECK(static_cast<int>(ExitCode::guest_panicked) == 20);
    CHECK(static_cast<int>(ExitCode::exec_failed) == 125);
}

// The compiler warns where the switch lacks one; a code without a meaning is one that users cannot look up.
bool has_meaning(ExitCode code) {
    switch (code) {
        case ExitCode::ok:
        case ExitCode::failed:
        case ExitCode::settings:
        case ExitCode::host:
        case ExitCode::qemu:
        case ExitCode::report:
        case ExitCode::rom_never_ran:
        case ExitCode::no_offer:
        case ExitCode::nothing_to_boot:
        case ExitCode::fetch_failed:
        case ExitCode::not_bootable:
        case ExitCode::boot_timeout:
        case ExitCode::reboot_loop:
        case ExitCode::no_machine:
        case ExitCode::tests_failed:
        case ExitCode::guest_panicked:
        case ExitCode::exec_failed:
            return std::any_of(exit_code_meanings.begin(), exit_code_meanings.end(),
                               [&](const auto& row) { return row.code == code; });
    }
    return false;
}

TEST_CASE("every exit code has a meaning, and no number has two") {
    for (int number = 0; number < 256; ++number) {
        const auto rows = exit_code_table();
        const auto count = std::count_if(rows.begin(), rows.end(), [&](const ExitCodeRow& row) {
            return row.code == std::to_string(number);
        });
        CAPTURE(number);
        CHECK(count == (has_meaning(static_cast<ExitCode>(number)) ? 1 : 0));
    }
    CHECK(exit_code_table().size() == exit_code_meanings.size() + 1);
    CHECK(exit_code_table().back().code == "128+n");
}

TEST_CASE("errno in the system's words") {
    CHECK(errno_text(ENOENT) == "No such file or directory");
    CHECK(errno_text(EACCES) == "Permission denied");
}

}  // namespace
}  // namespace vml
