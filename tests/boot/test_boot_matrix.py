"""Does the ROM run? Every combination of firmware, machine, NIC and ROM either boots iPXE, or boots the firmware's own
PXE where that was asked for, or is refused before QEMU starts. What happened is read from the wire: DHCP's user class
"iPXE" is iPXE; the vendor class "PXEClient" alone is the firmware."""

import dataclasses
import re

import pytest

import vm

ROMS = "/usr/lib/ipxe/qemu"
IPXE, FIRMWARE, REFUSED = "iPXE", "firmware", "refused"
REFUSAL_CODES = (2, 3)


@dataclasses.dataclass(frozen=True)
class Row:
    expected: str
    arguments: str
    why: str = ""  # what the refusal must mention

    def argument_list(self):
        return [word.replace("ROMS", ROMS) for word in self.arguments.split()]


ROWS = [
    Row(IPXE, "--ipxe --firmware legacy --machine q35 --nic-model virtio"),
    Row(IPXE, "--ipxe --firmware legacy --machine q35 --nic-model virtio --ipxe-rom ROMS/pxe-virtio.rom"),
    Row(IPXE, "--ipxe --firmware legacy --machine q35 --nic-model virtio --ipxe-rom ROMS/efi-virtio.rom"),
    Row(IPXE, "--ipxe --firmware legacy --machine pc --nic-model virtio"),
    Row(IPXE, "--ipxe --firmware legacy --machine pc --nic-model virtio --ipxe-rom ROMS/pxe-virtio.rom"),
    Row(IPXE, "--ipxe --firmware legacy --machine pc --nic-model virtio --ipxe-rom ROMS/efi-virtio.rom"),
    Row(IPXE, "--ipxe --firmware legacy --machine q35 --nic-model e1000 --ipxe-rom ROMS/pxe-e1000.rom"),
    Row(IPXE, "--ipxe --firmware legacy --machine pc --nic-model e1000"),
    Row(REFUSED, "--ipxe --firmware legacy --nic-model e1000 --ipxe-rom ROMS/pxe-virtio.rom", why="1af4:1041"),
    Row(REFUSED, "--ipxe --firmware legacy --nic-model virtio --ipxe-rom ROMS/pxe-e1000.rom", why="8086:100e"),
    Row(IPXE, "--ipxe --firmware uefi --machine q35 --nic-model virtio"),
    Row(IPXE, "--ipxe --firmware uefi --machine q35 --nic-model virtio --ipxe-rom ROMS/efi-virtio.rom"),
    Row(IPXE, "--ipxe --firmware uefi --machine q35 --nic-model e1000 --ipxe-rom ROMS/efi-e1000.rom"),
    Row(REFUSED, "--ipxe --firmware uefi --machine q35 --ipxe-rom ROMS/pxe-virtio.rom", why="pxe-virtio.rom"),
    Row(FIRMWARE, "--boot-order network --firmware uefi --machine q35 --nic-model virtio --bootfile vmlinuz"),
    Row(REFUSED, "--ipxe --arch aarch64", why="aarch64|AArch64"),
    Row(REFUSED, "--ipxe --arch aarch64 --ipxe-rom ROMS/efi-virtio.rom", why="efi-virtio.rom"),
    Row(FIRMWARE, "--boot-order network --arch aarch64 --nic-model virtio --bootfile vmlinuz"),
]


def parameters():
    for row in ROWS:
        name = row.arguments.replace("--", "").replace("ROMS/", "").replace(" ", "-") + "=" + row.expected
        yield pytest.param(row, id=name)


@pytest.mark.parametrize("row", parameters())
def test_row(boot, netboot, row):
    netboot.script()
    with boot(*row.argument_list(), "--netboot-dir", netboot.path, *vm.SMALL) as run:
        if row.expected == REFUSED:
            assert run.wait_exit() in REFUSAL_CODES
            assert not run.wire.opened_by_qemu, "QEMU was started"
            assert re.search(row.why, run.text("own"))
        else:
            assert run.wait_dhcp().sender == row.expected
            run.stop()


def test_uefi_boots_the_script(boot, netboot):
    """UEFI to the end: iPXE's EFI image also has to start the kernel."""
    netboot.script()
    with boot("--ipxe", "--firmware", "uefi", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text()
