// The one error style of the project: what was being done, why it failed, one hint, and the exit code it
// leads to.
#pragma once

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

// The process's exit codes. Codes 10 to 16 need evidence of the boot; without it a run ends in boot_timeout.
enum class ExitCode : int {
    ok = 0,
    failed = 1,
    settings = 2,
    host = 3,
    qemu = 4,
    report = 5,
    rom_never_ran = 10,
    no_offer = 11,
    nothing_to_boot = 12,
    fetch_failed = 13,
    not_bootable = 14,
    boot_timeout = 15,
    reboot_loop = 16,
    no_machine = 17,
    tests_failed = 18,
    guest_panicked = 20,
    exec_failed = 125,  // `vm-launch exec` itself, so that it is not taken for the command's own status
};

// What each means, for users.
struct ExitCodeMeaning {
    ExitCode code;
    std::string_view meaning;
};
inline constexpr auto exit_code_meanings = std::to_array<ExitCodeMeaning>(
    {{ExitCode::ok, "the guest powered off, or a stop was asked for and was clean"},
     {ExitCode::failed, "vm-launch failed"},
     {ExitCode::settings, "the settings are wrong (all faults were listed)"},
     {ExitCode::host, "the host lacks something (device, privilege, file, program)"},
     {ExitCode::qemu, "QEMU could not start, or died"},
     {ExitCode::report, "all went well, but the report (--report) could not be written"},
     {ExitCode::rom_never_ran, "the ROM never ran"},
     {ExitCode::no_offer, "no DHCP offer, or none that the guest could use"},
     {ExitCode::nothing_to_boot, "an address, but nothing to boot (no filename, no script)"},
     {ExitCode::fetch_failed, "fetching failed (TFTP or HTTP error, name not found, no answer)"},
     {ExitCode::not_bootable, "what was fetched could not be booted"},
     {ExitCode::boot_timeout,
      "the boot deadline passed (--boot-timeout), or the guest ended before --until was reached"},
     {ExitCode::reboot_loop, "a reboot loop was broken (--reboot-limit)"},
     {ExitCode::no_machine, "explain: no machine in the capture boots from the network"},
     {ExitCode::tests_failed, "test: at least one boot did not do what was expected of it"},
     {ExitCode::guest_panicked, "the guest panicked"},
     {ExitCode::exec_failed, "exec: the command could not be run; any other status is the command's own"}});

// The same as users read it, with what no enumerator stands for: "128+n".
struct ExitCodeRow {
    std::string code;
    std::string_view meaning;
};
[[nodiscard]] std::vector<ExitCodeRow> exit_code_table();

struct Fault {
    std::string
        what;  // what was being done to which object: "cannot use the ROM /x/pxe.rom for virtio-net-pci"
    std::string why;   // the reason as the system gave it; may be empty when `what` says it all
    std::string hint;  // the next step for the user; may be empty
    ExitCode code = ExitCode::failed;

    bool operator==(const Fault&) const = default;
};

// Thrown by every part of vm-launch; caught in main and around each event of the loop. Holds one fault or
// more: settings are reported all at once.
class Error : public std::exception {
  public:
    explicit Error(Fault fault);
    explicit Error(std::vector<Fault> faults);  // must not be empty

    [[nodiscard]] const std::vector<Fault>& faults() const noexcept { return faults_; }
    [[nodiscard]] ExitCode code() const noexcept { return faults_.front().code; }
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

  private:
    std::vector<Fault> faults_;
    std::string text_;
};

// "cannot …", "  why: …", "  hint: …", each on a line of its own; empty parts are left out. No newline at the
// end.
[[nodiscard]] std::string to_text(const Fault& fault);

// The same on one line: "what: why (hint)".
[[nodiscard]] std::string one_line(const Fault& fault);

// The system's words for an errno value, for a Fault's `why`.
[[nodiscard]] std::string errno_text(int error_number);

}  // namespace vml
