"""A run of vm-launch on a terminal of its own: a pseudo-terminal that is its controlling one, as a shell would give it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pyte
from pexpect import fdpexpect

import vm


END = b"\x1b]2;the end\x07"

# vm-launch's row below the guest's text, as screen::BottomRow draws and wipes it: it may stand between two letters of a word.
ROW = re.compile(rb"\x1bD\x1b\[A\x1b7\x1b\[0m\x1b\(B\x0f\r\x1b\[B.*?\x1b\[K\x1b8|\x1b7(?:\x1b\[\d+C)?\x1b\[0m\x1b\[J\x1b8")
# One that has not come whole: nothing behind it is looked at yet.
BEGUN_ROW = re.compile(rb"\x1bD[^\n]*\Z|\x1b7(?:\x1b(?:\[[\d;]*[CJm]?)?)*\Z|\x1b\Z")


class Terminal(vm.Boot):
    """`screen` is pexpect's view of it. The test holds the terminal open too, so that its settings can be compared when
    vm-launch has gone."""

    def __init__(self, folder, *arguments, size=(80, 24), keyboard=True, **options):
        super().__init__(folder, *arguments, capture=False, **options)
        self.keyboard = keyboard
        self.ours, self.theirs = pty.openpty()
        self.columns, self.rows = size
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("4H", self.rows, self.columns, 0, 0))
        self.before_settings = self.settings()
        self.log = open(self.folder / "screen", "wb")
        self.screen = fdpexpect.fdspawn(self.ours, timeout=vm.BOOT_DEADLINE)
        self.matched_to = 0  # in text_without_row()
        self.screen.logfile_read = self.log  # what is typed is on the screen only where the guest says it again

    def start(self):
        self.before = vm.leftovers_in_shared_places()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command(),
            stdin=self.theirs if self.keyboard else subprocess.DEVNULL,
            stdout=self.theirs,
            stderr=self.theirs,
            env=self.full_environment(),
            cwd=self.folder,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(self.theirs, termios.TIOCSCTTY, 0),
        )
        return self

    def end(self):
        left = super().end()
        self.log.close()
        os.close(self.theirs)
        os.close(self.ours)
        return left

    def text(self, where="console"):
        if not self.log.closed:
            self.log.flush()
        return (self.folder / "screen").read_text(errors="replace") if where == "console" else "(on the screen)"

    def scrolled(self):
        """All of it from the first row on, the screen last."""
        view = self.view()
        rows = ["".join(row[column].data for column in range(self.columns)) for row in view.history.top] + view.display
        return [row.rstrip() for row in rows]

    def view(self):
        """What a person sees, as pyte draws it, with what can be scrolled back to."""
        view = pyte.HistoryScreen(self.columns, self.rows, history=10_000)
        self.log.flush()
        written = (self.folder / "screen").read_bytes()
        pyte.ByteStream(view).feed(written.replace(b"\x1b[r", b"\x1b[1;%dr" % self.rows))  # which pyte does not know without parameters
        return view

    def wait_view(self, is_right):
        """Until what is on the screen is right."""
        deadline = time.monotonic() + vm.BOOT_DEADLINE
        while not is_right(self.view().display):
            assert time.monotonic() < deadline, "\n".join(self.view().display)
            self.screen.expect([fdpexpect.TIMEOUT], timeout=0.2)

    def assert_own_lines_are_whole(self):
        """Each line of vm-launch's stands as it was said, wrapped at the edge at most, and can be scrolled back to."""
        seen = self.scrolled()
        said = re.findall(r"vm-launch: [^\r\n\x1b]*", re.sub(r"\x1b\[[\d;]*m", "", self.text_without_row().decode(errors="replace")))
        assert said
        for line in said:
            wrapped = [line[at:at + self.columns].rstrip() for at in range(0, len(line), self.columns)]
            assert any(seen[at:at + len(wrapped)] == wrapped for at in range(len(seen))), line
        return said

    def assert_left_as_it_was(self):
        view = self.view()
        assert pyte.modes.DECAWM in view.mode and not view.cursor.hidden
        assert view.cursor.attrs.fg == view.cursor.attrs.bg == "default"
        assert (view.cursor.x, view.display[view.cursor.y].strip()) == (0, "")

    def settings(self):
        return termios.tcgetattr(self.theirs)

    def is_raw(self):
        local_flags = self.settings()[3]
        return not local_flags & (termios.ICANON | termios.ECHO | termios.ISIG)

    def assert_restored(self):
        assert self.settings() == self.before_settings, "the terminal's settings were not restored"

    def wait(self, pattern):
        """Until the pattern is on the screen. The screen is read on: nothing blocks for want of a reader."""
        assert self.came(pattern, vm.BOOT_DEADLINE), self.missing(pattern)

    def type_until(self, keys, pattern, turns=18):
        """Types the keys, and again where the pattern does not come within some seconds."""
        for _ in range(turns):
            self.screen.send(keys)
            if self.came(pattern, vm.BOOT_DEADLINE / turns):
                return
        raise AssertionError(self.missing(pattern))

    def came(self, pattern, seconds):
        """Behind what came before; `self.match` is where."""
        deadline = time.monotonic() + seconds
        while not (match := re.compile(pattern.encode()).search(self.text_without_row(), self.matched_to)):
            if time.monotonic() > deadline:
                return False
            self.screen.expect([fdpexpect.TIMEOUT], timeout=0.1)
        self.match, self.matched_to = match, match.end()
        return True

    def text_without_row(self):
        self.log.flush()
        return BEGUN_ROW.sub(b"", ROW.sub(b"", (self.folder / "screen").read_bytes()))

    def missing(self, pattern):
        return f"{pattern!r} did not come:\n{self.text()[-3000:]!r}"

    def wait_exit(self, seconds=vm.BOOT_DEADLINE):
        # What vm-launch says last has to be read, or a full terminal would keep it from ending.
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {seconds} s")
            self.screen.expect([fdpexpect.TIMEOUT], timeout=0.2)
        self.read_to_the_end()
        return self.process.returncode

    def read_to_the_end(self):
        """All that was written so far: what comes behind it, a window's title, has arrived."""
        os.write(self.theirs, END)
        self.screen.expect_exact(END)
