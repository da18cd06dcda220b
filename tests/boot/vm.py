"""Runs vm-launch for a test, collects what it says, and makes sure that nothing stays behind.

Nothing here waits for a time to pass: every wait is for an event, with a deadline that only a broken boot reaches."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pcap

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("VML_BINARY", ROOT / "build/dev/vm-launch")).absolute()

# A guest that is small, so that several fit on a small machine.
SMALL = ("--memory", "512M", "--cpus", "1")

# Emulated machines on a busy host are slow, and never to be judged by the clock.
BOOT_DEADLINE = 180
END_DEADLINE = 60

# How the guest of scripts/assets and its script speak.
SCRIPT_RAN = "VM-LAUNCH-SCRIPT-RAN"
GUEST_UP = "VM-LAUNCH-GUEST-UP"
POWER_BUTTON = "VM-LAUNCH-GUEST-POWER-BUTTON"
FIRMWARE_TEXT = r"SeaBIOS|iPXE|UEFI|BdsDxe"

# Every process of a run has this in its environment, however deep it is.
MARK = "QEMU_TEST_RUN"  # a name that QEMU gets too


def made_assets(*options):
    """The folder of what scripts/assets makes with these options, once; kept for the next run."""
    folder = ROOT / "build/assets"
    subprocess.run([ROOT / "scripts/assets", *options, folder], check=True)
    return folder


@contextlib.contextmanager
def readable_folder(prefix):
    """A folder for a test. pytest's own are for their owner alone; QEMU runs as a user without rights, and must reach what it serves."""
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def guest_script(words="", marker=SCRIPT_RAN):
    """An iPXE script that boots the test guest; `words` change what the guest does (scripts/guest/init). An emulated timer
    on a busy host fails the kernel's check of it, which then panics: no_timer_check."""
    return f"#!ipxe\necho {marker}\nkernel vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check {words}\ninitrd initrd.gz\nboot\n"


class Netboot:
    """A folder that the guest boots from: the kernel and the initramfs of the assets, and scripts of the test's own."""

    def __init__(self, path, assets):
        self.path = path
        for name in ("vmlinuz", "initrd.gz"):
            os.link(assets / name, path / name) if same_device(assets, path) else shutil.copy(assets / name, path)

    def script(self, name="boot.ipxe", words="", marker=SCRIPT_RAN):
        (self.path / name).write_text(guest_script(words, marker))
        return self


def same_device(one, other):
    return os.stat(one).st_dev == os.stat(other).st_dev


