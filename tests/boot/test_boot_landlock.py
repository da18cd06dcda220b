"""QEMU confined by Landlock boots as it does without: what it opens by name is on the list, for each kind of machine.

Other tests look at the guest's packets through an argument of their own for QEMU, which switches the domain off."""

import json
import subprocess

import pytest

import vm

UEFI = ("--firmware", "uefi")
WITH_SCREEN = ("--graphics", "vnc", "--vnc-port", "{port}")

MACHINES = {
    "bios": ("--ipxe",),
    "uefi": ("--ipxe", *UEFI),
    "e1000": ("--ipxe", "--nic-model", "e1000"),
    "screen": ("--ipxe", *WITH_SCREEN),
    "screen-uefi": ("--ipxe", *UEFI, *WITH_SCREEN),
    "tpm": ("--ipxe", *UEFI, "--tpm"),
    "disks": ("--ipxe", "--blank-disk", "--disk-bus", "scsi", "--disk-cache", "none"),
    "nvme": ("--ipxe", *UEFI, "--blank-disk", "--disk-bus", "nvme"),
    "seed": ("--ipxe", "--hostname", "box"),
}


def own_status(run):
    told = subprocess.run([vm.BINARY, "status", "--format", "json"], capture_output=True, check=True, env=run.full_environment())
    [mine] = [each for each in json.loads(told.stdout) if each["name"] == run.name]
    return mine


@pytest.mark.parametrize("kind", MACHINES)
def test_every_kind_of_machine_boots_confined(boot, netboot, tmp_path, kind):
    netboot.script()
    data = tmp_path / "data"
    data.mkdir()
    words = [word.format(port=vm.free_port()) for word in MACHINES[kind]]
    arguments = (*words, "--netboot-dir", netboot.path, "--data-dir", data, *vm.SMALL)
    with boot(*arguments, capture=False) as run:
        run.wait_text(vm.SCRIPT_RAN)
        assert own_status(run)["landlock"] > 0
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text()
        assert "denied" not in run.text("own") and "not permitted" not in run.text("own")


def test_arguments_of_ones_own_are_told_to_switch_it_off(boot, netboot):
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text(vm.SCRIPT_RAN)
        assert own_status(run)["landlock"] == 0
