"""What vm-launch serves to a guest on a bridge: iPXE's address comes from the network's own DHCP server, what it boots from
vm-launch, and nobody else sees or gets any of it."""

import contextlib
import json
import signal
import socket
import subprocess

import pytest

import lab as labs
import vm
from frames import Frames
from lab import private_folder
from terminal import Terminal

HOST = "10.77.0.3"
OTHER = "10.77.0.44"  # outside what the DHCP server gives
OUR_MAC = bytes.fromhex("02564d4c5241")  # netserve/frame_bytes.h
BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
THE_NETWORKS_OWN = "THE-NETWORKS-OWN-SCRIPT"
ROMS = {
    "bios": (),
    "uefi": ("--firmware", "uefi"),
    "bios, Debian 13, Kea": ("--ipxe-rom", "13/pxe-virtio.rom"),
    "uefi, Debian 13": ("--firmware", "uefi", "--ipxe-rom", "13/ipxe.efi"),
}


class LabTerminal(Terminal):
    """vm-launch on a terminal, in the VM's namespace of a lab."""

    def __init__(self, lab, folder, *arguments):
        super().__init__(folder, *arguments)
        self.lab = lab

    def command(self):
        return self.lab.inside(*super().command())


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


def ipxe_talk(report):
    return next(talk for talk in report["boots"][0]["dhcp"] if talk["client"] == "iPXE")


def a_port_beside(net):
    """Another port of the bridge, where a third host could be."""
    net.ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    net.ip("link", "set", "other0", "master", "br0", "up")
    net.ip("link", "set", "other1", "up")


@pytest.mark.parametrize("firmware", ROMS)
def test_it_goes_before_the_networks_own_file_and_nobody_else_sees_it(net, boot, folder, tmp_path, firmware):
    there = net(kea="Kea" in firmware)
    a_port_beside(there)
    folder.script()
    ipxes = vm.made_assets("--ipxe") / "ipxe"
    rom = [ipxes / word if word.startswith("13/") else word for word in ROMS[firmware]]
    with contextlib.ExitStack() as stack:
        places = [(there.srv, "srv0"), (there.vm, "other1"), (there.vm, "br0")]
        ours = [stack.enter_context(Frames(*place, is_ours)) for place in places]
        searches = [stack.enter_context(Frames(*place, is_discover)) for place in places]
        report, console, own = boots(there, boot, tmp_path, "--netboot-dir", folder.path, *rom)
    assert vm.GUEST_UP in console and THE_NETWORKS_OWN not in console
    assert all(frames.seen for frames in searches), "the guest's search was not seen outside: a watch is blind"
    assert [frames.seen for frames in ours] == [[], [], []]
    talk = ipxe_talk(report)
    assert talk["own_offer"]["server"] == HOST and talk["own_offer"]["file"].endswith("/boot.ipxe")
    assert [offer["server"] for offer in talk["offers"]] == [labs.SERVER]
    assert "iPXE takes vm-launch's file before the network's own (boot.ipxe, named by 10.77.0.1)" in own
    assert talk["acknowledged"]["at"] - talk["offers"][0]["at"] < 2.9  # iPXE waits for no other ProxyDHCP server: 3 s
    assert there.requests() == []
    assert all(fetch["by_vm_launch"] for fetch in report["boots"][0]["fetches"] if fetch["state"] == "done")
    assert any("net0's iPXE was offered what vm-launch serves by HTTP from 10.77.0.3" in line for line in report["helped"])


def test_a_network_that_names_nothing_and_fast_boot_off(net, boot, folder, tmp_path):
    """The service is asked for, and no shortcut; with the file come the options that are given."""
    folder.script(marker="THE-OPTION-IS-${209:string}")
    flags = ("--netboot-dir", folder.path, "--fast-boot", "off", "--dhcp-option", "config-file=A-VALUE")
    report, console, own = boots(net(bootfile=None), boot, tmp_path, *flags)
    assert vm.GUEST_UP in console and "THE-OPTION-IS-A-VALUE" in console
    assert "iPXE takes vm-launch's file" not in own
    assert "vm-launch's own, to this guest alone, file http://10.77.0.3:" in own


