#include "launcher/run/guard.h"

#include <exception>
#include <vector>

namespace vml {

namespace {

std::vector<Fault> current_faults() {
    const auto fault = [](const char* why) {
        return Fault{"vm-launch could not handle an event of the run", why,
                     "the VM runs on; please report this, with the log of --log-level debug",
                     ExitCode::failed};
    };
    try {
        throw;
    } catch (const Error& error) {
        return error.faults();
    } catch (const std::exception& error) {
        return {fault(error.what())};
    } catch (...) {
        return {fault("an exception of an unknown kind")};
    }
}

}  // namespace

void Guard::told() noexcept {
    if (reports_ >= most_reports) {
        return;
    }
    ++reports_;
    try {
        for (const Fault& fault : current_faults()) {
            report_(fault);
        }
        if (reports_ == most_reports) {
            report_({"further faults of this kind are not reported", "", "", ExitCode::failed});
        }
    } catch (...) {
        reports_ = most_reports;  // the log itself is what fails
    }
}

}  // namespace vml
