"""The commands that `vm-launch plan --format sh` prints, run by a shell as if they were pasted into one."""

import os
import re
import signal
import subprocess
import tempfile
import threading

import vm


class Pasted:
    """Use as a context: leaving it, whatever the reason, ends the shell and all that it started.

    The commands come from a file, so that what is typed goes to the guest's console."""

    def __init__(self, commands, words=("sh",), cwd=None):
        self.file = tempfile.NamedTemporaryFile("w", prefix="vml-pasted-", suffix=".sh")
        self.file.write(commands)
        self.file.flush()
        self.shown = ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [*map(str, words), self.file.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # a shell that has ended may have left something behind
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()
        self.file.close()

    def _read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.shown += piece.decode(errors="replace")
                self.changed.notify_all()

    def wait_text(self, pattern, seconds=vm.BOOT_DEADLINE):
        with self.changed:
            found = self.changed.wait_for(lambda: re.search(pattern, self.shown), seconds)
        assert found, f"{pattern!r} did not come:\n{self.shown}"

    def type(self, text):
        os.write(self.process.stdin.fileno(), text.encode())

    def wait_exit(self, seconds=vm.BOOT_DEADLINE):
        """The shell's exit code, and all that was shown."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end:\n{self.shown}") from None
        self.reader.join(seconds)
        return code, self.shown
