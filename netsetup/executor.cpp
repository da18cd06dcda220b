#include "netsetup/executor.h"

#include <utility>

namespace vml::net {

namespace {

void undo_one(Executor& executor, const Operation& operation, std::vector<Fault>& faults) {
    try {
        executor.carry_out(operation);
    } catch (const Error& error) {
        faults.insert(faults.end(), error.faults().begin(), error.faults().end());
    } catch (const std::exception& error) {
        faults.push_back({"cannot undo: " + describe(operation), error.what(), {}, ExitCode::failed});
    }
}

}  // namespace

std::string DryRun::link_name(unsigned nic) const {
    for (const Operation& operation : noted_) {
        if (const auto* tap = std::get_if<CreateTap>(&operation); tap != nullptr && tap->nic == nic) {
            return tap->name;
        }
        if (const auto* macvtap = std::get_if<CreateMacvtap>(&operation);
            macvtap != nullptr && macvtap->nic == nic) {
            return macvtap->name;
        }
    }
    return {};
}

void AppliedLinks::apply(const std::vector<Operation>& operations) {
    for (const Operation& operation : operations) {
        try {
            executor_.carry_out(operation);
        } catch (const Error& error) {
            std::vector<Fault> faults = error.faults();
            const std::vector<Fault> left = undo();
            faults.insert(faults.end(), left.begin(), left.end());
            throw Error{std::move(faults)};
        }
        done_.push_back(operation);
    }
}

std::vector<Fault> AppliedLinks::undo() noexcept {
    std::vector<Fault> faults;
    try {
        for (const Operation& operation : inverses(std::exchange(done_, {}))) {
            undo_one(executor_, operation, faults);
        }
    } catch (...) {  // memory is out: what is left goes with the descriptors
        done_.clear();
    }
    return faults;
}

}  // namespace vml::net
