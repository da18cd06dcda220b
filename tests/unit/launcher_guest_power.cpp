// Who has the guest's machine, from what QEMU shows. The texts are QEMU's own, of real boots.
#include <string>

#include <nlohmann/json.hpp>

#include "launcher/run/guest_power.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using nlohmann::json;

std::string x86(const std::string& table, const std::string& cr0, const std::string& efer,
                char privilege = '0') {
    return std::string{
               "\r\nCPU#0\r\nRAX=0000000000000000 RBX=0000000000000000\r\nRIP=ffffffff97a17a0b "
               "RFL=00000246 [---Z-P-] CPL="} +
           privilege + " II=0 A20=1 SMM=0 HLT=1\r\nGDT=     fffffe0000001000 0000007f\r\nIDT=     " + table +
           " 00000fff\r\nCR0=" + cr0 + " CR2=0 CR3=0 CR4=00751eb0\r\nEFER=" + efer + "\r\n";
}

std::string arm(const std::string& counter, const std::string& state, const std::string& level) {
    return "\r\nCPU#0\r\n PC=" + counter + " X00=0000000000000000 X01=0000000000000000\r\n" +
           "PSTATE=" + state + " -ZC- " + level + "  SVCR=00000000 --  BTYPE=0\r\n";
}

const std::string seabios_begins = x86("000f61be", "00000011", "0000000000000000");
const std::string reset_vector = x86("00000000", "60000010", "0000000000000000");
const std::string bios_ipxe = x86("1ff5a030", "00000011", "0000000000000000");
const std::string ovmf_ipxe = x86("000000001f07b018", "80010033", "0000000000000d00");
const std::string linux_idle = x86("fffffe0000000000", "80050033", "0000000000000d01");
const std::string linux_program = x86("fffffe0000000000", "80050033", "0000000000000d01", '3');
const std::string aavmf_ipxe = arm("000000005c315c38", "60000305", "EL1h");
const std::string arm_linux = arm("ffffab5dc25be664", "204000c5", "EL1h");

TEST_CASE("firmware, iPXE and boot loaders are no kernel") {
    for (const std::string& cpu : {seabios_begins, reset_vector, bios_ipxe, ovmf_ipxe, aavmf_ipxe}) {
        CAPTURE(cpu);
        CHECK(kernel_mode_in(cpu) == false);
    }
    // iPXE for 64-bit BIOS, which lives in the upper half too.
    CHECK(kernel_mode_in(x86("ffffffffeb0a1000", "80000011", "0000000000000500")) == false);
    // Firmware of a machine with much memory below 4 GiB.
    CHECK(kernel_mode_in(x86("00000000afe7b018", "80010033", "0000000000000d00")) == false);
}

TEST_CASE("a kernel is known by its CPU, whatever runs on it at that moment") {
    for (const std::string& cpu : {linux_idle, linux_program, arm_linux}) {
        CAPTURE(cpu);
        CHECK(kernel_mode_in(cpu) == true);
    }
    CHECK(kernel_mode_in(x86("ff401000", "80050033", "0000000000000000")) == true);  // Linux of 32 bits
    CHECK(kernel_mode_in(x86("80b95400", "8001003b", "0000000000000000")) == true);  // Windows of 32 bits
    CHECK(kernel_mode_in(arm("0000aaaac8f01234", "60000000", "EL0t")) == true);      // a program on ARM
}

TEST_CASE("one CPU that a kernel has is enough, and text without a CPU tells nothing") {
    CHECK(kernel_mode_in(ovmf_ipxe + linux_idle) == true);
    CHECK(kernel_mode_in(linux_idle + ovmf_ipxe) == true);
    CHECK(kernel_mode_in(ovmf_ipxe + ovmf_ipxe) == false);
    for (const char* text :
         {"", "unknown command: 'info registers'", "CPU#0\r\nnonsense", "CPU#", "CPU#0\r\nIDT="}) {
        CHECK_FALSE(kernel_mode_in(text));
    }
}

TEST_CASE("power events: who asked for any of ACPI's fixed events listens") {
    CHECK(power_events_in("portw[0x0602] = 0x0000\r\n") == false);
    CHECK(power_events_in("portw[0x0602] = 0x0120\r\n") == true);
    CHECK(power_events_in("portw[0x0602] = 0x0020\r\n") == true);
    CHECK(power_events_in("portw[0x0602] = 0xffff\r\n") == false);  // nothing is there
    CHECK_FALSE(power_events_in(""));
    CHECK_FALSE(power_events_in("unknown command: 'i'"));
}

TEST_CASE("writes to disks, without the firmware's own variables") {
    const json stats = json::parse(R"([
        {"qdev": "/machine/system.flash1", "stats": {"wr_operations": 7}},
        {"qdev": "/machine/virt.flash1", "stats": {"wr_operations": 7}},
        {"qdev": "/machine/peripheral/disk0-dev/virtio-backend", "stats": {"wr_operations": 3}},
        {"qdev": "/machine/peripheral/disk1-dev", "stats": {"wr_operations": 1}},
        {"qdev": "/machine/peripheral/cdrom0-dev"}])");
    CHECK(writes_in(stats) == 4);
    CHECK(writes_in(json::array()) == 0);
    CHECK(writes_in(json::parse(R"([7, {"qdev": 7, "stats": {"wr_operations": 2}}, {"stats": "none"},
        {"stats": {"wr_operations": "many"}}])")) == 2);
    CHECK_FALSE(writes_in(json()));
}

GuestSigns signs(std::optional<bool> kernel, std::optional<bool> events, std::optional<std::uint64_t> writes,
                 std::uint64_t before = 0) {
    return {kernel, events, writes, before, "running"};
}

TEST_CASE("firmware is in control only where that is known") {
    CHECK(in_control(signs(false, false, 0)) == InControl::firmware);
    CHECK(in_control(signs(false, std::nullopt, 0)) == InControl::firmware);  // ARM has no such register
    CHECK(in_control(signs(false, false, 9, 9)) == InControl::firmware);  // an installer's, before its reboot
    CHECK(in_control(signs(true, false, 0)) == InControl::system);
    CHECK(in_control(signs(false, true, 0)) == InControl::system);
    CHECK(in_control(signs(std::nullopt, true, 0)) == InControl::system);
    CHECK(in_control(signs(std::nullopt, false, 0)) == InControl::unknown);
    CHECK(in_control(signs(false, false, 1)) == InControl::unknown);  // DOS, say
    CHECK(in_control(signs(false, false, 10, 9)) == InControl::unknown);
    CHECK(in_control(signs(false, false, std::nullopt)) == InControl::unknown);
    CHECK(in_control({}) == InControl::unknown);
}

}  // namespace
}  // namespace vml
