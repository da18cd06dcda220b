"""Reads the packets that QEMU's filter-dump writes, as they come, and yields what a network boot says on the wire:
DHCP messages (RFC 2131, 2132, 4578) and requests by TFTP (RFC 1350) and HTTP."""

import dataclasses
import os
import select
import struct
import threading

# Enough for the options of a DHCP message; of the kernel's TFTP blocks only the head is wanted.
SNAP_LENGTH = 1024

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
MAGIC_COOKIE = b"\x63\x82\x53\x63"
PAD, END = 0, 255


@dataclasses.dataclass(frozen=True)
class Dhcp:
    kind: int  # option 53
    chaddr: str  # the client's MAC
    options: dict  # code -> bytes

    @property
    def vendor_class(self):
        return self.options.get(60, b"").decode("latin-1")

    @property
    def user_class(self):
        return self.options.get(77, b"").decode("latin-1")

    @property
    def bootfile(self):
        return self.options.get(67, b"").rstrip(b"\0").decode("latin-1")

    @property
    def sender(self):
        """Who speaks: "iPXE", the "firmware" with its own PXE, or an operating system or a server ("other")."""
        if self.kind in (OFFER, ACK):
            return "other"
        if self.user_class == "iPXE":
            return "iPXE"
        return "firmware" if self.vendor_class.startswith("PXEClient") else "other"


@dataclasses.dataclass(frozen=True)
class Request:
    """Of a file, by TFTP or HTTP."""

    name: str


def parse_options(data):
    options = {}
    at = 0
    while at < len(data) and data[at] != END:
        if data[at] == PAD:
            at += 1
            continue
        if at + 1 >= len(data):
            break
        code, length = data[at], data[at + 1]
        # An option in several parts is one value (RFC 3396).
        options[code] = options.get(code, b"") + data[at + 2 : at + 2 + length]
        at += 2 + length
    return options


def parse_dhcp(data):
    if len(data) < 240 or data[236:240] != MAGIC_COOKIE:
        return None
    options = parse_options(data[240:])
    kind = options.get(53, b"\0")[0]
    return Dhcp(kind, data[28:34].hex(":"), options)


def parse_tftp(data):
    if len(data) < 4 or data[:2] != b"\0\x01":
        return None
    return Request(data[2:].split(b"\0", 1)[0].decode("latin-1"))


def parse_http(segment):
    if len(segment) < 20:
        return None
    words = segment[(segment[12] >> 4) * 4 :].split(b" ", 2)
    return Request(words[1].decode("latin-1")) if words[0] in (b"GET", b"HEAD") and len(words) == 3 else None


def parse_frame(frame):
    """A Dhcp, a Request, or None for every other frame."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00":
        return None
    if frame[23] == 6:
        return parse_http(frame[14 + (frame[14] & 15) * 4 :])
    if frame[23] != 17:
        return None
    udp = 14 + (frame[14] & 15) * 4
    source, target = struct.unpack_from(">HH", frame, udp)
    payload = frame[udp + 8 :]
    if {source, target} <= {67, 68}:
        return parse_dhcp(payload)
    if target == 69:
        return parse_tftp(payload)
    return None


class Splitter:
    """Cuts a pcap stream, which comes in pieces of any size, into frames."""

    FILE_HEADER = 24
    RECORD_HEADER = 16

    def __init__(self):
        self.buffer = b""
        self.header_seen = False

    def feed(self, data):
        self.buffer += data
        if not self.header_seen:
            if len(self.buffer) < self.FILE_HEADER:
                return
            magic = struct.unpack_from("<I", self.buffer)[0]
            if magic != 0xA1B2C3D4:
                raise ValueError(f"not a pcap stream: it begins with {magic:#x}")
            self.buffer = self.buffer[self.FILE_HEADER :]
            self.header_seen = True
        at = 0
        while len(self.buffer) - at >= self.RECORD_HEADER:
            length = struct.unpack_from("<I", self.buffer, at + 8)[0]
            end = at + self.RECORD_HEADER + length
            if end > len(self.buffer):
                break
            yield self.buffer[at + self.RECORD_HEADER : end]
            at = end
        self.buffer = self.buffer[at:]


@dataclasses.dataclass
class Interface:
    name: str
    mac: str
    snap_length: int


@dataclasses.dataclass
class Packet:
    interface: int
    at: float  # seconds since 1970
    length: int  # on the wire
    frame: bytes
    comments: list


@dataclasses.dataclass
class Pcapng:
    program: str
    interfaces: list
    packets: list

    def commented(self, words):
        """The packets of which a comment begins so."""
        return [packet for packet in self.packets if any(comment.startswith(words) for comment in packet.comments)]


def pcapng_options(data):
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def read_pcapng(path):
    """A file of one section, in little-endian (draft-ietf-opsawg-pcapng), with times in nanoseconds. What is odd in it is an error."""
    with open(path, "rb") as file:
        data = file.read()
    capture = Pcapng("", [], [])
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length >= 12 and length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4)[0] == length, f"a broken block at {at}"
        body = data[at + 8 : at + length - 4]
        if kind == 0x0A0D0D0A:
            assert at == 0 and struct.unpack_from("<IHH", body) == (0x1A2B3C4D, 1, 0)
            capture.program = dict(pcapng_options(body[16:]))[4].decode()
        elif kind == 1:
            options = dict(pcapng_options(body[8:]))
            assert options[9] == b"\x09" and struct.unpack_from("<H", body)[0] == 1
            capture.interfaces.append(Interface(options[2].decode(), options[6].hex(":"), struct.unpack_from("<I", body, 4)[0]))
        else:
            assert kind == 6, f"a block of kind {kind}"
            interface, high, low, captured, whole = struct.unpack_from("<5I", body)
            assert interface < len(capture.interfaces) and captured <= whole
            comments = [value.decode() for code, value in pcapng_options(body[20 + (captured + 3) // 4 * 4 :]) if code == 1]
            capture.packets.append(Packet(interface, (high << 32 | low) / 1e9, whole, body[20 : 20 + captured], comments))
        at += length
    return capture


class Capture:
    """A named pipe that QEMU writes its dump into, and the thread that reads it: packets are seen when they are sent,
    with no file to poll. `found` is called with every DHCP message and request."""

    def __init__(self, path, netdev, found):
        self.path = path
        self.netdev = netdev
        self.found = found
        self.splitter = Splitter()
        os.mkfifo(path)
        os.chmod(path, 0o666)  # QEMU runs as a user without rights
        # Opened for writing too, so that neither this open nor QEMU's waits for the other, and QEMU's end is no EOF.
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.stop_reader, self.stop_writer = os.pipe()
        self.thread = threading.Thread(target=self._read, name="capture")
        self.thread.start()

    @property
    def opened_by_qemu(self):
        return self.splitter.header_seen

    def qemu_arguments(self):
        dump = f"filter-dump,id=capture0,netdev={self.netdev},file={self.path},maxlen={SNAP_LENGTH}"
        return ["-object", dump]

    def close(self):
        os.close(self.stop_writer)
        self.thread.join()
        for fd in (self.stop_reader, self.fd):
            os.close(fd)
        os.unlink(self.path)

    def _read(self):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        poll.register(self.stop_reader, select.POLLHUP)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            # What was written before the stop is read first.
            if self.fd in ready:
                for frame in self.splitter.feed(os.read(self.fd, 1 << 16)):
                    packet = parse_frame(frame)
                    if packet is not None:
                        self.found(packet)
            elif self.stop_reader in ready:
                return
