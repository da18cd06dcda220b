"""The probe of a network: who offers what to a PXE client, asked in the guest's name. `doctor` tells it, and a verdict uses it."""

import json
import socket
import subprocess
import time

import pytest

import lab as labs
import vm

BRIDGE = ("--network", "bridge", "--bridge", "br0", "--ipxe")
OURS = "52:54:00:ab:cd:ef"
HOST = "10.77.0.3"  # of the host on the bridge, where it has one


def run_doctor(net, *arguments, prefix=()):
    command = net.inside(*prefix, str(vm.BINARY), "doctor", *arguments, "--format", "json")
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def doctor(net, *arguments, prefix=()):
    told = json.loads(run_doctor(net, *arguments, prefix=prefix).stdout)
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


def filter_bridged(net, hook):
    """A firewall of the host's that drops DHCP's questions."""
    ruleset = f"table bridge filter {{ chain drops {{ type filter hook {hook} priority 0; udp dport 67 drop; }}; }}\n"
    subprocess.run(net.inside("nft", "-f", "-"), input=ruleset, text=True, check=True)


def no_carrier(net):
    labs.run("ip", "-n", net.srv, "link", "set", "srv0", "down")
    labs.wait_until(lambda: "NO-CARRIER" in net.ip("link", "show", "br0"), 20, "the bridge has lost its only carrier")


def test_one_server_and_no_lease(lab, assets):
    net = lab("bridge").serve(assets, labs.http_script())
    filter_bridged(net, "output")  # of the host's own frames: the guest's pass
    before = net.links()
    about, probe = doctor(net, *BRIDGE, "--mac", OURS)
    (offer,) = probe["offers"]
    assert (offer["server"], offer["file"], offer["proxy"]) == (labs.SERVER, "boot.ipxe", False)
    assert about[-1]["verdict"] == "ok"
    assert about[-1]["text"].startswith(f"net0: br0: DHCP: {labs.SERVER} offers {offer['address']}, file boot.ipxe on {labs.SERVER} (options ")
    assert f"DHCPDISCOVER(srv0) {OURS}" in net.dhcp_log() and "user class: iPXE" in net.dhcp_log()
    assert "DHCPREQUEST" not in net.dhcp_log() and leases(net) == ""
    assert net.links() == before


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


