"""Frames of captures, sent again on a link of a lab, as of other machines."""

import pathlib
import socket
import struct

import lab as labs

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "tests/captures"
BOOTS = ROOT / "tests/unit/data/boots"

COOKIE = b"\x63\x82\x53\x63"  # of DHCP's options; 236 bytes of a message are before it


def frames_of(path):
    """(seconds, frame) of a capture in libpcap's classic format."""
    data = path.read_bytes()
    frames, at = [], 24
    while at + 16 <= len(data):
        seconds, micro, size, _ = struct.unpack("<IIII", data[at : at + 16])
        frames.append((seconds + micro * 1e-6, data[at + 16 : at + 16 + size]))
        at += 16 + size
    return frames


def mac_of(number):
    return bytes([0x52, 0x54, 0, 2, number >> 8, number & 0xFF])


def mac_text(number):
    return mac_of(number).hex(":")


def with_checksum(frame):
    """With that of its IPv4 header, which a bridge looks at where br_netfilter is loaded."""
    if frame[12:14] != b"\x08\x00":
        return frame
    end = 14 + 4 * (frame[14] & 15)
    header = frame[14:24] + b"\0\0" + frame[26:end]
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[:24] + struct.pack("!H", ~total & 0xFFFF) + frame[26:]


class Boot:
    """A capture's frames that one machine sends and gets, as bytes to be rewritten: `mac` and `address` are its own there."""

    def __init__(self, path, mac, address):
        self.mac, self.address = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(address)
        self.frames = [frame for _, frame in frames_of(path) if self.mac in frame[:12]]

    def of(self, number, xid):
        """The same of the machine of that number, with that transaction number of DHCP."""
        address = bytes([10, 9, number >> 8, number & 0xFF])
        return [self._rewritten(frame, mac_of(number), address, xid) for frame in self.frames]

    def _rewritten(self, frame, mac, address, xid):
        cookie = frame.find(COOKIE)
        if cookie >= 0:
            place = cookie - 236 + 4
            frame = frame[:place] + struct.pack("!I", xid) + frame[place + 4 :]
        return with_checksum(frame.replace(self.mac, mac).replace(self.address, address))


TFTP = Boot(CAPTURES / "udhcpc-tftp.pcap", "02:00:00:00:0a:01", "192.0.2.60")
TFTP_MISSING = Boot(CAPTURES / "tftp-missing.pcap", "02:00:00:00:0a:01", "192.0.2.60")


def tagged(frame, vlan):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


class Sender:
    """Sends frames as they are from a link of a namespace. Use as a context."""

    def __init__(self, namespace, link):
        self.socket = labs.in_namespace(namespace, lambda: self._open(link))

    @staticmethod
    def _open(link):
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        packets.bind((link, 0))
        return packets

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frames):
        for frame in frames:
            self.socket.send(frame)
