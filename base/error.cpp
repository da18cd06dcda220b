#include "base/error.h"

#include <system_error>

namespace vml {

namespace {

std::string joined(const std::vector<Fault>& faults) {
    std::string text;
    for (const Fault& fault : faults) {
        if (!text.empty()) {
            text += '\n';
        }
        text += to_text(fault);
    }
    return text;
}

}  // namespace

std::vector<ExitCodeRow> exit_code_table() {
    std::vector<ExitCodeRow> rows;
    rows.reserve(exit_code_meanings.size() + 1);
    for (const auto& [code, meaning] : exit_code_meanings) {
        rows.push_back({std::to_string(static_cast<int>(code)), meaning});
    }
    rows.push_back({"128+n", "ended by signal n before the guest was down: it had to be forced"});
    return rows;
}

Error::Error(Fault fault) : faults_{std::move(fault)}, text_{joined(faults_)} {}

Error::Error(std::vector<Fault> faults) : faults_{std::move(faults)}, text_{joined(faults_)} {}

std::string to_text(const Fault& fault) {
    std::string text = fault.what;
    if (!fault.why.empty()) {
        text += "\n  why:  " + fault.why;
    }
    if (!fault.hint.empty()) {
        text += "\n  hint: " + fault.hint;
    }
    return text;
}

std::string one_line(const Fault& fault) {
    return fault.what + (fault.why.empty() ? "" : ": " + fault.why) +
           (fault.hint.empty() ? "" : " (" + fault.hint + ")");
}

std::string errno_text(int error_number) {
    return std::generic_category().message(error_number);
}

}  // namespace vml
