"""UEFI in the image, which is Debian 13: its ROMs are drivers alone, and iPXE's program boots in their place."""

import shutil

import pytest

import media
import vm
from containers import RUNTIME, Container, podman

SMALL = ("-e", "MEMORY=512", "-e", "CPUS=1")
IPXE_UEFI = ("-e", "IPXE_ENABLE=1", "-e", "BOOT_MODE=uefi", "-e", "NETBOOT_DIR=/netboot")
DISK = "THE-DISK-BOOTED"


@pytest.mark.parametrize("model", ["virtio", "e1000"])
def test_uefi_boots_by_ipxe(image, netboot, model):
    folder = netboot()
    with Container(*IPXE_UEFI, "-e", f"NIC_MODEL={model}", *SMALL, "-v", f"{folder}:/netboot:ro") as container:
        assert container.wait() == 0
        assert "iPXE initialising devices" in container.text
        assert vm.GUEST_UP in container.text
        assert ">>Start PXE" not in container.text


def test_the_plan_says_what_stands_in_for_the_rom(image):
    result = podman("run", "--rm", *RUNTIME, "--network", "none", "-e", "IPXE_ENABLE=1", "-e", "BOOT_MODE=uefi", image, "plan")
    assert "/usr/lib/ipxe/ipxe-amd64.efi: the iPXE program stands in for the ROM" in result.stdout
    assert "iPXE's network driver alone" in result.stdout
    doctor = podman("run", "--rm", *RUNTIME, "--network", "none", "-e", "IPXE_ENABLE=1", "-e", "BOOT_MODE=uefi", image, "doctor")
    assert "iPXE: /usr/lib/ipxe/ipxe-amd64.efi" in doctor.stdout


@pytest.mark.parametrize("model", ["virtio", "e1000", "e1000e", "eepro100", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3"])
def test_the_images_roms_are_drivers_alone_and_whole_on_a_bios(image, model):
    result = podman("run", "--rm", *RUNTIME, "--network", "none", image, "rom", "--format", "json", f"/usr/share/qemu/efi-{model}.rom")
    assert '"role": "driver"' in result.stdout
    bios = podman("run", "--rm", *RUNTIME, "--network", "none", image, "rom", f"/usr/share/qemu/efi-{model}.rom")
    assert "iPXE's network driver alone" in bios.stdout


def test_an_installer_boots_once(image, tmp_path):
    """The network first, then, after the reset, the disk: the program on its CD has given its turn up."""
    (tmp_path / "boot.ipxe").write_text(f"#!ipxe\necho {vm.SCRIPT_RAN}\nreboot\n")
    disk = media.write_efi_disk(tmp_path / "disk.raw", DISK)
    tmp_path.chmod(0o755)
    disk.chmod(0o666)
    words = ("-e", "BOOT_ONCE=network", "-e", "BOOT_ORDER=hd", "-e", "DISK=/netboot/disk.raw", "-e", "DISK_FORMAT=raw")
    with Container(*IPXE_UEFI, *words, *SMALL, "-v", f"{tmp_path}:/netboot") as container:
        assert container.wait() == 0
        assert container.text.count(vm.SCRIPT_RAN) == 1
        assert container.text.index(vm.SCRIPT_RAN) < container.text.index(DISK)


def test_secure_boot_with_ipxe_is_refused_before_the_start(image):
    with Container("-e", "IPXE_ENABLE=1", "-e", "BOOT_MODE=secure", *SMALL) as container:
        assert container.wait() == 3
        assert "iPXE cannot run with Secure Boot here" in container.text
        assert "--no-ipxe --boot-order network --pxe v4" in container.text


@pytest.mark.slow
def test_aarch64_boots_by_ipxe(image, tmp_path):
    folder = tmp_path / "netboot"
    shutil.copytree(vm.made_assets("--arm64") / "arm64", folder)
    folder.chmod(0o755)
    tmp_path.chmod(0o755)
    (folder / "boot.ipxe").write_text(
        f"#!ipxe\necho {vm.SCRIPT_RAN} ${{buildarch}}\nkernel vmlinuz initrd=initrd.gz console=ttyAMA0\ninitrd initrd.gz\nboot\n"
    )
    words = ("-e", "ARCH=aarch64", "-e", "IPXE_ENABLE=1", "-e", "NETBOOT_DIR=/netboot")
    with Container(*words, *SMALL, "-v", f"{folder}:/netboot:ro") as container:
        assert container.wait() == 0
        assert f"{vm.SCRIPT_RAN} arm64" in container.text
        assert vm.GUEST_UP in container.text
