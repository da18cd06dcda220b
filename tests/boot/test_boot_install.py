"""The whole story of an installation: a blank disk, a network boot whose installer writes to the disk and reboots, and
then the same VM from its disk, to the end."""

import json
import subprocess

import pytest

import media
import vm

INSTALLED = "VM-LAUNCH-GUEST-INSTALLED"
DISK = "THE-INSTALLED-DISK-BOOTED"


@pytest.fixture
def installer(netboot):
    """A script that boots the guest with the words that make it an installer of an image."""

    def make(image, words="console=ttyS0 vml.install"):
        (netboot.path / "disk.cpio").write_bytes(
            media.cpio([("install", 0o40755, b""), ("install/disk.img", 0o100644, image)])
        )
        (netboot.path / "boot.ipxe").write_text(
            f"#!ipxe\necho {vm.SCRIPT_RAN}\n"
            # The kernel looks for the next archive where a multiple of four bytes begins: this one's length is one.
            f"kernel vmlinuz initrd=disk.cpio initrd=initrd.gz no_timer_check {words}\n"
            "initrd disk.cpio\ninitrd initrd.gz\nboot\n"
        )
        return netboot.path

    return make


IMAGES = {"legacy": lambda: media.boot_sector(DISK).ljust(4096, b"\0"), "uefi": lambda: media.efi_volume(DISK)}


@pytest.mark.slow
@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_install_once_then_disk(boot, installer, tmp_path, firmware):
    install_once_then_disk(boot, installer(IMAGES[firmware]()), tmp_path, "--firmware", firmware)


@pytest.mark.slow
@pytest.mark.parametrize("debian", ["12", "13"])
def test_install_once_by_ipxes_program_then_disk(boot, installer, tmp_path, ipxes, debian):
    """In place of a ROM the program boots once as well: QEMU's -kernel would install for ever."""
    words = ("--firmware", "uefi", "--ipxe-rom", ipxes / debian / "ipxe.efi")
    install_once_then_disk(boot, installer(IMAGES["uefi"]()), tmp_path, *words)


def install_once_then_disk(boot, folder, tmp_path, *words):
    """The order changes by itself at the reset, and with --data-dir it is remembered: a second start of vm-launch with
    the same words boots the disk at once."""
    data = tmp_path / "data"
    data.mkdir()
    arguments = ("--ipxe", *words, "--boot-once", "network", "--blank-disk", "--disk-size", "64M",
                 "--netboot-dir", folder, "--data-dir", data, *vm.SMALL)  # fmt: skip
    report = tmp_path / "report.json"
    with boot(*arguments, "--report", report) as run:
        assert run.wait_exit() == 0
        boots = json.loads(report.read_text())["boots"]
        assert len(boots) == 2, "the network's boot and the disk's"
        text = run.text()
        assert text.count(vm.SCRIPT_RAN) == 1
        assert text.index(vm.SCRIPT_RAN) < text.index(INSTALLED) < text.index(DISK)
    again = boot(*arguments)
    again.name = run.name
    with again:
        assert again.wait_exit() == 0
        assert DISK in again.text() and vm.SCRIPT_RAN not in again.text()
        assert "--boot-once was done in an earlier run" in again.text("own")


def test_an_installer_that_says_nothing_is_known_by_what_it_wrote(boot, installer, tmp_path):
    """No console, no NIC, no agent: at its reset the disk boots all the same."""
    folder = installer(IMAGES["legacy"](), "quiet console=tty0 vml.quiet vml.install")
    report = tmp_path / "report.json"
    arguments = ("--ipxe", "--boot-once", "network", "--blank-disk", "--disk-size", "64M", "--netboot-dir", folder)
    with boot(*arguments, "--report", report, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text() and run.text().count(vm.SCRIPT_RAN) == 1
        assert INSTALLED not in run.text()


def test_a_reset_before_the_installer_ran_is_the_networks_again(boot, installer, tmp_path):
    """A script that reboots to try again, and the user's own reset: the blank disk does not boot before the installation."""
    folder = installer(IMAGES["legacy"]())
    installs = (folder / "boot.ipxe").read_text()
    (folder / "boot.ipxe").write_text("#!ipxe\necho TRYING-AGAIN\nsleep 1\nreboot\n")
    data = tmp_path / "data"
    data.mkdir()
    arguments = ("--ipxe", "--boot-once", "network", "--blank-disk", "--disk-size", "64M", "--netboot-dir", folder)
    with boot(*arguments, "--data-dir", data, "--reboot-limit", "0", *vm.SMALL) as run:
        run.wait_text("(?s)TRYING-AGAIN.*TRYING-AGAIN")
        run.wait_text("no operating system had run: --boot-once counts for this boot", "own")
        serve(folder, "#!ipxe\necho WAITING\nprompt\n")
        run.wait_text("WAITING")
        assert list(data.rglob("boot-once.done")) == []
        serve(folder, installs)
        assert subprocess.run([vm.BINARY, "reset", run.name], timeout=vm.END_DEADLINE).returncode == 0
        assert run.wait_exit() == 0
        text = run.text()
        assert text.index("WAITING") < text.index(INSTALLED) < text.index(DISK)
        assert text.count(INSTALLED) == 1
        assert len(list(data.rglob("boot-once.done"))) == 1


def serve(folder, script):
    """Never half of it: the guest may fetch it at any moment."""
    (folder / "new").write_text(script)
    (folder / "new").rename(folder / "boot.ipxe")
