"""Runs of vm-launch with a fake QEMU, which end within a deadline and leave no process behind.

Every wait is for an event; a deadline is reached only when something is broken."""

import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VML_BINARY", ROOT / "build/dev/vm-launch")).absolute()
FAKE = ROOT / "tests/fake"

DEADLINE = 60

# A network boot that needs nothing of the host but a ROM.
CONFINED_BOOT = ("--ipxe", "--accel", "tcg", "--bootfile", "http://192.0.2.1/boot.ipxe")
# The fake QEMU opens what no QEMU would: so without a Landlock domain.
BOOT = (*CONFINED_BOOT, "--no-landlock")

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From now on a child that vm-launch leaves behind, dead or alive, becomes a child of this process."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children():
    """This process's children, zombies included."""
    found = set()
    for task in pathlib.Path("/proc/self/task").iterdir():
        found |= set(map(int, (task / "children").read_text().split()))
    return found


def wait_for_end(pid, seconds=DEADLINE):
    """True when the process, which need not be a child, ended within the time."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def environment(scenario="poweroff", **more):
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "ASAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ}
    return {**kept, "PATH": f"{FAKE}:/usr/bin:/bin", "QEMU_FAKE": scenario, **more}


def command(*arguments):
    return [str(BINARY), *map(str, arguments)]


def end_children(pids):
    """What a failed test left alive must not trouble the next one."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def must_be_gone(before):
    left = children() - before
    end_children(left)
    assert not left, "vm-launch left a process behind"


def keepers(pids):
    """Those of them that keep the files of a vm-launch: one that was killed leaves it to take away the rest, and to end."""
    return [pid for pid in pids if comm_of(pid) == "vm-launch-files"]


def comm_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    return ""


def processes_of(pid):
    """vm-launch's QEMU, and the process that keeps its files: both are its children. The latter gives itself its name, which on
    a busy host may come after QEMU runs."""
    end = time.monotonic() + DEADLINE
    while True:
        found = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        named = keepers(map(int, found))
        if named or time.monotonic() > end:
            [keeper] = named
            [qemu] = set(map(int, found)) - {keeper}
            return qemu, keeper
        time.sleep(0.05)


def reap_the_dead(pids):
    """Takes the children among these that are dead, or about to be; the others are left."""
    for pid in pids:
        wait_for_end(pid, 5)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def launch(*arguments, scenario="poweroff", env=None, prefix=(), may_leave_dead=False, **options):
    """A whole run: a CompletedProcess with text. Whatever it leaves behind is a failure; a dead child, which init
    would reap, only where it is not expected."""
    before = children()
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    result = subprocess.run(
        [*prefix, *command(*arguments)],
        env=environment(scenario) if env is None else env,
        timeout=DEADLINE,
        check=False,
        **options,
    )
    if may_leave_dead:
        reap_the_dead(children() - before)
    must_be_gone(before)
    for name in ("stdout", "stderr"):
        value = getattr(result, name)
        setattr(result, name, None if value is None else value.decode(errors="replace"))
    return result


class Running:
    """A run that goes on. Use as a context: leaving it ends the run, and fails when a process stays behind."""

    def __init__(self, *arguments, scenario="run", prefix=(), env=None, **options):
        self.before = children()
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        self.process = subprocess.Popen(
            [*prefix, *command(*arguments)], env=env or environment(scenario), bufsize=0, **options
        )
        self.text = {"stdout": "", "stderr": ""}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        if kind is None:
            reap_the_dead(keepers(children() - self.before))
            must_be_gone(self.before)
        else:
            end_children(children() - self.before)

    def read_some(self, until):
        streams = {s.fileno(): (n, s) for n, s in self.streams() if s is not None and not s.closed}
        ready = select.select(list(streams), [], [], max(0, until - time.monotonic()))[0]
        assert ready, f"nothing came within the deadline; so far: {self.text}"
        for fd in ready:
            name, stream = streams[fd]
            data = os.read(fd, 65536)
            self.text[name] += data.decode(errors="replace")
            if not data:
                stream.close()
        return any(s is not None and not s.closed for _, s in self.streams())

    def streams(self):
        return ("stdout", self.process.stdout), ("stderr", self.process.stderr)

    def wait_for(self, pattern, stream="stderr"):
        """Returns the match of the pattern once it is in what the stream said."""
        until = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.text[stream])):
            assert self.read_some(until), f"the run ended without {pattern!r}: {self.text}"
        return found

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        """Reads to the end of the run and gives its exit code."""
        until = time.monotonic() + DEADLINE
        while any(s is not None and not s.closed for _, s in self.streams()):
            self.read_some(until)
        return self.process.wait(DEADLINE)


def restore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
