"""TFTP of vm-launch's own, on an isolated segment and on a guest's link of a bridge, by the clients of other people."""

import contextlib
import os
import struct

import pytest

import lab as labs
from boot_files import efi_program
from frames import Frames

MAC = "52:54:00:00:0d:03"
SERVER, SERVER6 = "198.18.1.1", "fd56:4d4c:5241::1:1"  # of a segment's first place
HOST = "10.77.0.3"  # of the host on the bridge
PORT = struct.pack(">H", 69)
DATA, ACK, OACK = 3, 4, 6
USUAL = 512  # bytes a block; RFC 1350, 2
ROLLOVER = 0x10000  # the first number of a block that is one again

# Each writes "got", of the server's file of that name. An empty one curl refuses: it takes the answer that there are 0 bytes
# (tsize) for a wrong one (lib/tftp.c, tftp_parse_option_ack).
CLIENTS = {
    "atftp": lambda server, name: ("atftp", "-g", "-r", name, "-l", "got", server),
    "tftp-hpa": lambda server, name: ("tftp", "-m", "binary", server, "-c", "get", name, "got"),
    "busybox": lambda server, name: ("busybox", "tftp", "-g", "-b", "1432", "-r", name, "-l", "got", server),
    "curl": lambda server, name: ("curl", "-sS", "-o", "got", f"tftp://{server}/{name}"),
}
FILES = {
    "empty": b"",
    "one byte": b"x",
    "a block": os.urandom(USUAL),
    "three blocks": os.urandom(3 * USUAL),
    "folder/odd": os.urandom(10 * USUAL + 1),
}


@pytest.fixture
def served():
    """What is served: and a folder beside it, where the clients write."""
    with labs.private_folder() as folder:
        for place in ("served/folder", "there"):
            (folder / place).mkdir(parents=True)
        for name, content in FILES.items():
            (folder / "served" / name).write_bytes(content)
        (folder / "served/boot.ipxe").write_text("#!ipxe\nshell\n")
        (folder / "served/ipxe.efi").write_bytes(efi_program(b""))
        yield folder


@contextlib.contextmanager
def isolated(guest_run, _, served):
    words = ("--network", "isolated", "--ipxe", "--netboot-dir", served / "served", "--log-level", "debug")
    with guest_run(*words, mac=MAC) as run:
        run.guest.ip("addr", "add", "198.18.1.2/16", "dev", "eth0")
        yield run, SERVER


def asks_or_answers(frame):
    """UDP, from TFTP's port or to it."""
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and PORT in (frame[34:36], frame[36:38])


@contextlib.contextmanager
def bridge(guest_run, lab, served):
    """What the guest asks the host's address goes no further than its link, and so does the answer."""
    net = lab("bridge")
    net.ip("addr", "add", f"{HOST}/24", "dev", "br0")
    words = ("--network", "bridge", "--bridge", "br0", "--firmware", "uefi", "--no-ipxe", "--pxe", "v4", "--probe", "off",
             "--netboot-dir", served / "served", "--log-level", "debug")  # fmt: skip
    places = [(net.srv, "srv0"), (net.vm, "br0")]
    with contextlib.ExitStack() as stack:
        outside = [stack.enter_context(Frames(*place, asks_or_answers)) for place in places]
        with guest_run(*words, mac=MAC, lab=net) as run:
            run.guest.ip("addr", "add", "10.77.0.50/24", "dev", "eth0")
            yield run, HOST
    assert [frames.seen for frames in outside] == [[], []]


def fetch(guest, served, words):
    """The client's end, and what it got: nothing where it wrote no file."""
    got = served / "there/got"
    got.unlink(missing_ok=True)
    ended = guest.run(*words, cwd=served / "there")
    return ended, got.read_bytes() if got.exists() else None


@pytest.mark.parametrize("way", [isolated, bridge])
def test_every_client_gets_every_file(guest_run, lab, served, way):
    with way(guest_run, lab, served) as (run, server):
        for client, words in CLIENTS.items():
            for name, content in FILES.items():
                if (client, name) != ("curl", "empty"):
                    ended, got = fetch(run.guest, served, words(server, name.replace(" ", "%20") if client == "curl" else name))
                    assert got == content, (client, name, ended)


def test_ipv6(guest_run, lab, served):
    with isolated(guest_run, lab, served) as (run, _):
        run.guest.ip("addr", "add", "fd56:4d4c:5241::1:2/64", "dev", "eth0", "nodad")
        for words in (
            ("atftp", "--option", "blksize 65464", "-g", "-r", "folder/odd", "-l", "got", SERVER6),
            ("tftp", "-6", "-m", "binary", SERVER6, "-c", "get", "folder/odd", "got"),
            ("curl", "-sS", "-g", "-o", "got", f"tftp://[{SERVER6}]/folder/odd"),
        ):
            ended, got = fetch(run.guest, served, words)
            assert got == FILES["folder/odd"], ended
        run.wait_text("tftp: folder/odd: 5121 bytes, 1448 bytes a block", "own")


