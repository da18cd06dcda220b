"""UEFI beside iPXE's default way: the firmware's own clients one at a time, Secure Boot."""

import re
import socket

import pytest

import media
import vm

IPXE, FIRMWARE = "iPXE", "firmware"
LOADED = "THE-LOADED-PROGRAM-RAN"
DISK = "THE-DISK-BOOTED"


@pytest.fixture
def loader(tmp_path):
    """A folder with an EFI program that says that it runs and powers off."""
    folder = tmp_path / "netboot"
    folder.mkdir()
    (folder / "loader.efi").write_bytes(media.efi_program(LOADED))
    return folder


@pytest.fixture
def web(loader, web_of):
    return web_of(loader)


def test_pxe_v4_asks_by_pxe_alone(boot, loader):
    arguments = ("--firmware", "uefi", "--pxe", "v4", "--boot-order", "network", "--bootfile", "loader.efi")
    with boot(*arguments, "--netboot-dir", loader, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert LOADED in run.text()
        assert run.dhcp()[0].sender == FIRMWARE
        assert "Start PXE over IPv4" in run.text() and "HTTP" not in run.text()


def refused_by_pxe(boot, loader):
    """The console of a VM whose file goes before the firmware asks for it."""
    (loader / "loader.efi").touch()
    arguments = ("--firmware", "uefi", "--pxe", "v4", "--boot-order", "network", "--bootfile", "loader.efi")
    with boot(*arguments, "--netboot-dir", loader, *vm.SMALL) as run:
        run.wait_text("machine: QEMU built", "own")
        (loader / "loader.efi").unlink()
        assert run.wait_exit() == 13
        assert "loader.efi" in run.text("own")
        return run.text()


def test_what_the_firmware_would_try_next_is_not_waited_for(boot, loader):
    """OVMF would try HTTP afterwards, for a minute. It may begin, but nobody waits for its end. The firmware does not wait for
    vm-launch either, which on a busy host may take the link down too late: once, but not every time."""
    waited = r"BdsDxe: failed to [^\n]*UEFI HTTPv4"
    assert any(not re.search(waited, refused_by_pxe(boot, loader)) for _ in range(3))


def test_from_failed_pxe_to_the_disk_without_another_minute(boot, loader, tmp_path):
    disk = media.write_efi_disk(tmp_path / "disk.raw", DISK)
    arguments = ("--firmware", "uefi", "--pxe", "v4", "--boot-order", "network,hd", "--disk", disk, "--bootfile", "loader.efi")
    with boot(*arguments, "--netboot-dir", loader, *vm.SMALL, "--log-level", "debug") as run:
        run.wait_text("machine: QEMU built", "own")
        (loader / "loader.efi").unlink()
        run.wait_text(DISK)
        run.wait_exit()
        # The firmware does not wait for vm-launch, so a busy host may be too late with the link; then the minute passes,
        # and nothing else is lost.
        own = run.text("own")
        assert own.index("the link of net0 was taken down") < own.index("the link of net0 is up again")


def test_pxe_http4_asks_by_http_alone(boot, web):
    arguments = ("--firmware", "uefi", "--pxe", "http4", "--boot-order", "network", "--bootfile", f"{web}/loader.efi")
    with boot(*arguments, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert LOADED in run.text()
        assert "Start HTTP Boot over IPv4" in run.text() and "Start PXE" not in run.text()


def test_pxe_http4_and_a_server_that_never_answers(boot):
    """The firmware asks for the size by HEAD, and gives up after 5 s. The host's kernel takes the connection, and nobody reads
    what comes over it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://10.0.2.2:{silent.getsockname()[1]}/loader.efi"
        client = ("--firmware", "uefi", "--no-ipxe", "--pxe", "http4", "--boot-order", "network", "--bootfile", url)
        with boot(*client, "--until", "os", *vm.SMALL) as run:
            assert run.wait_exit() == 13
            told = run.text("own").rsplit("error[", 1)[1]
            assert f"cannot fetch {url}: the server never answered" in told
            assert "nothing had come when the client gave up" in told


@pytest.mark.parametrize(("client", "words"), [("v6", "Start PXE over IPv6"), ("http6", "Start HTTP Boot over IPv6")])
def test_pxe_over_ipv6_begins_with_it(boot, client, words):
    with boot("--firmware", "uefi", "--pxe", client, "--boot-order", "network", *vm.SMALL) as run:
        run.wait_text(words)
        assert "IPv4" not in run.text()


def test_the_firmwares_clients_do_not_wait_behind_ipxe(boot, tmp_path, netboot):
    """A script that gives up hands over to the disk at once: none of OVMF's four minutes of waiting comes between."""
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho GIVING-UP\nexit 1\n")
    disk = media.write_efi_disk(tmp_path / "disk.raw", DISK)
    arguments = ("--ipxe", "--firmware", "uefi", "--boot-order", "network,hd", "--disk", disk)
    with boot(*arguments, "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.text().index("GIVING-UP") < run.text().index(DISK)
        assert ">>Start" not in run.text()
        assert {packet.sender for packet in run.dhcp()} <= {IPXE, "other"}
