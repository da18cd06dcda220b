"""Trouble is told before QEMU starts, and by `doctor` alone; real faults, one at a time."""

import os
import subprocess

import pytest

import vm


def doctor(net, *arguments):
    result = subprocess.run(
        net.inside(str(vm.BINARY), "doctor", *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return result.returncode, result.stdout + result.stderr


def test_a_good_bridge(lab):
    code, text = doctor(lab("bridge"), "--network", "bridge", "--bridge", "br0", "--ipxe", "--probe", "off")
    assert code == 0
    assert "the bridge br0 can be used" in text
    assert "Nothing is missing." in text


def direct_on_a_port(net):
    return ("direct", "up0")


def bridge_of(name):
    return lambda net: ("bridge", name)


def down_bridge(net):
    net.ip("link", "set", "br0", "down")
    return ("bridge", "br0")


def down_device(net):
    net.ip("link", "add", "dev1", "type", "veth", "peer", "name", "dev2")
    return ("direct", "dev1")


@pytest.mark.parametrize(
    ("kind", "spoil", "words"),
    [
        ("bridge", bridge_of("br9"), ["there is no such bridge", "br0"]),
        ("bridge", bridge_of("up0"), ["bridge"]),
        ("bridge", down_bridge, ["down"]),
        ("bridge", direct_on_a_port, ["br0"]),
        ("direct", down_device, ["down"]),
        ("direct", lambda net: ("direct", "eth9"), ["up0"]),
        ("direct", lambda net: ("direct", "lo"), ["Ethernet"]),
    ],
)
def test_a_fault_names_itself_and_its_cure(lab, kind, spoil, words):
    net = lab(kind)
    mode, name = spoil(net)
    option = "--bridge" if mode == "bridge" else "--direct-dev"
    before = net.links()
    code, text = doctor(net, "--network", mode, option, name)
    assert code == 3, text
    assert "hint:" in text
    for word in words:
        assert word in text, text
    started = subprocess.run(
        net.inside(str(vm.BINARY), "--ipxe", "--network", mode, option, name), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=60,
    )
    assert started.returncode == 3
    assert net.links() == before


def test_a_bridge_without_a_port_is_a_warning(lab):
    net = lab("bridge")
    net.ip("link", "add", "br1", "type", "bridge")
    net.ip("link", "set", "br1", "up")
    code, text = doctor(net, "--network", "bridge", "--bridge", "br1")
    assert code == 0
    assert "warning" in text and "no port" in text


def test_a_macvlan_as_lower_device_is_a_warning(lab):
    net = lab("direct")
    net.ip("link", "add", "link", "up0", "name", "mv0", "type", "macvlan", "mode", "bridge")
    net.ip("link", "set", "mv0", "up")
    code, text = doctor(net, "--network", "direct", "--direct-dev", "mv0")
    assert code == 0
    assert "warning" in text and "itself a macvlan" in text


def test_mtu_larger_than_the_lower_devices(lab):
    code, text = doctor(lab("direct"), "--network", "direct", "--direct-dev", "up0", "--mtu", "9000")
    assert code == 3
    assert "1500" in text


def test_without_the_capability_the_flag_is_named(lab):
    net = lab("bridge")
    words = ["capsh", "--drop=cap_net_admin", "--", "-c", f"{vm.BINARY} doctor --network bridge --bridge br0"]
    result = subprocess.run(net.inside(*words), capture_output=True, text=True)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "--cap-add NET_ADMIN" in result.stdout


def test_without_dev_net_tun_the_flag_is_named(lab):
    net = lab("bridge")
    script = f"mount -t tmpfs none /dev/net && exec {vm.BINARY} doctor --network bridge --bridge br0"
    result = subprocess.run(net.inside("unshare", "-m", "sh", "-c", script), capture_output=True, text=True)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "--device /dev/net/tun" in result.stdout


def test_a_failure_in_the_middle_undoes_the_rest(lab, tmp_path):
    """Both links are made, then a QEMU that no check can see through does not start: the links go away again."""
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_bytes(b"\x7fELF no program")
    qemu.chmod(0o755)
    net = lab("bridge")
    before = net.links()
    result = subprocess.run(
        net.inside(vm.BINARY, "--ipxe", "--network", "bridge", "--bridge", "br0", "--nic", "mode=bridge,bridge=br0"),
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
    )
    assert result.returncode == 4, result.stderr
    assert "running the program" in result.stderr  # what comes after the links
    assert net.links() == before
