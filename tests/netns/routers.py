"""IPv6 routers of a lab, and who hears them."""

import json
import socket
import struct
import threading

import lab as labs
from frames import Frames

ICMP6 = 58
ROUTER_ADVERTISEMENT = 134
ROUTER_SOLICITATION = 133


def is_icmp6(frame):
    return frame[12:14] == b"\x86\xdd" and frame[20] == ICMP6


class Icmp6Watch(Frames):
    """The ICMPv6 messages on a link of a namespace, by kind and source, as long as the context lasts."""

    def __init__(self, namespace, link):
        super().__init__(namespace, link, is_icmp6)

    def _saw(self, frame):
        self._message(frame[54], frame[6:12].hex(":"))

    def _message(self, kind, source):
        self.seen.append((kind, source))

    def of(self, kind):
        return [source for seen, source in self.seen if seen == kind]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


MANAGED = 0xC0  # flags M and O


def prefix_option(prefix):
    """Of a network in which guests choose their own addresses (RFC 4861, 4.6.2; flags L and A)."""
    return struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 86400, 14400, 0, socket.inet_pton(socket.AF_INET6, prefix))


def router_advertisement(mac, address, prefix=None):
    """Of a router that stays for half an hour. Addresses come by DHCPv6, or are of the prefix."""
    all_nodes = socket.inet_pton(socket.AF_INET6, "ff02::1")
    options = struct.pack("!BB6s", 1, 1, mac) + (prefix_option(prefix) if prefix else b"")
    flags = 0 if prefix else MANAGED
    icmp = struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, flags, 1800, 0, 0) + options
    pseudo = address + all_nodes + struct.pack("!II", len(icmp), ICMP6)
    icmp = icmp[:2] + struct.pack("!H", checksum(pseudo + icmp)) + icmp[4:]
    ip = struct.pack("!IHBB", 0x60000000, len(icmp), ICMP6, 255) + address + all_nodes
    return bytes.fromhex("333300000001") + mac + bytes.fromhex("86dd") + ip + icmp


class LateRouter(Icmp6Watch):
    """Advertises itself some seconds after it was looked for first, as RFC 4861 lets a router do (6.2.6: 3 s between two
    multicast advertisements, and half a second at random)."""

    def __init__(self, lab, seconds, prefix=None):
        super().__init__(lab.srv, "srv0")
        links = json.loads(labs.run("ip", "-n", lab.srv, "-json", "addr", "show", "srv0"))
        self.mac = bytes.fromhex(links[0]["address"].replace(":", ""))
        address = next(a["local"] for a in links[0]["addr_info"] if a["family"] == "inet6" and a["scope"] == "link")
        self.frame = router_advertisement(self.mac, socket.inet_pton(socket.AF_INET6, address), prefix)
        self.timer = threading.Timer(seconds, lambda: self.socket.send(self.frame))

    def _message(self, kind, source):
        super()._message(kind, source)
        if kind == ROUTER_SOLICITATION and not self.timer.ident:
            self.timer.start()

    def __exit__(self, *exception):
        self.timer.cancel()
        super().__exit__(*exception)
