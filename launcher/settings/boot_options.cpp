#include "launcher/settings/boot_options.h"

namespace vml {

std::vector<OptionRow> boot_options() {
    return {
        option<&Settings::ipxe>({"ipxe", "IPXE_ENABLE", "", "off",
                                 "put an iPXE ROM on the first NIC and make network the first boot device, "
                                 "whatever the boot order says"}),
        option<&Settings::ipxe_rom>(
            {"ipxe-rom", "IPXE_ROM_PATH", "PATH", "by architecture, firmware and NIC model",
             "use this option ROM, or under UEFI iPXE's EFI program (.efi), which stands in for a ROM"}),
        option<&Settings::boot_order>({"boot-order", "BOOT_ORDER", "LIST",
                                       "hd (network,hd with --ipxe), then cdrom where there is one",
                                       "comma list of {}"}),
        option<&Settings::boot_once>({"boot-once", "BOOT_ONCE", "LIST", "none",
                                      "the order of the first boot alone ({}), for an installation: once an "
                                      "operating system has run, the next reset boots by the boot "
                                      "order (which is hd then, unless it is given)"}),
        option<&Settings::firmware>(
            {"firmware", "BOOT_MODE", "MODE", "legacy on x86_64, uefi on aarch64", "{}"}),
        option<&Settings::firmware_code>(
            {"firmware-code", "FIRMWARE_CODE", "FILE", "the distribution's",
             "firmware of your own (uefi without --firmware): with --firmware-vars its code "
             "in "
             "flash, else a whole image, of edk2 or coreboot, as the machine's ROM"}),
        option<&Settings::firmware_vars>(
            {"firmware-vars", "FIRMWARE_VARS", "FILE", "none",
             "with --firmware-code: its UEFI variables as built, of which the VM gets a copy of its own"}),
        option<&Settings::pxe>({"pxe", "PXE", "CLIENT", "v4",
                                "UEFI without --ipxe: the one of the firmware's own clients that boots: {}"}),
        option<&Settings::fast_boot>(
            {"fast-boot", "FAST_BOOT", "", "on",
             "spare iPXE the waits that can be spared: press a key at its prompt, in nat mode repeat QEMU's "
             "offer as a ProxyDHCP server's, and on a bridge without an IPv6 router answer its search for "
             "one, on the guest's own link alone; off leaves the network alone"}),
        option<&Settings::ipxe_prompt>({"ipxe-prompt", "IPXE_PROMPT", "", "off",
                                        "let iPXE wait the 2 s in which Ctrl-B opens its command line"}),
    };
}

}  // namespace vml
