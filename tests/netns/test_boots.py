"""Network boots over real links: DHCP, a script by TFTP, kernel and initramfs by HTTP, a guest that says it is up."""

import json
import re

import pytest

import lab as labs
import vm


def test_bridge_boots_by_dhcp_tftp_and_http(lab, boot, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    before = net.links()
    with boot(net, "--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL) as run:
        run.wait_text(vm.SCRIPT_RAN)
        run.wait_text(vm.GUEST_UP)
        assert run.wait_exit() == 0
        assert net.links() == before
        assert net.requests() == [("/vmlinuz", 200), ("/initrd.gz", 200)]
        # dnsmasq names the user class: iPXE itself asked, not a firmware's PXE
        assert "user class: iPXE" in net.dhcp_log()
        assert "operating system" in run.text("own")


@pytest.mark.parametrize("model", ["virtio", "e1000"])
def test_direct_boots(lab, boot, assets, model):
    net = lab("direct").serve(assets, labs.http_script())
    before = net.links()
    with boot(net, "--ipxe", "--network", "direct", "--direct-dev", "up0", "--nic-model", model, *vm.SMALL) as run:
        run.wait_text(vm.GUEST_UP)
        assert run.wait_exit() == 0
        # the macvtap goes with the namespace that it lived in, which the kernel takes down in its own time
        labs.wait_until(lambda: net.links() == before, 10, "the macvtap is gone")
        assert ("/initrd.gz", 200) in net.requests()


@pytest.mark.parametrize("kind", ["bridge", "direct"])
def test_boots_with_two_pairs_of_queues(lab, boot, assets, kind):
    """iPXE uses one pair, and the guest's driver both."""
    net = lab(kind).serve(assets, labs.http_script())
    where = ("--bridge", "br0") if kind == "bridge" else ("--direct-dev", "up0")
    with boot(net, "--ipxe", "--network", kind, *where, "--nic-queues", "2", "--memory", "512M", "--cpus", "2") as run:
        run.wait_text(vm.GUEST_UP + r".* queues=2\b")
        assert run.wait_exit() == 0
        assert ("/initrd.gz", 200) in net.requests()


def test_boots_with_all_the_queues_that_a_tap_can_have(lab, boot, assets):
    """More descriptors than the usual soft limit of open files lets through; iPXE uses one pair."""
    net = lab("bridge").serve(assets, labs.http_script())
    queues = ("--nic-queues", "256", "--memory", "512M", "--cpus", "1")
    with boot(net, "--ipxe", "--network", "bridge", "--bridge", "br0", *queues) as run:
        run.wait_text(vm.GUEST_UP)
        assert run.wait_exit() == 0
        assert ("/initrd.gz", 200) in net.requests()


def test_bridge_with_e1000(lab, boot, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    with boot(net, "--ipxe", "--network", "bridge", "--bridge", "br0", "--nic-model", "e1000", *vm.SMALL) as run:
        run.wait_text(vm.GUEST_UP)
        assert run.wait_exit() == 0


def test_settings_by_environment_with_a_second_nic(lab, boot, assets):
    """The first NIC takes no part in the boot; the second, on the bridge, has its own ROM and bootindex."""
    net = lab("bridge").serve(assets, labs.http_script())
    environment = {
        "IPXE_ENABLE": "1", "NETWORK_MODE": "nat", "NETWORK_BOOT": "0", "NETWORK_MODEL": "e1000",
        "NETWORK2_MODE": "bridge", "NETWORK2_BRIDGE": "br0", "NETWORK2_BOOT": "1",
    }
    with boot(net, *vm.SMALL, environment=environment) as run:
        run.wait_text(vm.GUEST_UP)
        assert run.wait_exit() == 0
        assert ("/vmlinuz", 200) in net.requests()
        macs = re.findall(r"net\d: (52(?::[0-9a-f]{2}){5}) using", run.text())
        assert macs, "iPXE names the NIC that it uses"


def test_two_bootable_nics_boot_in_turn(lab, boot, assets):
    """The first NIC's network has no server: the second one's ROM runs after it."""
    net = lab("bridge").serve(assets, labs.http_script())
    net.ip("link", "add", "br1", "type", "bridge")
    net.ip("link", "set", "br1", "up")
    with boot(
        net, "--ipxe", "--network", "bridge", "--bridge", "br1", "--nic", "mode=bridge,bridge=br0,boot=on", *vm.SMALL
    ) as run:
        run.wait_text(vm.GUEST_UP, seconds=2 * vm.BOOT_DEADLINE)
        assert run.wait_exit() == 0


def test_two_vms_on_one_bridge(lab, boot, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    before = net.links()
    arguments = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
    with boot(net, *arguments) as one:
        # dnsmasq may offer one address to two clients that ask at the same time, and refuse the later one.
        one.wait_text("DHCP: address", "own")
        with boot(net, *arguments) as two:
            for run in (one, two):
                run.wait_text(vm.GUEST_UP, seconds=2 * vm.BOOT_DEADLINE)
                assert run.wait_exit() == 0
        macs = [re.search(r"52(?::[0-9a-f]{2}){5}", run.text()).group() for run in (one, two)]
        assert macs[0] != macs[1]
    assert net.links() == before


def test_stp_bridge_is_waited_for(lab, boot, assets, tmp_path):
    """STP's forward delay would outlast iPXE's DHCP: the guest waits for it, paused; and so does the probe."""
    net = lab("bridge", "stp_state", "1", "forward_delay", "400").serve(assets, labs.http_script())
    report = tmp_path / "boot.json"
    arguments = ("--ipxe", "--network", "bridge", "--bridge", "br0", "--report", str(report), *vm.SMALL)
    with boot(net, *arguments) as run:
        run.wait_text(r"waiting until br0 forwards, about 8 s", "own")
        run.wait_text(r"the bridge forwards: the guest runs now", "own", seconds=60)
        run.wait_text(r"machine: QEMU built the machine", "own")
        run.wait_text(vm.SCRIPT_RAN)
        run.stop()
    probe = json.loads(report.read_text())["boots"][0]["probe"]
    assert probe["discovers"] == 1 and [offer["server"] for offer in probe["offers"]] == [labs.SERVER]


def test_large_mtu_reaches_the_guest(lab, boot, assets):
    net = lab("bridge")
    run_ip = net.ip
    run_ip("link", "set", "up0", "mtu", "9000")
    labs.run("ip", "-n", net.srv, "link", "set", "srv0", "mtu", "9000")
    run_ip("link", "set", "br0", "mtu", "9000")
    net.serve(assets, labs.http_script("vml.stay"))
    with boot(net, "--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL) as run:
        run.wait_text(vm.GUEST_UP)
        taps = [link for link in net.links() if link[0].startswith("vmtap")]
        assert [tap[3] for tap in taps] == [9000]
        assert [link[3] for link in net.links() if link[0] == "br0"] == [9000]
        run.stop()
