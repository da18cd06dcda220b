// The one error style of the project: what was being done, why it failed, one hint, and the exit code it
// leads to.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace vml {

// The process's exit codes. Codes 10 to 16 need evidence of the boot; without it a run ends in boot_timeout.
enum class ExitCode : int {
    ok = 0,
    failed = 1,
    settings = 2,
    host = 3,
    qemu = 4,
    rom_never_ran = 10,
    no_offer = 11,
    nothing_to_boot = 12,
    fetch_failed = 13,
    not_bootable = 14,
    boot_timeout = 15,
    reboot_loop = 16,
    guest_panicked = 20,
    exec_failed = 125,  // `vm-launch exec` itself, so that it is not taken for the command's own status
};

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
