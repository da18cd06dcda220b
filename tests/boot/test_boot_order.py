"""What boots first, and what next: network, disk or CD, on BIOS and UEFI."""

import itertools
import re

import pytest

import media
import vm

NETWORK, DISK, CD = "THE-NETWORK-BOOTED", "THE-DISK-BOOTED", "THE-CD-BOOTED"
MARKERS = {"network": NETWORK, "hd": DISK, "cdrom": CD}
MEDIA = {"legacy": (media.write_disk, media.write_cd), "uefi": (media.write_efi_disk, media.write_efi_cd)}


def boot_what_gives_up(boot, netboot, tmp_path, firmware, *arguments):
    """A VM with a network, a disk and a CD, each of which says its name and hands over to the next device."""
    write_disk, write_cd = MEDIA[firmware]
    (netboot.path / "boot.ipxe").write_text(f"#!ipxe\necho {NETWORK}\nexit 1\n")
    disk = write_disk(tmp_path / "disk.raw", DISK, then_next=True)
    cd = write_cd(tmp_path / "cd.iso", CD, then_next=True)
    media_arguments = ("--disk", disk, "--iso", cd, "--netboot-dir", netboot.path)
    return boot("--firmware", firmware, *arguments, *media_arguments, *vm.SMALL)


def order_seen(text):
    return re.findall("|".join(MARKERS.values()), text)


@pytest.mark.parametrize("order", list(itertools.permutations(MARKERS)), ids="-".join)
def test_every_order_on_bios(boot, netboot, tmp_path, order):
    """Each device is tried in its turn: with SeaBIOS, NICs boot by their ROM in any place of the order."""
    wanted = [MARKERS[device] for device in order]
    with boot_what_gives_up(boot, netboot, tmp_path, "legacy", "--boot-order", ",".join(order)) as run:
        run.wait_text(wanted[-1])
        assert order_seen(run.text())[:3] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("order", ["network,hd,cdrom", "network,cdrom,hd", "hd,cdrom,network", "cdrom,network,hd"])
def test_the_order_on_uefi(boot, netboot, tmp_path, order):
    """iPXE is promoted; the others follow in their order. Without the network in between, the firmware's own clients
    have no part in it: their minutes of waiting would break the deadline."""
    order = order.split(",")
    promoted = order[0] != "network"
    wanted = [NETWORK, *(MARKERS[device] for device in order if device != "network")]
    with boot_what_gives_up(boot, netboot, tmp_path, "uefi", "--ipxe", "--boot-order", ",".join(order)) as run:
        run.wait_text(wanted[-1])
        assert order_seen(run.text())[:3] == wanted
        assert ("whatever the order says" in vm.run("plan", *run.arguments).stdout) == promoted


def test_promotion_cannot_loop_to_the_disk(boot, netboot, tmp_path):
    """--ipxe with a disk that boots, named first in the order: every boot, also that after each reset, is the
    network's."""
    (netboot.path / "boot.ipxe").write_text(f"#!ipxe\necho {NETWORK}\nsleep 1\nreboot\n")
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    arguments = ("--ipxe", "--boot-order", "hd,network", "--disk", disk, "--netboot-dir", netboot.path)
    with boot(*arguments, *vm.SMALL) as run:
        run.wait_text(f"(?s)(?:{NETWORK}.*?){{3}}|{DISK}")
        assert DISK not in run.text()


def test_a_blank_disk_does_not_keep_the_network_from_booting(boot, netboot):
    netboot.script()
    arguments = ("--ipxe", "--boot-order", "hd,network", "--blank-disk", "--disk-size", "1G")
    with boot(*arguments, "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text()


def test_a_disk_that_comes_first_is_no_failed_network_boot(boot, netboot, tmp_path):
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    arguments = ("--boot-order", "hd,network", "--disk", disk, "--netboot-dir", netboot.path)
    with boot(*arguments, "--until", f"console:{DISK}", *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert "went no further" not in run.text("own")


def test_a_blank_disk_that_comes_first_is_passed_over(boot, netboot):
    netboot.script()
    arguments = ("--boot-order", "hd,network", "--blank-disk", "--disk-size", "1G", "--netboot-dir", netboot.path)
    with boot(*arguments, "--until", "os", *vm.SMALL) as run:
        assert run.wait_exit() == 0


def test_a_disk_alone_asks_no_network(boot, tmp_path):
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    with boot("--boot-order", "hd", "--disk", disk, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()
        assert run.dhcp() == []


def test_cdrom(boot, tmp_path):
    cd = media.write_cd(tmp_path / "cd.iso", CD)
    with boot("--boot-order", "cdrom", "--iso", cd, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert CD in run.text()
