#include "launcher/vm/identity.h"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <fmt/format.h>

namespace vml {

namespace {

// Drawn once at random; changing it changes every VM's identity.
constexpr boost::uuids::uuid name_space{
    {0x5b, 0x1d, 0x3e, 0x84, 0x07, 0xc2, 0x4f, 0x6a, 0x9d, 0x33, 0xe0, 0x78, 0x2a, 0x91, 0xb6, 0x4c}};

boost::uuids::uuid named(std::string_view name) {
    return boost::uuids::name_generator_sha1{name_space}(std::string{name});
}

}  // namespace

std::string uuid_of(std::string_view vm_name) {
    return boost::uuids::to_string(named(vm_name));
}

std::string mac_of(std::string_view vm_name, int nic) {
    const boost::uuids::uuid id = named(fmt::format("{}/nic{}", vm_name, nic));
    // The first five bytes are plain hash; version and variant come later in a UUID.
    return fmt::format("52:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", id.data[0], id.data[1], id.data[2],
                       id.data[3], id.data[4]);
}

}  // namespace vml
