"""What vm-launch serves to a guest on a bridge: iPXE's address comes from the network's own DHCP server, what it boots from
vm-launch, and nobody else sees or gets any of it."""

import contextlib
import json
import os
import socket
import threading

import pytest

import lab as labs
import vm

HOST = "10.77.0.3"
OUR_MAC = bytes.fromhex("02564d4c5241")  # netserve/frame_bytes.h
BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
THE_NETWORKS_OWN = "THE-NETWORKS-OWN-SCRIPT"
ROMS = {
    "bios": (),
    "uefi": ("--firmware", "uefi"),
    "bios, Debian 13": ("--ipxe-rom", "13/pxe-virtio.rom"),
    "uefi, Debian 13": ("--firmware", "uefi", "--ipxe-rom", "13/ipxe.efi"),
}


class Frames:
    """Those on a link of a namespace that pass the test, as long as the context lasts."""

    def __init__(self, namespace, link, wanted):
        self.seen, self.wanted, self.ended = [], wanted, False
        self.socket = labs.in_namespace(namespace, lambda: self._open(link))
        self.thread = threading.Thread(target=self._read)

    @staticmethod
    def _open(link):
        every_protocol = 3  # ETH_P_ALL
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol))
        packets.bind((link, every_protocol))
        packets.settimeout(0.2)
        return packets

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()

    def _read(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError, OSError):
                frame = self.socket.recv(2048)
                if self.wanted(frame):
                    self.seen.append(frame)


def is_ours(frame):
    return frame[6:12] == OUR_MAC


def is_discover(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == b"\x00\x43"


def by_network(name=THE_NETWORKS_OWN):
    return f"#!ipxe\necho {name}\nshell\n"


@pytest.fixture
def net(lab, assets):
    """net(…): a bridge on which the host has an address, and what the network's own servers say."""

    def make(script=None, **options):
        made = lab("bridge")
        made.ip("addr", "add", f"{HOST}/24", "dev", "br0")
        return made.serve(assets, script or by_network(), **options)

    return make


@pytest.fixture
def folder(assets):
    with labs.private_folder() as path:
        yield vm.Netboot(path, assets)


def boots(net, boot, tmp_path, *flags, code=0):
    """A run to its end: its report, its console and its own lines."""
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--report", str(report), "--log-level", "debug", *flags) as run:
        assert run.wait_exit() == code, run.story()
    return json.loads(report.read_text()), run.text("console"), run.text("own")


@pytest.mark.parametrize("firmware", ROMS)
def test_it_goes_before_the_networks_own_file(net, boot, folder, tmp_path, firmware):
    lab = net()
    folder.script()
    ipxes = vm.made_assets("--ipxe") / "ipxe"
    rom = [ipxes / word if word.startswith("13/") else word for word in ROMS[firmware]]
    with Frames(lab.srv, "srv0", is_ours) as wire, Frames(lab.srv, "srv0", is_discover) as searches:
        report, console, own = boots(lab, boot, tmp_path, "--netboot-dir", folder.path, *rom)
    assert vm.GUEST_UP in console and THE_NETWORKS_OWN not in console
    assert searches.seen, "the guest's search was not seen outside: the watch is blind"
    assert wire.seen == []
    talk = next(talk for talk in report["boots"][0]["dhcp"] if talk["client"] == "iPXE")
    assert talk["own_offer"]["server"] == HOST and talk["own_offer"]["file"].endswith("/boot.ipxe")
    assert [offer["server"] for offer in talk["offers"]] == [labs.SERVER]
    assert "iPXE takes vm-launch's file before the network's own (boot.ipxe, named by 10.77.0.1)" in own
    # iPXE waits for no other ProxyDHCP server
    assert talk["acknowledged"]["at"] - talk["offers"][0]["at"] < 1.5
    assert lab.requests() == []
