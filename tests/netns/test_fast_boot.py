"""The router advertisement for the guest alone: it ends iPXE's wait, and nobody else sees it."""

import contextlib
import json
import socket
import struct
import threading
import time

import lab as labs
import vm

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
ICMP6 = 58
ROUTER_ADVERTISEMENT = 134
ROUTER_SOLICITATION = 133


class Icmp6Watch:
    """The ICMPv6 messages on a link of a namespace, by kind and source, as long as the context lasts."""

    def __init__(self, namespace, link):
        self.seen = []
        self.ended = False
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
                if frame[12:14] == b"\x86\xdd" and frame[20] == ICMP6:
                    self.seen.append((frame[54], frame[6:12].hex(":")))

    def of(self, kind):
        return [source for seen, source in self.seen if seen == kind]


def boots(net, assets, boot, tmp_path, *flags):
    """A boot to its end, and its report."""
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--report", str(report), *flags) as run:
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text("console")
    return json.loads(report.read_text())


def script():
    base = f"http://{labs.SERVER}"
    return f"#!ipxe\nkernel {base}/vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check\ninitrd {base}/initrd.gz\nboot\n"


def idle_after_address(report):
    boot = report["boots"][0]
    acknowledged = next(stage["at"] for stage in boot["stages"] if stage["stage"] == "dhcp")
    return min(fetch["began"] for fetch in boot["fetches"]) - acknowledged


def answered(report):
    return [line for line in report["helped"] if "IPv6 router was answered" in line]


def test_the_guest_alone_gets_an_answer(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, script())
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
    # iPXE's own timer of 13 s ran in the one, and not in the other.
    assert idle_after_address(stock) - idle_after_address(fast) > 5
    assert any("bare metal" in hint and "IPv6 router" in hint for hint in fast["hints"])
    assert any("iPXE waited 13 s" in hint for hint in stock["hints"])
    assert any("175,176" in hint for hint in fast["hints"])
    assert all(boot["router"]["advertised"] is None for report in (fast, stock) for boot in report["boots"])


def test_a_real_router_goes_first(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, script(), router=True)
    with Icmp6Watch(net.vm, "br0") as bridge:
        report = boots(net, assets, boot, tmp_path)
    assert bridge.of(ROUTER_ADVERTISEMENT), "the router said nothing"
    assert answered(report) == []
    assert report["boots"][0]["router"]["advertised"] is not None
    assert not any("IPv6 router" in hint for hint in report["hints"])


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def router_advertisement(mac, address):
    """Of a router that is in no hurry: addresses come by DHCPv6 (flags M and O), and it stays for half an hour."""
    all_nodes = socket.inet_pton(socket.AF_INET6, "ff02::1")
    options = struct.pack("!BB6s", 1, 1, mac)
    icmp = struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, 0xC0, 1800, 0, 0) + options
    pseudo = address + all_nodes + struct.pack("!II", len(icmp), ICMP6)
    icmp = icmp[:2] + struct.pack("!H", checksum(pseudo + icmp)) + icmp[4:]
    ip = struct.pack("!IHBB", 0x60000000, len(icmp), ICMP6, 255) + address + all_nodes
    return bytes.fromhex("333300000001") + mac + bytes.fromhex("86dd") + ip + icmp


class LateRouter(Icmp6Watch):
    """Advertises itself some seconds after it was looked for first, as RFC 4861 lets a router do (6.2.6: 3 s between two
    multicast advertisements, and half a second at random)."""

    def __init__(self, lab, seconds):
        super().__init__(lab.srv, "srv0")
        links = json.loads(labs.run("ip", "-n", lab.srv, "-json", "addr", "show", "srv0"))
        self.mac = bytes.fromhex(links[0]["address"].replace(":", ""))
        address = next(a["local"] for a in links[0]["addr_info"] if a["family"] == "inet6" and a["scope"] == "link")
        self.frame = router_advertisement(self.mac, socket.inet_pton(socket.AF_INET6, address))
        self.timer = threading.Timer(seconds, lambda: self.socket.send(self.frame))

    def _read(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError, OSError):
                frame = self.socket.recv(2048)
                if frame[12:14] == b"\x86\xdd" and frame[20] == ICMP6:
                    self.seen.append((frame[54], frame[6:12].hex(":")))
                    if frame[54] == ROUTER_SOLICITATION and not self.timer.ident:
                        self.timer.start()

    def __exit__(self, *exception):
        self.timer.cancel()
        super().__exit__(*exception)


def served_over_ipv6(lab, assets):
    """A network that boots over IPv6: DHCPv4 gives an address and no file, DHCPv6 a file's URL."""
    net = lab("bridge")
    labs.run("ip", "-n", net.srv, "addr", "add", "fd77::1/64", "dev", "srv0", "nodad")
    url = "tftp://[fd77::1]/boot.ipxe"
    return net.serve(
        assets, script(), bootfile=None,
        options=("--dhcp-range=fd77::10,fd77::99,64", f"--dhcp-option=option6:59,{url}"),
    )  # fmt: skip


def test_a_router_that_takes_its_time_is_waited_for(lab, assets, boot, tmp_path):
    """An advertisement of vm-launch's would settle the guest's IPv6 before DHCPv6 had its turn."""
    net = served_over_ipv6(lab, assets)
    with LateRouter(net, 4):
        report = boots(net, assets, boot, tmp_path)
    assert answered(report) == []


def test_where_dhcp_names_nothing_nothing_is_answered(lab, assets, boot, tmp_path):
    net = lab("bridge").serve(assets, script(), bootfile=None)
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
    assert "IPv6 router was answered" in own[hand : own.index("error: ")]


def test_nothing_is_answered_once_the_kernel_runs(lab, assets, boot, tmp_path):
    """The guest's kernel looks for a router too; that is its own affair."""
    net = lab("bridge").serve(assets, script().replace("console=ttyS0", "console=ttyS0 vml.stay"))
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
    net = lab("direct").serve(assets, script())
    report = tmp_path / "boot.json"
    with Icmp6Watch(net.srv, "srv0") as wire:
        with boot(net, "--ipxe", "--network", "direct", "--direct-dev", "up0", *vm.SMALL, "--report", str(report)) as run:
            assert run.wait_exit() == 0
    assert answered(json.loads(report.read_text())) == []
    assert wire.of(ROUTER_ADVERTISEMENT) == []
    assert wire.of(ROUTER_SOLICITATION)