def processes_with(token):
    """The pids of all processes, but this one, that have the token in their environment or their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        # A process may end while it is looked at; a zombie has neither.
        with contextlib.suppress(OSError):
            if any(token in (entry / name).read_bytes() for name in ("environ", "cmdline")):
                found.append(int(entry.name))
    return found


def wait_for_end(pid, seconds):
    """True when the process, which need not be a child, ended within the time."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def name_of(pid):
    """Its name; an empty one once it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def command_line(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")


class Boot:
    """One run of vm-launch, with its console (stdout), its own lines (stderr) and its packets.

    Use as a context: leaving it ends the run, and fails when a process or a file stays behind."""

    count = 0

    def __init__(self, folder, *arguments, extra=(), capture=True, environment=None, stdin=subprocess.DEVNULL):
        Boot.count += 1
        self.name = f"t{os.getpid()}-{Boot.count}"
        self.arguments = [str(argument) for argument in arguments]
        self.extra = list(extra)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        self.folder.chmod(0o755)  # QEMU runs as a user without rights
        self.private = self.folder / "private"
        self.private.mkdir()
        self.environment = environment or {}
        self.stdin = stdin
        self.changed = threading.Condition()
        self.lines = {"console": [], "own": []}  # (seconds since the start, line)
        self.packets = []
        self.partial = {"console": "", "own": ""}
        self.wire = pcap.Capture(self.folder / "wire", "net0", self._packet) if capture else None
        self.threads = []

    # -- running

    def command(self):
        extra = self.extra + (self.wire.qemu_arguments() if self.wire else [])
        tail = ["--", *extra] if extra else []
        return [str(BINARY), "--name", self.name, *self.arguments, *tail]

    def full_environment(self):
        """The caller's, without the names that vm-launch reads, and with private places for temporary files."""
        places = {"TMPDIR": str(self.private), "XDG_RUNTIME_DIR": str(self.private)}
        mine = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TERM") if name in os.environ}
        return {**mine, **places, **self.environment, MARK: self.name}

    def start(self):
        self.before = leftovers_in_shared_places()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command(),
            stdin=self.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.full_environment(),
            cwd=self.folder,
        )
        for stream, where in ((self.process.stdout, "console"), (self.process.stderr, "own")):
            thread = threading.Thread(target=self._collect, args=(stream, where), name=where)
            thread.start()
            self.threads.append(thread)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        left = self.end()
        if error is not None:
            error.args = (f"{error}\n{self.story()}", *error.args[1:])
        elif left:
            raise AssertionError(f"left behind: {'; '.join(left)}\n{self.story()}")

    def end(self):
        """Ends the run, whatever state it is in, and says what it left behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        left = self.stray_processes() + self.stray_files()
        for thread in self.threads:
            thread.join()
        if self.wire:
            self.wire.close()
        return left

    def stray_processes(self):
        """Processes of this run that do not end by themselves at once; they are ended here."""
        left = []
        for pid in processes_with(self.name.encode()):
            if not wait_for_end(pid, 5):
                with contextlib.suppress(OSError):
                    left.append(f"process {pid} ({name_of(pid)})")
                    os.kill(pid, signal.SIGKILL)
                    wait_for_end(pid, 5)
        return left

    def stray_files(self):
        shared = leftovers_in_shared_places() - self.before
        return [f"file {path}" for path in [*self.private.iterdir(), *filter(self.is_mine, shared)]]

    def is_mine(self, path):
        """Others run VMs at the same time: the name has to say whose file it is."""
        return any(mark in path.name for mark in (self.name, str(self.process.pid)))

    # -- what it says

    def _collect(self, stream, where):
        while data := os.read(stream.fileno(), 1 << 16):
            with self.changed:
                now = time.monotonic() - self.began
                *whole, self.partial[where] = (self.partial[where] + data.decode(errors="replace")).split("\n")
                self.lines[where] += [(now, line) for line in whole]
                self.changed.notify_all()
        stream.close()

    def _packet(self, packet):
        with self.changed:
            self.packets.append(packet)
            self.changed.notify_all()

    def text(self, where="console"):
        with self.changed:
            return "\n".join([line for _, line in self.lines[where]] + [self.partial[where]])

    def dhcp(self):
        with self.changed:
            return [packet for packet in self.packets if isinstance(packet, pcap.Dhcp)]

    def fetched(self):
        with self.changed:
            return [packet.name for packet in self.packets if isinstance(packet, pcap.Request)]

    def story(self):
        """Everything that was seen, for the report of a failed test."""
        tail = self.text("console").splitlines()[-40:]
        packets = [f"{p.kind} by {p.sender}" if isinstance(p, pcap.Dhcp) else p.name for p in self.packets]
        parts = [
            "command: " + " ".join(self.command()),
            f"exit code: {self.process.poll()} after {time.monotonic() - self.began:.1f} s",
            "own lines:\n" + self.text("own"),
            "end of the console:\n" + "\n".join(tail),
            f"packets: {packets[:20]}",
        ]
        return "\n--- ".join(["", *parts])

    # -- waiting

    def _wait(self, condition, seconds, what):
        """The first true value of the condition, which is looked at whenever something was said or sent."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not (value := condition()):
                # Its end is no event of `changed`, so it is looked at once a second. It is judged by what was seen one
                # turn later: the last lines and packets may still be on their way through their pipes.
                ended = self.process.poll() is not None
                if self.changed.wait_for(condition, 1):
                    continue
                if ended:
                    raise AssertionError(f"vm-launch ended with {self.process.returncode} before {what}")
                if time.monotonic() > deadline:
                    raise AssertionError(f"not within {seconds} s: {what}")
            return value

    def wait_text(self, pattern, where="console", seconds=BOOT_DEADLINE):
        expression = re.compile(pattern)
        return self._wait(lambda: expression.search(self.text(where)), seconds, f"{pattern!r} on {where}")

    def wait_dhcp(self, seconds=BOOT_DEADLINE):
        """The first DHCP message of the guest: it says who boots."""
        return self._wait(lambda: next(iter(self.dhcp()), None), seconds, "a DHCP message")

    def wait_file(self, name, seconds=BOOT_DEADLINE):
        """A request for it on the wire."""
        return self._wait(lambda: name in self.fetched(), seconds, f"a request for {name}")

    def wait_exit(self, seconds=BOOT_DEADLINE):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s") from None
        for thread in self.threads:
            thread.join()
        return code

    # -- acting

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """A stop that was asked for and is clean: 0."""
        self.signal(signal.SIGTERM)
        code = self.wait_exit(END_DEADLINE)
        assert code == 0, f"SIGTERM was answered with exit code {code}"

    def qemu(self):
        """The pid of QEMU."""
        found = [pid for pid in processes_with(self.name.encode()) if name_of(pid).startswith("qemu-system")]
        assert len(found) == 1, f"QEMU processes: {found}"
        return found[0]


def leftovers_in_shared_places():
    """Files of vm-launch where it may put them whatever TMPDIR says."""
    places = [pathlib.Path(place) for place in ("/tmp", "/var/tmp", "/run", "/run/vm-launch", "/dev/shm")]
    return {path for place in places for path in entries_of(place) if re.search("vm-?launch|qemu", path.name)}


def entries_of(folder):
    """What lies in it; nothing where there is none, or where the last vm-launch has just taken it away."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def free_port():
    """A TCP port of this host that nobody has: tests run beside each other."""
    with socket.create_server(("", 0)) as free:
        return free.getsockname()[1]


def run(*arguments, environment=None, seconds=60):
    """vm-launch for something that does not boot: a plan, or a refusal."""
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={"PATH": os.environ["PATH"], **(environment or {})},
    )
