"""64-bit ARM: iPXE that is truly iPXE, the firmware's own PXE, and a guest that comes up either way."""

import json
import shutil

import pytest

import vm

IPXE, FIRMWARE = "iPXE", "firmware"
GRUB_RAN = "GRUB-RAN-ITS-SCRIPT"


@pytest.fixture(scope="session")
def arm64():
    return vm.made_assets("--arm64") / "arm64"


@pytest.fixture
def arm_netboot(arm64, tmp_path):
    folder = tmp_path / "netboot"
    shutil.copytree(arm64, folder)
    folder.chmod(0o755)
    return folder


@pytest.mark.slow
def test_ipxe_on_arm_is_truly_ipxe(boot, arm_netboot, arm64, tmp_path):
    """Where no ROM holds an AArch64 image, iPXE's own program stands in: the wire says who boots, the plan says how."""
    (arm_netboot / "boot.ipxe").write_text(
        f"#!ipxe\necho {vm.SCRIPT_RAN} ${{buildarch}}\n"
        "kernel vmlinuz initrd=initrd.gz console=ttyAMA0\ninitrd initrd.gz\nboot\n"
    )
    arguments = ("--ipxe", "--arch", "aarch64", "--ipxe-rom", arm64 / "ipxe-arm64.efi", "--netboot-dir", arm_netboot)
    plan = vm.run("plan", *arguments, *vm.SMALL).stdout
    assert "ipxe-arm64.efi" in plan and "stands in for the ROM" in plan
    report = tmp_path / "boot.json"
    with boot(*arguments, *vm.SMALL, "--report", report) as run:
        assert run.wait_exit() == 0
        assert "ipxe-arm64.efi stands in for it" in json.loads(report.read_text())["nics"][0]["rom"]
        assert run.dhcp()[0].sender == IPXE
        assert f"{vm.SCRIPT_RAN} arm64" in run.text()
        assert vm.GUEST_UP in run.text()


@pytest.mark.slow
def test_the_firmwares_pxe_boots_grub_and_a_kernel(boot, arm_netboot):
    (arm_netboot / "grub").mkdir()
    (arm_netboot / "grub/grub.cfg").write_text(
        f"echo {GRUB_RAN}\nlinux /vmlinuz console=ttyAMA0\ninitrd /initrd.gz\nboot\n"
    )
    arguments = ("--boot-order", "network", "--arch", "aarch64", "--pxe", "v4", "--bootfile", "grubnetaa64.efi")
    with boot(*arguments, "--netboot-dir", arm_netboot, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.dhcp()[0].sender == FIRMWARE
        assert GRUB_RAN in run.text() and vm.GUEST_UP in run.text()
