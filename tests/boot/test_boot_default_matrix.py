"""The default matrix of `vm-launch test`, for real: each way to boot from a network, each NIC model, and both ways of naming the file."""

import json
import shutil

import pytest

import vm
from test_boot_test import run_test

MODELS = "virtio,e1000,e1000e,rtl8139,vmxnet3"
OTHER_MODELS = "ne2k_pci,pcnet"
# What UEFI's own client loads first, from vm-launch on the segment.
PROGRAMS = {
    "uefi-pxev4": "tftp://198.18.1.1/ipxe.efi",
    "uefi-pxev6": "tftp://[fd56:4d4c:5241::1:1]/ipxe.efi",
    "uefi-httpv4": "http://198.18.1.1/ipxe.efi",
    "uefi-httpv6": "http://[fd56:4d4c:5241::1:1]/ipxe.efi",
    "secure-shim": "tftp://198.18.1.1/shimx64.efi",
}
BY_DHCP6 = ("uefi-pxev6", "uefi-httpv6")
SKIPPED = {**{(way, "proxydhcp"): "DHCPv6" for way in BY_DHCP6}, ("secure-shim", "proxydhcp"): "GRUB"}


@pytest.fixture
def served(netboot, ipxes):
    """One folder for all of them."""
    payloads = vm.made_assets("--payloads") / "payloads"
    for name in ("undionly.kpxe", "shimx64.efi", "grubx64.efi"):
        shutil.copy(payloads / name, netboot.path)
    shutil.copy(ipxes / "13/ipxe.efi", netboot.path / "ipxe.efi")
    (netboot.path / "grub").mkdir()
    (netboot.path / "grub/grub.cfg").write_text("linux /vmlinuz console=ttyS0 no_timer_check\ninitrd /initrd.gz\nboot\n")
    return netboot.script()


def boots(netboot, *axes, until):
    """Those cells of the default matrix; their results by the values of the axes, each with its report where there is one."""
    folder = netboot.path.parent
    matrix = [word for axis in ("default", "arch=x86_64", *axes) for word in ("--matrix", axis)]
    words = ("test", *matrix, "--netboot-dir", netboot.path, "--until", until, "-j", "2", *vm.SMALL)
    result, told = run_test(folder, *words)
    assert result.returncode == 0, result.stdout + result.stderr
    for each in told.values():
        each.update(pair.split("=", 1) for pair in each["name"].split(" "))
        each["report"] = json.loads((folder / "out" / f"{each['files']}.json").read_text()) if each["files"] else None
    return list(told.values())


def first_talk(each):
    return each["report"]["boots"][0]["dhcp"][0]


def named_with_address(each):
    """Whether an offer that gives the address names a file."""
    return any(offer["file"] for talk in each["report"]["boots"][0]["dhcp"] for offer in talk["offers"] if not offer["proxy"])


@pytest.mark.parametrize("offer", ["dhcp", "proxydhcp"])
def test_every_nic_model_runs_ipxe(netboot, offer):
    """By its ROM, on BIOS: the wire says so."""
    told = boots(netboot.script(), "boot=bios-ipxe", f"nic-model={MODELS},{OTHER_MODELS}" if offer == "dhcp" else f"nic-model={MODELS}",
                 f"offer={offer}", until="script")
    assert {each["nic-model"] for each in told} >= set(MODELS.split(","))
    for each in told:
        assert each["outcome"] == "passed", each
        assert first_talk(each)["client"] == "iPXE"
        assert each["report"]["nics"][0]["rom"].endswith(".rom")
        assert named_with_address(each) == (offer == "dhcp")
        assert any(told["proxy"] and told["file"] for told in first_talk(each)["offers"]) == (offer == "proxydhcp")


@pytest.mark.slow
def test_every_nic_model_runs_ipxe_on_uefi(netboot):
    told = boots(netboot.script(), "boot=uefi-ipxe", f"nic-model={MODELS},{OTHER_MODELS}", "offer=dhcp", until="discover")
    assert len(told) == 7
    for each in told:
        assert each["outcome"] == "passed", each
        assert first_talk(each)["client"] == "iPXE"


def assert_undionly_ran(report):
    """An iPXE that had the NIC anew asks for an address, after the ROM's had fetched undionly.kpxe, and before it has the script."""
    fetched = {fetch["url"].rsplit("/", 1)[1]: fetch for fetch in report["fetches"]}
    talks = [talk for talk in report["dhcp"] if talk["began"] > fetched["undionly.kpxe"]["ended"]]
    assert talks and talks[0]["client"] == "iPXE"
    assert talks[0]["began"] < fetched["boot.ipxe"]["began"]


def assert_boots(told, ways):
    """What the table of programs says is what booted, by either way of naming it, but where there is no such way."""
    assert len(told) == 2 * len(ways)
    for each in told:
        if (why := SKIPPED.get((each["boot"], each["offer"]))) is not None:
            assert each["outcome"] == "skipped" and why in each["reasons"][0]
            continue
        assert each["outcome"] == "passed", each
        fetched = [fetch["url"] for fetch in each["report"]["boots"][0]["fetches"]]
        if each["boot"] in PROGRAMS:
            assert fetched[0] == PROGRAMS[each["boot"]]
        if each["boot"] == "bios-undionly":
            assert_undionly_ran(each["report"]["boots"][0])
        if each["boot"] not in BY_DHCP6:
            assert (first_talk(each)["client"] == "firmware") == (each["boot"] in PROGRAMS)
            assert named_with_address(each) == (each["offer"] == "dhcp")


@pytest.mark.slow
def test_every_way_runs_the_script(served):
    """The firmware's own clients from vm-launch's DHCP and from a ProxyDHCP server, which DHCPv6 has none of."""
    ways = ("uefi-ipxe", "uefi-pxev4", "uefi-pxev6", "uefi-httpv4", "uefi-httpv6")
    told = boots(served, f"boot={','.join(ways)}", "nic-model=virtio", until="script")
    assert_boots(told, ways)


def test_an_undionly_that_returns_is_no_boot(netboot):
    """The ROM's iPXE, which then goes on in its script, does not run the folder's in its place. (A stage of script is that first one.)"""
    (netboot.script().path / "undionly.kpxe").write_bytes(b"\x31\xc0\xcb".ljust(512, b"\0"))  # xor ax, ax; retf
    folder = netboot.path.parent
    axes = ("default", "boot=bios-undionly", "arch=x86_64", "nic-model=virtio", "offer=dhcp")
    matrix = [word for axis in axes for word in ("--matrix", axis)]
    result, told = run_test(folder, "test", *matrix, "--netboot-dir", netboot.path, "--until", "kernel", *vm.SMALL)
    assert result.returncode != 0, result.stdout + result.stderr
    [each] = told.values()
    assert each["outcome"] == "failed", each
    fetched = [fetch["url"] for fetch in json.loads((folder / "out" / f"{each['files']}.json").read_text())["boots"][0]["fetches"]]
    assert any(url.endswith("undionly.kpxe") for url in fetched)
    assert not any(url.endswith("boot.ipxe") for url in fetched)


@pytest.mark.slow
def test_chains_come_to_a_kernel(served):
    """The ROM's iPXE by a script, undionly.kpxe and another script; shim and GRUB."""
    ways = ("bios-undionly", "secure-shim")
    told = boots(served, f"boot={','.join(ways)}", "nic-model=virtio", until="kernel")
    assert_boots(told, ways)
