"""Networks with IPv6, as they are: dual stack and IPv6 alone, DHCPv6 and addresses of a prefix, radvd, and a router that takes
its time. What vm-launch does to make a boot quicker must break none of them."""

import json

import pytest

import lab as labs
import vm
from routers import LateRouter

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
NETWORK = "fd77::"
FILES = [("/vmlinuz", 200), ("/initrd.gz", 200)]


def script():
    """Its files are named by an IPv6 address."""
    return labs.http_script(server=f"[{labs.SERVER6}]")


@pytest.fixture
def comes_up(boot, tmp_path):
    """comes_up(net): a boot to its end, whose files came over IPv6; its report."""

    def run_it(net, *flags):
        before = len(net.requests())
        report = tmp_path / "boot.json"
        with boot(net, *BRIDGE, "--report", str(report), *flags) as run:
            assert run.wait_exit() == 0
            assert vm.GUEST_UP in run.text()
        assert net.requests()[before:] == FILES
        return json.loads(report.read_text())

    return run_it


# To iPXE: nobody else offers anything, so that it waits for nothing but the router.
NO_PROXYDHCP = "--dhcp-option=encap:175,176,1b"


def dual_stack(lab, assets, *options):
    """DHCPv4 gives an address and names the script, whose files are the IPv6 server's."""
    return lab("bridge").with_ipv6().serve(assets, script(), options=options)


def ipv6_alone(lab, assets):
    """No DHCPv4 at all: DHCPv6 names the script, and gives addresses to those who ask."""
    url = f"tftp://[{labs.SERVER6}]/boot.ipxe"
    options = (f"--dhcp-range={NETWORK}10,{NETWORK}99,64", f"--dhcp-option=option6:59,{url}")
    return lab("bridge").with_ipv6().serve(assets, script(), bootfile=None, dhcp4=False, options=options)


# The router's answer waits for up to half a second, and after its latest to everybody for three (RFC 4861, 6.2.6): each
# boot meets another moment.
@pytest.mark.parametrize("flags", [(), ("AdvRASolicitedUnicast off;", "MinRtrAdvInterval 3;", "MaxRtrAdvInterval 4;")],
                         ids=["answers", "advertises-to-all"])  # fmt: skip
def test_dual_stack_boots_every_time(lab, assets, comes_up, flags):
    net = dual_stack(lab, assets).route(*flags)
    for _ in range(3):
        comes_up(net)


def test_dual_stack_with_a_router_that_takes_its_time(lab, assets, comes_up):
    net = dual_stack(lab, assets, NO_PROXYDHCP)
    with LateRouter(net, 2, NETWORK):
        report = comes_up(net)
    assert not any("IPv6 router was answered" in line for line in report["helped"])


@pytest.mark.parametrize("flag", ["AdvManagedFlag on;", "AdvOtherConfigFlag on;"], ids=["managed", "stateless"])
def test_ipv6_alone_boots_every_time(lab, assets, comes_up, flag):
    net = ipv6_alone(lab, assets).route(flag, "MinRtrAdvInterval 3;", "MaxRtrAdvInterval 4;")
    for _ in range(2):
        comes_up(net)
