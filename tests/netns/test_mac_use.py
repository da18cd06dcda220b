"""A MAC address that is in use already is told: of another VM of this host, of the host itself, on the wire."""

import re
import socket
import subprocess

import pytest

import lab as labs
import vm

TWIN = "52:54:00:aa:00:01"
SMALL = ("--memory", "64M", "--cpus", "1", "--mac", TWIN)


def started(net, *arguments):
    result = subprocess.run(
        net.inside(str(vm.BINARY), *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )
    return result.returncode, result.stdout + result.stderr


def test_a_second_vm_with_the_address_on_one_bridge_is_refused(lab, boot):
    net = lab("bridge")
    arguments = ("--ipxe", "--network", "bridge", "--bridge", "br0", *SMALL)
    with boot(net, *arguments) as run:
        run.wait_text("machine: QEMU built", "own")
        before = net.links()
        code, text = started(net, "--name", "second", *arguments)
        assert code == 3, text
        assert f"the VM {run.name} on its port vmtap0 has the guest's MAC address {TWIN}" in text
        assert net.links() == before
        code, text = started(net, "doctor", "--name", "second", *arguments)
        assert code == 3 and "has the guest's MAC address" in text
        code, text = started(net, "plan", "--name", "second", *arguments)
        assert code == 0, text  # it may be of the VM that runs
        net.ip("link", "add", "br1", "type", "bridge")
        net.ip("link", "set", "br1", "up")
        code, text = started(net, "doctor", "--name", "second", "--network", "bridge", "--bridge", "br1", *SMALL)
        assert code == 0, text


def test_a_second_vm_with_the_address_on_one_device_is_refused(lab, boot):
    """The first one's macvtap is in a network namespace of its own: the kernel tells."""
    net = lab("direct")
    arguments = ("--ipxe", "--network", "direct", "--direct-dev", "up0", *SMALL)
    with boot(net, *arguments) as run:
        run.wait_text("machine: QEMU built", "own")
        code, text = started(net, "--name", "second", *arguments)
        assert code == 3, text
        assert f"on up0 (MAC {TWIN})" in text and "has this MAC address" in text


def test_the_lower_devices_own_address_is_refused(lab):
    net = lab("direct")
    own = re.search(r"link/ether (\S+)", net.ip("link", "show", "up0")).group(1)
    code, text = started(net, "--ipxe", "--network", "direct", "--direct-dev", "up0", "--mac", own)
    assert code == 3 and f"{own} is its own address" in text


def test_a_machine_on_the_wire_with_the_address_is_told_once(lab, boot):
    net = lab("bridge")
    arp = bytes.fromhex("ffffffffffff" + TWIN.replace(":", "") + "08060001080006040001" + TWIN.replace(":", ""))
    wire = labs.in_namespace(net.srv, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    with wire, boot(net, "--ipxe", "--network", "bridge", "--bridge", "br0", *SMALL) as run:
        wire.bind(("srv0", 0))
        run.wait_text("machine: QEMU built", "own")

        def told():
            wire.send(arp.ljust(60, b"\0"))
            return "came in from the network" in run.text("own")

        labs.wait_until(told, 20, "the other machine is told of")
        for _ in range(100):
            wire.send(arp.ljust(60, b"\0"))
        run.wait_text("option ROM: iPXE", "own")
        assert run.text("own").count("came in from the network") == 1
        assert f"net0's own MAC address {TWIN}" in run.text("own")
    code, text = started(net, "doctor", "--name", "second", "--network", "bridge", "--bridge", "br0", "--probe", "off", *SMALL)
    assert code == 0 and f"{TWIN} was heard on its port up0" in text