def test_before_another_proxydhcp_server(net, boot, folder):
    """Whichever of the two is faster: the DHCP server is slower than both, and the priority counts."""
    there = net(bootfile=None)
    dhcp = next(service for service, _ in there.services if "dnsmasq" in service.args)
    there.serve_proxydhcp("boot.ipxe")
    folder.script()
    dhcp.send_signal(signal.SIGSTOP)
    with boot(there, *BRIDGE, "--netboot-dir", folder.path) as run:
        try:
            run.wait_text("vm-launch's own, to this guest alone", "own")
            run.wait_text(f"ProxyDHCP offer by {labs.PROXY}", "own")
        finally:
            dhcp.send_signal(signal.SIGCONT)
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text() and THE_NETWORKS_OWN not in run.text()
        assert f"iPXE takes vm-launch's file before that of the ProxyDHCP server {labs.PROXY}" in run.text("own")


def test_a_network_that_forbids_proxydhcp_is_named_in_the_verdict(net, boot, folder, tmp_path):
    there = net(bootfile=None, options=("--dhcp-option-force=encap:175,176,1b",))
    folder.script()
    _, _, own = boots(there, boot, tmp_path, "--netboot-dir", folder.path, "--until", "os", code=12)
    verdict = own[own.index("error[") :]
    assert "the DHCP server 10.77.0.1 tells it to take no ProxyDHCP server's (option 175.176)" in verdict
    assert "neither option 175.176" in verdict


def test_what_is_missing_in_the_folder_is_the_verdict(net, boot, folder, tmp_path):
    (folder.path / "boot.ipxe").write_text("#!ipxe\nkernel ${cwduri}missing || kernel missing\nboot\n")
    _, _, own = boots(net(), boot, tmp_path, "--netboot-dir", folder.path, "--until", "os", code=13)
    verdict = own[own.index("error[") :]
    assert "/missing" in verdict and "404 Not Found" in verdict


def answer_to(namespace, port, path="/boot.ipxe"):
    """What a client in the namespace gets: b"" where the connection is closed."""
    connection = labs.in_namespace(namespace, lambda: socket.create_connection((HOST, port), timeout=20))
    with connection, contextlib.suppress(ConnectionError):
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return connection.recv(4096)
    return b""


def test_nobody_but_the_guest_is_served(net, boot, folder):
    """Neither another host of the network nor a user of this one; and the guest is, also when its operating system runs."""
    there = net()
    folder.script(words="vml.stay")
    flags = ("--netboot-dir", folder.path, "--log-level", "debug")
    with private_folder() as place, LabTerminal(there, place, *BRIDGE, *flags) as run:
        run.wait(rf"file http://{HOST}:(\d+)/boot.ipxe")
        port = int(run.match.group(1))
        run.wait(r"address (10\.77\.0\.\d+) from")
        address = run.match.group(1).decode()
        run.wait(vm.GUEST_UP)
        for namespace in (there.srv, there.vm):
            assert answer_to(namespace, port) == b""
        run.wait(rf"the connection from {labs.SERVER}:\d+ was closed: the guest has not opened it")
        nic = "$(ls /sys/class/net | grep -v lo)"
        # no DHCP client is there: an address that nobody else has, and one that the guest's iPXE did not have
        run.screen.send(f"ip addr add {OTHER}/24 dev {nic}; wget -q -O - http://{HOST}:{port}/boot.ipxe | wc -l\r".encode())
        run.wait(rf"\n{len((folder.path / 'boot.ipxe').read_text().splitlines())}\r")
        assert address != OTHER
        run.stop()


def refused(net, *flags):
    words = net.inside(str(vm.BINARY), "plan", *map(str, flags))
    ended = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return ended.returncode, ended.stderr


def test_what_cannot_be_served_is_refused(lab, folder):
    folder.script()
    there = lab("bridge")
    code, text = refused(there, *BRIDGE, "--netboot-dir", folder.path)
    assert code == 3 and "this host has no IPv4 address on br0" in text and "ip addr add" in text
    code, text = refused(lab("direct"), "--ipxe", "--network", "direct", "--direct-dev", "up0", "--netboot-dir", folder.path)
    assert code == 2 and "needs a NIC in user mode, on an isolated segment or on a bridge" in text


def test_a_script_by_itself(net, boot, folder, tmp_path):
    folder.script("other.ipxe")
    _, console, _ = boots(net(), boot, tmp_path, "--script", folder.path / "other.ipxe")
    assert vm.GUEST_UP in console
