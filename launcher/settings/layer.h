// What one source of settings (command line, environment, configuration file) says, before it is understood.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace vml {

// A setting's text, and where it stands.
struct Raw {
    std::string text;
    std::string origin;
};

// A further NIC: as one text (--nic), or key by key (NETWORK2_…).
struct RawNic {
    std::optional<Raw> whole;
    std::vector<std::pair<std::string, Raw>> keys;
};

struct Layer {
    std::map<std::string, Raw, std::less<>> values;  // by flag
    std::vector<RawNic> nics;
    std::vector<Fault> nic_faults;  // of the list; moot where a stronger layer has one
    std::vector<Raw> disks;
    std::vector<Fault> disk_faults;  // likewise
    std::vector<Raw> devices;        // DEVICE…: beside the disks of whichever layer
    std::vector<Fault> device_faults;
    std::vector<Raw> extra_disks;
    std::vector<Fault> extra_disk_faults;  // likewise
    std::vector<Raw> dhcp_options;
    std::vector<Fault> dhcp_option_faults;  // likewise
    std::optional<Raw> config;              // the configuration file's name
    std::vector<Fault> faults;

    void fault(std::string what, std::string why, std::string hint) {
        faults.push_back({std::move(what), std::move(why), std::move(hint), ExitCode::settings});
    }
};

// What both say together: of a value the stronger layer's, of a list all of the strongest layer that names
// any.
void add_weaker(Layer& strong, Layer weak);

}  // namespace vml
