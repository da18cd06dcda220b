"""A run of vm-launch on a terminal of its own: a pseudo-terminal that is its controlling one, as a shell would give it."""

import fcntl
import os
import pty
import subprocess
import termios
import time

from pexpect import fdpexpect

import vm


class Terminal(vm.Boot):
    """`screen` is pexpect's view of it. The test holds the terminal open too, so that its settings can be compared when
    vm-launch has gone."""

    def __init__(self, folder, *arguments, **options):
        super().__init__(folder, *arguments, capture=False, **options)
        self.ours, self.theirs = pty.openpty()
        self.before_settings = self.settings()
        self.log = open(self.folder / "screen", "wb")
        self.screen = fdpexpect.fdspawn(self.ours, timeout=vm.BOOT_DEADLINE, logfile=self.log)

    def start(self):
        self.before = vm.leftovers_in_shared_places()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command(),
            stdin=self.theirs,
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

    def settings(self):
        return termios.tcgetattr(self.theirs)

    def is_raw(self):
        local_flags = self.settings()[3]
        return not local_flags & (termios.ICANON | termios.ECHO | termios.ISIG)

    def assert_restored(self):
        assert self.settings() == self.before_settings, "the terminal's settings were not restored"

    def wait(self, pattern):
        """Until the pattern is on the screen. The screen is read on: nothing blocks for want of a reader."""
        self.screen.expect(pattern)

    def wait_exit(self, seconds=vm.BOOT_DEADLINE):
        # What vm-launch says last has to be read, or a full terminal would keep it from ending.
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {seconds} s")
            self.screen.expect([fdpexpect.TIMEOUT], timeout=0.2)
        return self.process.returncode
