"""Any host of the LAN may send whatever it wants, as fast as it can: vm-launch stays small, and its report too."""

import json
import pathlib
import re
import socket
import struct
import time

import lab as labs
import vm

MAC = "52:54:00:aa:00:01"
SMALL = ("--memory", "64M", "--cpus", "1", "--mac", MAC)
SECONDS = 4
# vm-launch's own size: what it is without a flood, and not much more.
LARGEST_KIB = 16 * 1024
LARGEST_GROWTH_KIB = 4 * 1024


def guest():
    return bytes.fromhex(MAC.replace(":", ""))


def datagram(protocol, source, target, payload):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, target)
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = 0xFFFF - ((total & 0xFFFF) + (total >> 16))
    return header[:10] + struct.pack(">H", checksum) + header[12:] + payload


def refusal(number):
    """A DHCPNAK of a server that is another one each time."""
    words = b"go away, all of you"
    message = (
        struct.pack(">BBBBIHH", 2, 1, 6, 0, number, 0, 0x8000)
        + bytes(16)
        + guest()
        + bytes(10 + 192)
        + b"\x63\x82\x53\x63\x35\x01\x06\x38"
        + bytes([len(words)])
        + words
        + b"\xff"
    )
    udp = struct.pack(">HHHH", 67, 68, 8 + len(message), 0) + message
    source = struct.pack(">I", 0x0A4E0000 + number % 0xFFFF)
    return b"\xff" * 6 + b"\x02\0\0\0\0\x09" + b"\x08\x00" + datagram(17, source, b"\xff" * 4, udp)


def connection(number):
    """A SYN that bears the guest's own address, to another server each time. A macvtap takes it if it is for the guest,
    too."""
    tcp = struct.pack(">HHIIBBHHH", 1024 + number % 50000, 80, number, 0, 0x50, 2, 1000, 0, 0)
    target = struct.pack(">I", 0x0A4F0000 + number % 0xFFFF)
    return guest() + guest() + b"\x08\x00" + datagram(6, b"\x0a\x4d\0\x32", target, tcp)


def kib_of(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def flood(net, frame):
    """As fast as one process can, for some seconds; how many there were."""
    sending = labs.in_namespace(net.srv, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    frames = [frame(number) for number in range(20000)]
    sent = 0
    with sending:
        sending.bind(("srv0", 0))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for piece in frames[sent % len(frames) :][:500]:
                sending.send(piece)
                sent += 1
    return sent


def flooded(net, boot, folder, network, frame):
    """The boot's part of the report of a run that was flooded, once iPXE looked for a DHCP server."""
    report = folder / "boot.json"
    page = folder / "boot.html"
    with boot(net, "--ipxe", *network, *SMALL, "--report", f"{report},{page}") as run:
        run.wait_text("iPXE looks for a server", "own")
        before = kib_of(run.process.pid)
        assert flood(net, frame) > 10000
        after = kib_of(run.process.pid)
        run.stop()
    assert after <= LARGEST_KIB and after - before <= LARGEST_GROWTH_KIB, f"{before} KiB, then {after} KiB"
    assert report.stat().st_size <= 1 << 20 and page.stat().st_size <= 1 << 20
    assert len(run.text("own").splitlines()) < 400
    return json.loads(report.read_text())["boots"][-1], page.read_text()


def test_a_flood_of_refusals(lab, boot, tmp_path):
    seen, page = flooded(lab("bridge"), boot, tmp_path, ("--network", "bridge", "--bridge", "br0"), refusal)
    assert len(seen["dhcp"][0]["refusals"]) == 8
    assert seen["left_out"]["refusals"] > 1000
    assert "more DHCP refusals were left out" in page


def test_a_flood_of_connections_with_the_guests_address(lab, boot, tmp_path):
    seen, page = flooded(lab("direct"), boot, tmp_path, ("--network", "direct", "--direct-dev", "up0"), connection)
    assert len(seen["fetches"]) <= 500
    assert seen["left_out"]["fetches"] > 1000
    assert "more fetches and connections were left out" in page
    assert [talk["client"] for talk in seen["dhcp"]] == ["iPXE"]
