"""The probe of a network: who offers what to a PXE client, asked in the guest's name. `doctor` tells it, and a verdict uses it."""

import json
import subprocess

import pytest

import lab as labs
import vm

BRIDGE = ("--network", "bridge", "--bridge", "br0", "--ipxe")
OURS = "52:54:00:ab:cd:ef"


def doctor(net, *arguments, prefix=()):
    command = net.inside(*prefix, str(vm.BINARY), "doctor", *arguments, "--format", "json")
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    told = json.loads(result.stdout)
    about = [line for line in told["lines"] if line["text"].startswith(("net0: br0:", "net0: up0:"))]
    return about, told["probe"]


def leases(net):
    path = net.folder / "leases"
    return path.read_text() if path.exists() else ""


def second_server(net):
    """Another DHCP server beside the lab's, as its ProxyDHCP server is there: with a pool, and a file, of its own."""
    labs.run("ip", "netns", "add", net.proxy)
    labs.run("ip", "link", "add", "up1", "netns", net.vm, "type", "veth", "peer", "name", "srv0", "netns", net.proxy)
    net.ip("link", "set", "up1", "master", "br0", "up")
    labs.run("ip", "-n", net.proxy, "link", "set", "srv0", "up")
    labs.run("ip", "-n", net.proxy, "addr", "add", f"{labs.PROXY}/24", "dev", "srv0")
    net._service(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=srv0", "--bind-interfaces",
        "--port=0", "--dhcp-range=10.77.0.150,10.77.0.199,1h", "--dhcp-boot=second.ipxe", "--no-ping",
        f"--dhcp-leasefile={net.folder}/second.leases", f"--pid-file={net.folder}/second.pid", namespace=net.proxy,
    )
    net._wait_for_services({":67"}, net.proxy)


