"""What is given by itself, in the image: a script in a variable or from standard input, a kernel with its RAM disks."""

import subprocess

import pytest

import media
import vm
from containers import DEADLINE, IMAGE, RUNTIME, Container

SMALL = ("-e", "MEMORY=512", "-e", "CPUS=1")

pytestmark = pytest.mark.slow


def test_a_script_in_a_variable_boots(image, netboot):
    """The guide's container, without a server and without a script on a volume."""
    with Container("-e", f"NETBOOT_SCRIPT={vm.guest_script()}", "-e", "NETBOOT_DIR=/netboot", "-v", f"{netboot()}:/netboot:ro", *SMALL) as container:
        container.wait_text("script.ipxe runs")
        container.wait_text(vm.GUEST_UP)
        assert container.wait() == 0


def test_a_script_from_standard_input_boots(image, netboot):
    words = ("podman", "run", "--rm", "-i", *RUNTIME, "--network", "none", "-v", f"{netboot()}:/netboot:ro", *SMALL, IMAGE,
             "--script", "-", "--netboot-dir", "/netboot")
    told = subprocess.run(words, input=vm.guest_script(), capture_output=True, text=True, timeout=DEADLINE)
    assert told.returncode == 0, told.stderr
    assert "stdin.ipxe runs" in told.stderr
    assert vm.GUEST_UP in told.stdout


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_a_kernel_with_two_ram_disks_boots(image, netboot, firmware):
    """iPXE of 2025 puts them together for the kernel's EFI stub, and pads: nothing is said of their sizes."""
    folder = netboot()
    (folder / "second.cpio").write_bytes(media.second_ram_disk())
    settings = ("-e", "NETBOOT_KERNEL=/netboot/vmlinuz", "-e", "NETBOOT_INITRD=/netboot/initrd.gz,/netboot/second.cpio",
                "-e", "NETBOOT_APPEND=console=ttyS0 no_timer_check", "-e", f"BOOT_MODE={firmware}")
    with Container(*settings, "-v", f"{folder}:/netboot:ro", *SMALL) as container:
        container.wait_text(media.SECOND_RAM_DISK)
        assert container.wait() == 0
        assert "multiple of 4" not in container.text


def test_a_kernel_for_arm_boots(image):
    arm = vm.made_assets("--arm64") / "arm64"
    settings = ("-e", "ARCH=aarch64", "-e", "NETBOOT_KERNEL=/arm/vmlinuz", "-e", "NETBOOT_INITRD=/arm/initrd.gz", "-e", "UNTIL=os")
    with Container(*settings, "-v", f"{arm}:/arm:ro", *SMALL) as container:
        assert container.wait() == 0
        assert "the guest came to os" in container.text