def test_a_second_doctor_is_in_nobodys_way(lab, assets):
    """Nor would it be in a run's: its port is no VM's, though it speaks in the guest's name."""
    net = lab("bridge").serve(assets, labs.http_script())
    filter_bridged(net, "forward")  # so that the first asks for as long as it ever does
    command = net.inside(str(vm.BINARY), "doctor", *BRIDGE, "--mac", OURS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as first:
        labs.wait_until(lambda: "alias vm-launch doctor" in net.ip("link", "show"), 20, "the first asks")
        second = run_doctor(net, *BRIDGE, "--mac", OURS)
        assert "may be in use" not in second.stdout and "MAC address" not in second.stdout
        first.communicate()
        assert first.returncode == 0


def test_the_lower_device_is_asked(lab, assets):
    net = lab("direct").serve(assets, labs.http_script())
    about, probe = doctor(net, "--network", "direct", "--direct-dev", "up0", "--ipxe")
    assert [offer["server"] for offer in probe["offers"]] == [labs.SERVER]
    assert about[-1]["text"].startswith(f"net0: up0: DHCP: {labs.SERVER} offers ")
    assert leases(net) == ""


def test_a_firewall_that_drops_the_question(lab, assets):
    """What bridges forward, as the guest's frames are."""
    net = lab("bridge").serve(assets, labs.http_script())
    filter_bridged(net, "forward")
    about, probe = doctor(net, *BRIDGE)
    assert probe["offers"] == [] and probe["discovers"] == 2
    assert about[-1]["verdict"] == "warning" and "nobody answered 2 DISCOVERs" in about[-1]["text"]
    assert "br0's ports: up0" in about[-1]["text"]
    assert "DHCPDISCOVER" not in net.dhcp_log()


def test_a_server_of_this_host_on_a_bridge_to_nowhere(lab):
    """It serves the guest, whose tap gives the bridge a carrier; what the host itself sends over br0 it would not hear."""
    net = lab("bridge")
    no_carrier(net)
    net.ip("addr", "add", f"{HOST}/24", "dev", "br0")
    net._service(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=br0", "--bind-interfaces",
        "--except-interface=lo", "--port=0", "--dhcp-range=10.77.0.50,10.77.0.99,1h", "--dhcp-boot=host.ipxe", "--no-ping",
        f"--dhcp-leasefile={net.folder}/leases", f"--pid-file={net.folder}/host.pid", namespace=net.vm,
    )
    net._wait_for_services({":67"}, net.vm)
    before = net.links()
    about, probe = doctor(net, *BRIDGE)
    assert [(offer["server"], offer["file"]) for offer in probe["offers"]] == [(HOST, "host.ipxe")]
    assert about[-1]["verdict"] == "ok" and leases(net) == ""
    assert net.links() == before


def test_a_server_that_ignores_a_vendor_class(lab, assets):
    """BIOS's client gets nothing there; UEFI's does, by the same options as its VM."""
    options = ("--dhcp-vendorclass=set:bios,PXEClient:Arch:00000", "--dhcp-ignore=tag:bios")
    net = lab("bridge").serve(assets, labs.http_script(), options=options)
    _, probe = doctor(net, *BRIDGE, "--firmware", "uefi")
    assert [offer["server"] for offer in probe["offers"]] == [labs.SERVER]
    assert probe["client_arch"] == 7


def test_a_bridge_that_leads_nowhere(lab):
    net = lab("bridge")
    no_carrier(net)
    about, probe = doctor(net, *BRIDGE)
    assert probe["offers"] == []
    assert about[-1]["verdict"] == "warning" and "nobody answered 2 DISCOVERs" in about[-1]["text"]
    assert "br0's ports: up0 (no carrier)" in about[-1]["text"]


def test_a_device_over_which_nobody_can_answer(lab):
    net = lab("direct")
    labs.run("ip", "-n", net.srv, "link", "set", "srv0", "down")
    labs.wait_until(lambda: "NO-CARRIER" in net.ip("link", "show", "up0"), 20, "the device has no carrier")
    about, probe = doctor(net, "--network", "direct", "--direct-dev", "up0", "--ipxe")
    assert probe is None
    assert "up0: nobody can answer DHCP now: up0 has no carrier" in about[-1]["text"]


def test_spanning_tree_is_waited_for(lab, assets):
    """2 s each of listening and learning, the shortest that there is."""
    net = lab("bridge", "stp_state", "1", "forward_delay", "200").serve(assets, labs.http_script())
    began = time.monotonic()
    result = run_doctor(net, *BRIDGE)
    assert [offer["server"] for offer in json.loads(result.stdout)["probe"]["offers"]] == [labs.SERVER]
    assert time.monotonic() - began >= 4
    assert result.stderr == "vm-launch: br0 is asked once a port for that forwards: about 4 s\n"


def test_an_address_that_is_in_use_is_not_asked_for(lab, assets):
    """The bridge would lead its frames here, away from whoever has it."""
    net = lab("bridge").serve(assets, labs.http_script())
    frame = bytes.fromhex("ffffffffffff" + OURS.replace(":", "") + "88b5").ljust(60, b"\0")
    with labs.in_namespace(net.srv, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as wire:
        wire.bind(("srv0", 0))
        wire.send(frame)
    about, probe = doctor(net, *BRIDGE, "--mac", OURS)
    assert probe is None and "DHCPDISCOVER" not in net.dhcp_log()
    assert about[-1] == {
        "verdict": "warning", "text": "net0: br0: nobody was asked what the network offers: its MAC address may be in use",
    }


def test_what_the_kernel_refuses_costs_that_line_alone(lab):
    """The other one's macvtap is in a network namespace of its own: nobody knows of it but the kernel."""
    net = lab("direct")
    net.ip("link", "add", "link", "up0", "name", "other", "address", OURS, "type", "macvtap", "mode", "bridge")
    net.ip("link", "set", "other", "netns", net.srv)
    labs.run("ip", "-n", net.srv, "link", "set", "other", "up")
    about, probe = doctor(net, "--network", "direct", "--direct-dev", "up0", "--ipxe", "--mac", OURS)
    assert probe is None and about[-1]["verdict"] == "warning"
    assert "up0: nobody was asked what the network offers: " in about[-1]["text"] and OURS in about[-1]["text"]


def kill_doctor(net, *command):
    before = net.links()
    silent = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
    doctors = subprocess.Popen(net.inside(*command), **silent)
    labs.wait_until(lambda: {link[0] for link in net.links()} != {link[0] for link in before}, 20, "doctor makes a link")
    doctors.kill()
    doctors.wait()
    return before


def test_nothing_stays_of_a_doctor_that_is_killed(lab):
    net = lab("bridge")
    before = kill_doctor(net, str(vm.BINARY), "doctor", *BRIDGE)
    labs.wait_until(lambda: net.links() == before, 20, "the tap goes with it")


def test_what_a_killed_doctor_leaves_goes_with_the_next(lab, assets):
    """Without CAP_SYS_ADMIN a macvtap has no network namespace of its own."""
    net = lab("direct")
    direct = ("--network", "direct", "--direct-dev", "up0", "--ipxe", "--mac", OURS)
    less = ("capsh", "--drop=cap_sys_admin", "--shell=/usr/bin/env", "--")
    before = kill_doctor(net, *less, str(vm.BINARY), "doctor", *direct)
    assert any(name.startswith("vmmac") for name, *_ in net.links())
    net.serve(assets, labs.http_script())
    _, probe = doctor(net, *direct, prefix=less)
    assert [offer["server"] for offer in probe["offers"]] == [labs.SERVER]
    labs.wait_until(lambda: net.links() == before, 20, "up0 is as it was")


def test_without_the_right_it_is_said(lab):
    about, probe = doctor(lab("bridge"), *BRIDGE, prefix=("capsh", "--drop=cap_net_raw", "--shell=/usr/bin/env", "--"))
    assert probe is None
    assert "needs CAP_NET_RAW" in about[-1]["text"]


@pytest.mark.parametrize("words", [("--probe", "off"), ("--fast-boot", "off"), ("--no-boot-watch",)], ids=" ".join)
def test_a_network_that_is_left_alone(lab, assets, words):
    net = lab("bridge").serve(assets, labs.http_script())
    about, probe = doctor(net, *BRIDGE, *words)
    assert probe is None and "DHCPDISCOVER" not in net.dhcp_log()
    assert not any("DHCP" in line["text"] for line in about)


def test_no_offer_to_the_guest_and_one_to_the_probe(lab, boot, assets, tmp_path):
    """A server that ignores whoever sends iPXE's own options (175), as the guest does and the probe does not; beside it
    an IPv6 router, as there is one in most networks."""
    options = ("--dhcp-match=set:ipxe,175", "--dhcp-ignore=tag:ipxe")
    net = lab("bridge").serve(assets, labs.http_script(), options=options, router=True)
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--until", "os", "--report", str(report), *vm.SMALL) as run:
        assert run.wait_exit() == 11
    told = json.loads(report.read_text())
    (record,) = told["boots"]
    (offer,) = record["probe"]["offers"]
    assert told["verdict"]["what"] == "no DHCP server answered the guest, and one answers vm-launch's own probe"
    assert f"{labs.SERVER} had offered {offer['address']}" in told["verdict"]["why"]
    assert "it has option 175 too" in told["verdict"]["why"] and "lacks" not in told["verdict"]["why"]
    assert "nothing at all came in" not in told["verdict"]["why"]
    assert "drop frames for addresses that it does not know" in told["verdict"]["hint"]
    assert all(talk["offers"] == [] for talk in record["dhcp"])
    assert leases(net) == ""
