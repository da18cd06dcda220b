"""What boots first: network, disk or CD."""

import media
import vm

DISK, CD = "THE-DISK-BOOTED", "THE-CD-BOOTED"


def test_network_is_promoted_over_a_disk(boot, netboot, tmp_path):
    """--ipxe puts the network first, whatever the order says, even though the disk could boot."""
    netboot.script()
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    with boot(
        "--ipxe", "--boot-order", "hd,network", "--disk", disk, "--netboot-dir", netboot.path, *vm.SMALL
    ) as run:
        run.wait_text(f"{vm.SCRIPT_RAN}|{DISK}")
        assert DISK not in run.text()
        run.stop()


def test_a_blank_disk_does_not_keep_the_network_from_booting(boot, netboot):
    netboot.script()
    arguments = ("--ipxe", "--boot-order", "hd,network", "--blank-disk", "--disk-size", "1G")
    with boot(*arguments, "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text()


def test_hd(boot, tmp_path):
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


def test_cdrom_before_hd(boot, tmp_path):
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    cd = media.write_cd(tmp_path / "cd.iso", CD)
    with boot("--boot-order", "cdrom,hd", "--disk", disk, "--iso", cd, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert CD in run.text() and DISK not in run.text()


def test_the_disk_is_next_when_the_script_gives_up(boot, netboot, tmp_path):
    """iPXE's `exit` hands over to the next boot device."""
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho GIVING-UP\nexit 1\n")
    disk = media.write_disk(tmp_path / "disk.raw", DISK)
    with boot("--ipxe", "--boot-order", "network,hd", "--disk", disk, "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.text().index("GIVING-UP") < run.text().index(DISK)
