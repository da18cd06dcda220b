"""iPXE's EFI program in place of a ROM on x86_64, of Debian 12 (2019) and of Debian 13 (2025): the wire says who boots."""

import json

import pytest

import media
import vm

IPXE, FIRMWARE = "iPXE", "firmware"
DISK = "THE-DISK-BOOTED"

debians = pytest.mark.parametrize("debian", ["12", "13"])


@pytest.fixture
def program(ipxes):
    return lambda debian: ("--ipxe", "--firmware", "uefi", "--ipxe-rom", ipxes / debian / "ipxe.efi")


@debians
@pytest.mark.parametrize("model", ["virtio", "e1000"])
def test_the_program_boots_to_the_operating_system(boot, netboot, program, tmp_path, debian, model):
    netboot.script()
    report = tmp_path / "boot.json"
    arguments = (*program(debian), "--nic-model", model, "--netboot-dir", netboot.path, "--report", report)
    with boot(*arguments, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.dhcp()[0].sender == IPXE
        assert vm.SCRIPT_RAN in run.text() and vm.GUEST_UP in run.text()
        assert "ipxe.efi stands in for it" in json.loads(report.read_text())["nics"][0]["rom"]


@debians
def test_a_script_that_gives_up_hands_over_to_the_disk(boot, netboot, program, tmp_path, debian):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho GIVING-UP\nexit 1\n")
    disk = media.write_efi_disk(tmp_path / "disk.raw", DISK)
    arguments = (*program(debian), "--boot-order", "hd,network", "--disk", disk, "--netboot-dir", netboot.path)
    with boot(*arguments, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.text().index("GIVING-UP") < run.text().index(DISK)
        assert ">>Start" not in run.text()


@debians
def test_a_reboot_is_the_networks_again(boot, netboot, program, debian):
    """As with a ROM and --ipxe: the network is first at every reset."""
    (netboot.path / "boot.ipxe").write_text(f"#!ipxe\necho {vm.SCRIPT_RAN}\nreboot\n")
    with boot(*program(debian), "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text(f"(?s)(?:{vm.SCRIPT_RAN}.*?){{2}}")


def test_the_nic_that_takes_part_is_the_one_that_asks(boot, netboot, program, tmp_path):
    """Two NICs, of which the second alone boots: it asks, and the first is silent."""
    netboot.script()
    arguments = (*program("13"), "--nic-boot", "off", "--nic", "mode=nat,boot=on", "--netboot-dir", netboot.path)
    with boot(*arguments, *vm.SMALL) as run:
        run.wait_text(r"Configuring \(net1")
        run.wait_text("net1: 10.0.2.15")
        assert "Configuring (net0" not in run.text()


def test_the_prompt_is_kept_when_asked_for(boot, netboot, program):
    netboot.script()
    with boot(*program("13"), "--ipxe-prompt", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text("Press Ctrl-B")
        run.wait_text(vm.SCRIPT_RAN)


@pytest.mark.parametrize("model", ["virtio", "e1000"])
def test_debian_12s_rom_boots_and_debian_13s_is_refused(boot, netboot, ipxes, model):
    """The first is iPXE, and boots by itself; the second is a driver, on which the firmware's own PXE would boot."""
    netboot.script()
    arguments = ("--ipxe", "--firmware", "uefi", "--nic-model", model, "--netboot-dir", netboot.path, "--ipxe-rom")
    with boot(*arguments, ipxes / "12" / f"efi-{model}.rom", *vm.SMALL) as run:
        assert run.wait_dhcp().sender == IPXE
    with boot(*arguments, ipxes / "13" / f"efi-{model}.rom", *vm.SMALL) as run:
        assert run.wait_exit() == 3
        assert "iPXE's network driver alone" in run.text("own")


@pytest.mark.parametrize("model", ["virtio", "e1000"])
def test_debian_13s_rom_is_truly_a_driver_alone(boot, netboot, ipxes, model):
    """Given to QEMU past vm-launch, so that this is not our own word: the firmware's PXE boots, and asks as itself."""
    arguments = ("--firmware", "uefi", "--boot-order", "network", "--nic-model", model, "--netboot-dir", netboot.path)
    rom = ipxes / "13" / f"efi-{model}.rom"
    with boot(*arguments, *vm.SMALL, extra=("-set", f"device.net0.romfile={rom}")) as run:
        run.wait_text(">>Start PXE over IPv4")
        assert run.wait_dhcp().sender == FIRMWARE
        assert "iPXE initialising" not in run.text()


def test_secure_boot_refuses_the_program_before_the_start(boot, netboot, ipxes):
    netboot.script()
    arguments = ("--ipxe", "--firmware", "secure", "--ipxe-rom", ipxes / "13/ipxe.efi", "--netboot-dir", netboot.path)
    with boot(*arguments, *vm.SMALL) as run:
        assert run.wait_exit() == 3
        assert "iPXE cannot run with Secure Boot here" in run.text("own")
        assert "--no-ipxe --boot-order network --pxe v4" in run.text("own")
