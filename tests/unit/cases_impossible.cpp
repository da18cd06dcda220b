// Which combinations there can be no machine of, and which this host alone lacks something for.
#include <variant>

#include "launcher/vm/impossible.h"
#include "launcher/vm/spec.h"
#include "tests/unit/cases_support.h"
#include "tests/unit/launcher_support.h"

namespace vml::cases::test {
namespace {

using vml::test::made_up_host;

struct Found {
    std::vector<Fault> faults;
    std::vector<Fault> impossible;
};

Found found_for(const std::vector<std::string>& flags, const HostFacts& facts) {
    const ReadResult read = cells_from({{}}, {}, flags).cells.front().read;
    Decision decision = decide(read.settings, read.origins, facts);
    auto* faults = std::get_if<std::vector<Fault>>(&decision);
    if (faults == nullptr) {
        return {};
    }
    return {*faults, impossible_of(*faults, read.settings, read.origins, facts)};
}

TEST_CASE("settings that contradict each other are no machine anywhere") {
    const Found found = found_for({"--firmware", "secure", "--machine", "pc"}, made_up_host());
    CHECK(contains(text_of(found.impossible), "there is no Secure Boot on pc"));
}

TEST_CASE("a ROM that is there, and that the firmware does not run") {
    const Found found = found_for({"--ipxe", "--firmware", "uefi"}, made_up_host());
    REQUIRE(found.faults.size() == 1);
    CHECK(contains(text_of(found.impossible), "no iPXE ROM boots virtio under UEFI on x86_64"));
}

TEST_CASE("what a package would bring is not impossible") {
    HostFacts no_rom = made_up_host();
    no_rom.roms = {{}};
    const Found without_rom = found_for({"--ipxe"}, no_rom);
    CHECK(without_rom.faults.size() == 1);
    CHECK(without_rom.impossible.empty());
    HostFacts no_firmware = made_up_host();
    no_firmware.uefi.clear();
    const Found without_firmware = found_for({"--firmware", "uefi"}, no_firmware);
    CHECK(contains(text_of(without_firmware.faults), "no UEFI firmware"));
    CHECK(without_firmware.impossible.empty());
    HostFacts no_qemu = made_up_host();
    no_qemu.qemu.reset();
    CHECK(found_for({"--ipxe"}, no_qemu).impossible.empty());
    CHECK_FALSE(found_for({"--ipxe"}, no_qemu).faults.empty());
}

TEST_CASE("where nothing is in the way there is nothing to tell") {
    CHECK(found_for({"--ipxe"}, made_up_host()).faults.empty());
}

}  // namespace
}  // namespace vml::cases::test
