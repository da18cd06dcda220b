"""The router advertisement for the guest alone: it ends iPXE's wait, and nobody else sees it."""

import json
import time

import lab as labs
import vm
from routers import ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, Icmp6Watch, LateRouter

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)


def boots(net, assets, boot, tmp_path, *flags):
    """A boot to its end, and its report."""
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--report", str(report), *flags) as run:
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text("console")
    return json.loads(report.read_text())


def idle_after_address(report):
    boot = report["boots"][0]
    acknowledged = next(stage["at"] for stage in boot["stages"] if stage["stage"] == "dhcp")
    return min(fetch["began"] for fetch in boot["fetches"]) - acknowledged


def answered(report):
    return [line for line in report["helped"] if "IPv6 router was answered" in line]


def test_the_guest_alone_gets_an_answer(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, labs.http_script())
    net.ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    net.ip("link", "set", "other0", "master", "br0", "up")
    net.ip("link", "set", "other1", "up")
    with Icmp6Watch(net.srv, "srv0") as wire, Icmp6Watch(net.vm, "other1") as other, Icmp6Watch(net.vm, "br0") as bridge:
        fast = boots(net, assets, boot, tmp_path)
        stock = boots(net, assets, boot, tmp_path, "--fast-boot", "off")
    assert wire.of(ROUTER_SOLICITATION), "the guest's search was not seen outside: the watch is blind"
    for place in (wire, other, bridge):
        assert place.of(ROUTER_ADVERTISEMENT) == []
    assert len(answered(fast)) >= 1
    assert answered(stock) == [] and stock["helped"] == []
    assert fast["boots"][0]["probe"]["offers"] and stock["boots"][0]["probe"] is None
    # iPXE's own timer of 13 s ran in the one, and not in the other.
    assert idle_after_address(stock) - idle_after_address(fast) > 5
    assert any("bare metal" in hint and "IPv6 router" in hint for hint in fast["hints"])
    assert any("iPXE waited 13 s" in hint for hint in stock["hints"])
    assert any("175,176" in hint for hint in fast["hints"])
    assert all(boot["router"]["advertised"] is None for report in (fast, stock) for boot in report["boots"])


def test_a_real_router_goes_first(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, labs.http_script(), router=True)
    with Icmp6Watch(net.vm, "br0") as bridge:
        report = boots(net, assets, boot, tmp_path)
    assert bridge.of(ROUTER_ADVERTISEMENT), "the router said nothing"
    assert answered(report) == []
    assert report["boots"][0]["router"]["advertised"] is not None
    assert not any("IPv6 router" in hint for hint in report["hints"])


def served_over_ipv6(lab, assets):
    """A network that boots over IPv6: DHCPv4 gives an address and no file, DHCPv6 a file's URL."""
    net = lab("bridge").with_ipv6()
    url = f"tftp://[{labs.SERVER6}]/boot.ipxe"
    return net.serve(
        assets, labs.http_script(), bootfile=None,
        options=("--dhcp-range=fd77::10,fd77::99,64", f"--dhcp-option=option6:59,{url}"),
    )  # fmt: skip


def test_a_router_that_takes_its_time_is_waited_for(lab, assets, boot, tmp_path):
    """An advertisement of vm-launch's would settle the guest's IPv6 before DHCPv6 had its turn."""
    net = served_over_ipv6(lab, assets)
    with LateRouter(net, 4):
        report = boots(net, assets, boot, tmp_path)
    assert answered(report) == []


def test_where_dhcp_names_nothing_nothing_is_answered(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, labs.http_script(), bootfile=None)
    told = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--until", "script", "--report", str(told)) as run:
        assert run.wait_exit() == 12
    assert answered(json.loads(told.read_text())) == []


def test_a_boot_that_fails_after_a_help_says_so_before_its_verdict(lab, assets, boot):
    net = lab("bridge").serve(assets, f"#!ipxe\nkernel http://{labs.SERVER}/missing\nboot\n")
    with boot(net, *BRIDGE, "--until", "os") as run:
        assert run.wait_exit() == 13
        own = run.text("own")
    hand = own.index("vm-launch had a hand in this boot: at ")
    assert "IPv6 router was answered" in own[hand : own.index("error[")]


def test_nothing_is_answered_once_the_kernel_runs(lab, assets, boot, tmp_path):
    """The guest's kernel looks for a router too; that is its own affair."""
    net = lab("bridge").serve(assets, labs.http_script("vml.stay"))
    told = tmp_path / "boot.json"
    with Icmp6Watch(net.vm, "br0") as bridge, boot(net, *BRIDGE, "--report", str(told)) as run:
        run.wait_text(vm.GUEST_UP)
        before = len(bridge.of(ROUTER_SOLICITATION))
        deadline = time.monotonic() + 60
        while len(bridge.of(ROUTER_SOLICITATION)) == before and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(bridge.of(ROUTER_SOLICITATION)) > before, "the guest's kernel did not search"
        run.stop()
    report = json.loads(told.read_text())
    kernel = next(stage["at"] for stage in report["boots"][0]["stages"] if stage["stage"] == "kernel")
    assert answered(report)
    assert all(float(line.split()[1]) < kernel for line in answered(report))


def test_on_a_macvtap_nothing_is_answered(lab, assets, boot, tmp_path):
    """A frame sent there would go out to the wire."""
    net = lab("direct").serve(assets, labs.http_script())
    report = tmp_path / "boot.json"
    with Icmp6Watch(net.srv, "srv0") as wire:
        with boot(net, "--ipxe", "--network", "direct", "--direct-dev", "up0", *vm.SMALL, "--report", str(report)) as run:
            assert run.wait_exit() == 0
    assert answered(json.loads(report.read_text())) == []
    assert wire.of(ROUTER_ADVERTISEMENT) == []
    assert wire.of(ROUTER_SOLICITATION)