def test_one_server_and_no_lease(lab, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    about, probe = doctor(net, *BRIDGE, "--mac", OURS)
    (offer,) = probe["offers"]
    assert (offer["server"], offer["file"], offer["proxy"]) == (labs.SERVER, "boot.ipxe", False)
    assert about[-1]["verdict"] == "ok"
    assert about[-1]["text"].startswith(f"net0: br0: DHCP: {labs.SERVER} offers {offer['address']}, file boot.ipxe on {labs.SERVER} (options ")
    assert f"DHCPDISCOVER(srv0) {OURS}" in net.dhcp_log() and "user class: iPXE" in net.dhcp_log()
    assert "DHCPREQUEST" not in net.dhcp_log() and leases(net) == ""


def test_two_servers(lab, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    second_server(net)
    about, probe = doctor(net, *BRIDGE)
    assert {offer["server"] for offer in probe["offers"]} == {labs.SERVER, labs.PROXY}
    text = "\n".join(line["text"] for line in about)
    assert "2 servers offer an address, and a client takes one of them" in text
    assert "2 servers name a file" in text and "second.ipxe by 10.77.0.2" in text
    assert leases(net) == "" and not (net.folder / "second.leases").read_text()


def test_proxydhcp_and_no_file(lab, assets):
    net = lab("bridge").serve(assets, labs.http_script(), bootfile=None)
    net.serve_proxydhcp("proxy.ipxe")
    about, probe = doctor(net, *BRIDGE)
    offers = {offer["server"]: offer for offer in probe["offers"]}
    assert offers[labs.SERVER]["file"] == "" and not offers[labs.SERVER]["proxy"]
    assert offers[labs.PROXY]["proxy"] and offers[labs.PROXY]["address"] is None
    texts = [line["text"] for line in about]
    assert any(f"{labs.PROXY} offers no address, as ProxyDHCP" in text for text in texts)
    assert any(f"{labs.SERVER} offers 10.77.0." in text and ", no file" in text for text in texts)


def test_the_lower_device_is_asked(lab, assets):
    net = lab("direct").serve(assets, labs.http_script())
    about, probe = doctor(net, "--network", "direct", "--direct-dev", "up0", "--ipxe")
    assert [offer["server"] for offer in probe["offers"]] == [labs.SERVER]
    assert about[-1]["text"].startswith(f"net0: up0: DHCP: {labs.SERVER} offers ")
    assert leases(net) == ""


def test_a_firewall_that_drops_the_question(lab, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    ruleset = "table bridge filter { chain out { type filter hook output priority 0; udp dport 67 drop; }; }\n"
    subprocess.run(net.inside("nft", "-f", "-"), input=ruleset, text=True, check=True)
    about, probe = doctor(net, *BRIDGE)
    assert probe["offers"] == [] and probe["discovers"] == 2
    assert about[-1]["verdict"] == "warning" and "nobody answered 2 DISCOVERs" in about[-1]["text"]
    assert "br0's other ports: up0" in about[-1]["text"]
    assert "DHCPDISCOVER" not in net.dhcp_log()


def test_a_server_that_ignores_a_vendor_class(lab, assets):
    """BIOS's client gets nothing there; UEFI's does, by the same options as its VM."""
    options = ("--dhcp-vendorclass=set:bios,PXEClient:Arch:00000", "--dhcp-ignore=tag:bios")
    net = lab("bridge").serve(assets, labs.http_script(), options=options)
    _, probe = doctor(net, *BRIDGE, "--firmware", "uefi")
    assert [offer["server"] for offer in probe["offers"]] == [labs.SERVER]
    assert probe["client_arch"] == 7


def no_carrier(net):
    labs.run("ip", "-n", net.srv, "link", "set", "srv0", "down")
    labs.wait_until(lambda: "NO-CARRIER" in net.ip("link", "show", "br0"), 20, "the bridge has lost its only carrier")


@pytest.mark.parametrize(
    ("options", "prepare", "reason"),
    [((), no_carrier, "up0 (no carrier)"), (("stp_state", "1", "forward_delay", "3000"), lambda net: None, "up0 (listening)")],
    ids=["no carrier", "spanning tree"],
)
def test_a_link_over_which_nobody_can_answer(lab, options, prepare, reason):
    net = lab("bridge", *options)
    prepare(net)
    about, probe = doctor(net, *BRIDGE)
    assert probe is None
    assert about[-1]["verdict"] == "warning" and "nobody can answer DHCP now" in about[-1]["text"]
    assert reason in about[-1]["text"]


def test_without_the_right_it_is_said(lab):
    about, probe = doctor(lab("bridge"), *BRIDGE, prefix=("capsh", "--drop=cap_net_raw", "--shell=/usr/bin/env", "--"))
    assert probe is None
    assert "needs CAP_NET_RAW" in about[-1]["text"]


@pytest.mark.parametrize("words", [("--probe", "off"), ("--fast-boot", "off")], ids=" ".join)
def test_a_network_that_is_left_alone(lab, assets, words):
    net = lab("bridge").serve(assets, labs.http_script())
    about, probe = doctor(net, *BRIDGE, *words)
    assert probe is None and "DHCPDISCOVER" not in net.dhcp_log()
    assert not any("DHCP" in line["text"] for line in about)


def test_no_offer_to_the_guest_and_one_to_the_probe(lab, boot, assets, tmp_path):
    """A server that ignores whoever sends iPXE's own options (175), as the guest does and the probe does not."""
    options = ("--dhcp-match=set:ipxe,175", "--dhcp-ignore=tag:ipxe")
    net = lab("bridge").serve(assets, labs.http_script(), options=options)
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--until", "os", "--report", str(report), *vm.SMALL) as run:
        assert run.wait_exit() == 11
    told = json.loads(report.read_text())
    (record,) = told["boots"]
    (offer,) = record["probe"]["offers"]
    assert told["verdict"]["what"] == "no DHCP server answered the guest, and one answers vm-launch's own probe"
    assert f"{labs.SERVER} had offered {offer['address']}" in told["verdict"]["why"]
    assert "175" in told["verdict"]["why"].split("it has option")[1]
    assert all(talk["offers"] == [] for talk in record["dhcp"])
    assert leases(net) == ""
