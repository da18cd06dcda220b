#include "netsetup/failure.h"

#include <utility>

namespace vml::net {

Fault failure(Step step, std::string what, int error_number, const std::string& detail) {
    std::string why = errno_text(error_number);
    if (!detail.empty()) {
        why += ": " + detail;
    }
    return {std::move(what), std::move(why), hint_for(step, error_number), ExitCode::host};
}

void throw_failure(Step step, std::string what, int error_number) {
    throw Error{failure(step, std::move(what), error_number)};
}

}  // namespace vml::net