def test_numbers_of_blocks_come_round(guest_run, lab, served):
    """A file of more than 65535 blocks, each of which says where it belongs."""
    content = b"".join(b"%08d" % number for number in range(1, ROLLOVER + 5)) + b"end"
    (served / "served/long").write_bytes(content)
    options = ("--option", "blksize 8", "--option", "windowsize 16")
    with isolated(guest_run, lab, served) as (run, server):
        _, got = fetch(run.guest, served, ("atftp", *options, "-g", "-r", "long", "-l", "got", server))
        assert got == content
        run.wait_text(rf"tftp: long: {len(content)} bytes, 8 bytes a block, 16 at once", "own")


def test_options(guest_run, lab, served):
    """Those of RFC 2348, 2349 and 7440, as they are answered: a block no larger than a frame has room for."""
    with isolated(guest_run, lab, served) as (run, server):
        answers = []

        def note(frame, to_guest):
            if to_guest and asks_or_answers(frame) and opcode(frame) == OACK:
                words = frame[44:].decode().split("\0")
                told = dict(zip(words[0:-1:2], words[1::2], strict=True))
                answers.extend([told] if answers[-1:] != [told] else [])  # or it was asked again
            return False

        run.guest.loses = note
        size = len(FILES["folder/odd"])
        wanted = [("blksize 1400", "tsize 0", "windowsize 4", "timeout 2"), ("blksize 65464", "windowsize 64"), ("tsize 0",)]
        for options in wanted:
            words = [word for option in options for word in ("--option", option)]
            _, got = fetch(run.guest, served, ("atftp", *words, "-g", "-r", "folder/odd", "-l", "got", server))
            assert got == FILES["folder/odd"], options
        fetch(run.guest, served, ("curl", "-sS", "--tftp-blksize", "1428", "-o", "got", f"tftp://{server}/folder/odd"))
    assert answers == [
        {"blksize": "1400", "tsize": str(size), "windowsize": "4", "timeout": "2"},
        {"blksize": "1468", "windowsize": "16"},
        {"tsize": str(size)},
        {"tsize": str(size), "blksize": "1428", "timeout": answers[-1]["timeout"]},
    ]


def test_what_is_refused(guest_run, lab, served):
    cases = {
        "No such file or directory": [words(SERVER, "missing") for words in CLIENTS.values()],
        "binary mode (octet) alone is served": [
            ("tftp", "-m", "ascii", SERVER, "-c", "get", "a block", "got"),
            ("atftp", "--option", "mode netascii", "-g", "-r", "a block", "-l", "got", SERVER),
        ],
        "nothing is written here": [
            ("tftp", "-m", "binary", SERVER, "-c", "put", served / "served/a block", "new"),
            ("atftp", "-p", "-l", served / "served/a block", "-r", "new", SERVER),
        ],
    }
    with isolated(guest_run, lab, served) as (run, _):
        for why, commands in cases.items():
            for words in commands:
                ended, got = fetch(run.guest, served, words)
                assert not got, words
                said = (ended.stdout + ended.stderr).decode()
                assert why in said or (words[0] == "curl" and ended.returncode == 68), (words, said)  # CURLE_TFTP_NOTFOUND
        assert not (served / "served/new").exists()


def opcode(frame):
    return struct.unpack_from(">H", frame, 42)[0]


ANY = None


class Losses:
    """Frames that get lost once each, and one after another: (opcode, block), or (opcode, ANY)."""

    def __init__(self, guest, *lost):
        self.left = list(lost)
        guest.loses = self._loses

    def _loses(self, frame, to_guest):
        if not asks_or_answers(frame):
            return False
        code = opcode(frame)
        block = struct.unpack_from(">H", frame, 44)[0] if code in (DATA, ACK) else 0
        if not self.left or self.left[0] not in ((code, block), (code, ANY)):
            return False
        self.left.pop(0)
        return True


# The client itself waits for longer than a test takes: it is the server that repeats.
PATIENT = ("atftp", "--tftp-timeout", "100", "-g", "-r", "folder/odd", "-l", "got")
BLOCKS = 11  # of that file; the last one has one byte


@pytest.mark.parametrize("way", [isolated, bridge])
def test_what_is_lost_comes_again(guest_run, lab, served, way):
    with way(guest_run, lab, served) as (run, server):
        losses = Losses(run.guest, (DATA, 1))
        assert fetch(run.guest, served, (*PATIENT, server))[1] == FILES["folder/odd"]
    assert losses.left == []


def test_what_is_lost_of_a_window_comes_again(guest_run, lab, served):
    """The offer of the options, a window's second block, the next acknowledgement, whichever that is, and what ends the file."""
    with isolated(guest_run, lab, served) as (run, server):
        losses = Losses(run.guest, (OACK, 0), (DATA, 2), (ACK, ANY), (DATA, BLOCKS))
        assert fetch(run.guest, served, (*PATIENT, "--option", "windowsize 4", server))[1] == FILES["folder/odd"]
        run.wait_text(r"tftp: folder/odd: \d+ bytes, 512 bytes a block, 4 at once", "own")
    assert losses.left == []
