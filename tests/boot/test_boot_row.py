"""The row below the console while a machine really boots."""

import http.server
import re
import signal
import threading

import pytest

import vm
from terminal import Terminal

KEYS = "Ctrl-] detaches"
LINES = [f"LINE-{number:02} {'x' * 30}" for number in range(40)]
HALF = 300_000


class SlowFile(http.server.ThreadingHTTPServer):
    """A file whose second half comes once `go_on` is set. On the host's loopback, which is 10.0.2.2 to the guest."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), HalfAndHalf)
        self.go_on = threading.Event()
        self.url = f"http://10.0.2.2:{self.server_port}/initrd.img"


class HalfAndHalf(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(2 * HALF))
        self.end_headers()
        self.wfile.write(b"x" * HALF)
        self.wfile.flush()
        if self.server.go_on.wait(vm.BOOT_DEADLINE):
            self.wfile.write(b"x" * HALF)

    def log_message(self, *_):
        pass


@pytest.fixture
def slow_file():
    with SlowFile() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(netboot, slow_file):
    """A script of more lines than the screen has rows, the fetch, a key that is waited for, and the lines again."""
    echoes = [f"echo {line}" for line in LINES]
    waits = ["imgfree", "echo WAITING", "prompt --key 0x78 && echo KEY-CAME"]
    script = ["#!ipxe", *echoes, f"imgfetch {slow_file.url}", *waits, *echoes, "prompt", ""]
    (netboot.path / "boot.ipxe").write_text("\n".join(script))
    return netboot.path


def is_row(row, pattern):
    return re.fullmatch(rf"{pattern} \| \d+:\d\d \| {re.escape(KEYS)}", row.rstrip())


def has_row(run, pattern):
    run.wait_view(lambda rows: any(is_row(row, pattern) for row in rows))


def what_the_script_wrote(tmp_path, folder, slow_file, console):
    """At 80 columns and 24 rows, as it can be scrolled back to."""
    words = ("--ipxe", "--netboot-dir", folder, "--console", console, *vm.SMALL)
    slow_file.go_on.clear()
    with Terminal(tmp_path, *words, size=(80, 24), environment={"TERM": "xterm", "NO_COLOR": "1"}) as run:
        run.wait(re.escape(f"{slow_file.url}..."))
        if console == "auto":
            has_row(run, r".*✓ script ▸ initrd\.img .*50 %.*")
        slow_file.go_on.set()
        run.wait("WAITING")
        if console == "auto":
            has_row(run, "[^▸]*✓ script")
        run.screen.send(b"x")
        run.wait("KEY-CAME")
        run.wait(LINES[-1] + r"\r+\n")
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0
        run.assert_own_lines_are_whole()
        run.assert_left_as_it_was()
        run.assert_restored()
        rows = run.scrolled()
        own = [row for row in rows if KEYS in row]
        assert len(own) == 1 and own[0].startswith("vm-launch: attached"), own
        return [row for row in rows if re.search(r"LINE-|xxx|WAIT|KEY-CAME|initrd\.img\.\.\.", row)]


def test_a_slow_fetch_is_told_and_every_line_of_the_guests_is_whole(boot, tmp_path, folder, slow_file):
    seen = what_the_script_wrote(tmp_path, folder, slow_file, "auto")
    assert seen == [*LINES, f"{slow_file.url}... ok", "WAITING", "KEY-CAME", *LINES]
    assert seen == what_the_script_wrote(tmp_path, folder, slow_file, "plain")
