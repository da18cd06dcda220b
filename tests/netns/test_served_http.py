"""HTTP and names of vm-launch's own on an isolated segment, by curl and busybox's resolver."""

import os
import socket

import pytest

import lab as labs

MAC = "52:54:00:00:0d:04"
SERVER, SERVER6 = "198.18.1.1", "fd56:4d4c:5241::1:1"
URL = f"http://{SERVER}"
AT_ONCE = 32  # netserve/http_server.h
SIZE = 3_000_000
LARGE = os.urandom(SIZE)


@pytest.fixture(scope="module")
def guest(guest_run):
    """One whose addresses are there, and what it is served: all of the tests only read."""
    with labs.private_folder() as folder:
        (folder / "boot.ipxe").write_text("#!ipxe\nshell\n")
        (folder / "large").write_bytes(LARGE)
        (folder / "empty").write_bytes(b"")
        (folder / "a name é").write_bytes(b"odd")
        (folder / "locked").mkdir()
        (folder / "out").symlink_to("/etc/passwd")
        words = ("--network", "isolated", "--ipxe", "--netboot-dir", folder)
        with guest_run(*words, mac=MAC) as run:
            run.guest.ip("addr", "add", "198.18.1.2/16", "dev", "eth0")
            run.guest.ip("addr", "add", "fd56:4d4c:5241::1:2/64", "dev", "eth0", "nodad")
            yield run.guest


def curl(guest, *words):
    """curl's own exit code, the bodies, and for each answer its status and how many connections were opened for it."""
    told = guest.run("curl", "-s", "--show-error", "-g", "-w", "%{stderr}%{http_code} %{num_connects}\\n", *words)
    lines = [line.split() for line in told.stderr.decode().splitlines()]
    return told.returncode, told.stdout, [(int(line[0]), int(line[1])) for line in lines if line[0].isdigit()]


@pytest.mark.parametrize(
    ("asked", "status", "first", "end"),
    [
        ("0-9", 206, 0, 10),
        ("1000-1999999", 206, 1000, 2_000_000),
        ("2999990-", 206, 2_999_990, SIZE),
        ("-7", 206, SIZE - 7, SIZE),
        ("2999999-99999999", 206, SIZE - 1, SIZE),
        ("0-0,5-6", 200, 0, SIZE),
        ("9-1", 200, 0, SIZE),
        ("3000000-", 416, 0, 0),
        ("-0", 416, 0, 0),
    ],
)
def test_ranges(guest, asked, status, first, end):
    code, body, answers = curl(guest, "-H", f"Range: bytes={asked}", f"{URL}/large")
    assert (code, answers) == (0, [(status, 1)])
    assert body == LARGE[first:end]


def test_a_download_goes_on_where_it_stopped(guest, tmp_path):
    (tmp_path / "large").write_bytes(LARGE[:1_234_567])
    code, _, answers = curl(guest, "-C", "-", "-o", tmp_path / "large", f"{URL}/large")
    assert (code, answers) == (0, [(206, 1)])
    assert (tmp_path / "large").read_bytes() == LARGE


def test_one_connection_serves_many(guest):
    """And a HEAD among them has no body that the next answer would be taken for."""
    paths = [f"{URL}/{name}" for name in ("boot.ipxe", "empty", "large")]
    code, body, answers = curl(guest, *paths)
    assert (code, answers) == (0, [(200, 1), (200, 0), (200, 0)])
    assert body == b"#!ipxe\nshell\n" + LARGE
    code, head, answers = curl(guest, "-I", *paths)
    assert (code, answers) == (0, [(200, 1), (200, 0), (200, 0)])
    assert [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")] == [
        b"Content-Length: 13", b"Content-Length: 0", b"Content-Length: 3000000",
    ]  # fmt: skip


def test_what_is_asked_for_in_other_words(guest):
    for words, body in (
        ((f"{URL}/a%20name%20%C3%A9",), b"odd"),
        (("--http1.0", f"{URL}/boot.ipxe?mac=1#x"), b"#!ipxe\nshell\n"),
        ((f"http://[{SERVER6}]/boot.ipxe",), b"#!ipxe\nshell\n"),
        (("--path-as-is", f"{URL}//boot.ipxe"), b"#!ipxe\nshell\n"),
    ):
        code, got, answers = curl(guest, *words)
        assert (code, got, answers) == (0, body, [(200, 1)]), words


def test_what_is_not_given(guest, tmp_path):
    (tmp_path / "large").write_bytes(LARGE)
    for words, status in (
        ((f"{URL}/missing",), 404),
        ((f"{URL}/locked",), 404),
        ((f"{URL}/",), 404),
        ((f"{URL}/out",), 403),
        (("--path-as-is", f"{URL}/../../../etc/passwd"), 403),
        (("--path-as-is", f"{URL}/%2e%2e/%2e%2e/etc/passwd"), 403),
        ((f"{URL}/a%00b",), 400),
        (("-d", "x", f"{URL}/boot.ipxe"), 405),
        (("-X", "DELETE", f"{URL}/boot.ipxe"), 405),
        (("-T", os.devnull, f"{URL}/new"), 405),
        (("-T", tmp_path / "large", f"{URL}/new"), 405),
        (("-d", f"@{tmp_path / 'large'}", "-H", "Expect:", f"{URL}/large"), 405),
    ):
        code, body, answers = curl(guest, *words)
        assert (code, body, answers) == (0, b"", [(status, 1)]), words


def test_more_at_once_than_are_served(guest):
    """They wait for their turn, and kept connections that nobody uses make room for them."""
    kept = labs.in_namespace(guest.namespace, lambda: [socket.create_connection((SERVER, 80)) for _ in range(AT_ONCE)])
    clients = f"seq {AT_ONCE + 8} | xargs -P {AT_ONCE + 8} -I% curl -sSf -o /dev/null {URL}/large?%"
    ended = guest.run("sh", "-c", clients)
    for connection in kept:
        connection.close()
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_names(guest):
    """The server's own has both of its addresses, and there is no other."""
    known = guest.run("busybox", "nslookup", "boot.local", SERVER)
    assert known.returncode == 0 and SERVER.encode() in known.stdout.split(b"Name:", 1)[1] and SERVER6.encode() in known.stdout
    other = guest.run("busybox", "nslookup", "other.example", SERVER)
    assert other.returncode == 1 and b"NXDOMAIN" in other.stdout
