"""One run of `vm-launch`: started with flags, watched by its events and its console, and ended for certain.

Knows nothing of pytest: other integrations build on it too."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import threading
import time
import tty

from .record import STAGES, Record, Tail
from .settings import flags, taken_secrets
from .shown import quoted, without_secrets

# Seconds. An emulated machine on a busy host is slow: what waits so long is broken.
DEFAULT_TIMEOUT = 300
# Seconds that a VM whose plug was pulled has for its end.
END_TIMEOUT = 20
# How often keys are offered to a run that takes none.
KEYS_INTERVAL = 0.01

# Ctrl-].
DETACH = b"\x1d"

# What is kept: a guest may write to its console without end.
CONSOLE_BYTES = 4 << 20
LOG_BYTES = 1 << 20


class BootFailed(Exception):
    """The boot failed, or the run ended, before what was waited for. `code` is the exit code that stands for it."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


class NotInTime(Exception):
    """What was waited for did not come within the time."""


class Machine:
    """A run of `vm-launch`. Use as a context, or call `close`: either ends it.

    binary      vm-launch: a path, or a name to look for in PATH
    boot        a script, a folder or a URL, as on the command line; None where the options name what boots
    folder      where the report goes
    keyboard    whether `write` reaches the guest's console. A boot that fails does not end the run then: somebody may sit there
    qemu        QEMU's own arguments
    options     the settings, as `flags` has them; `name` is one of its own unless it is given"""

    numbers = itertools.count(1)

    def __init__(self, binary, boot=None, *, folder, keyboard=False, qemu=(), environment=None, **options):
        if "events" in options:
            raise TypeError("the machine reads its events itself: use `events` of what you get")
        self.name = options.pop("name", None) or f"vm-{os.getpid()}-{next(self.numbers)}"
        self.report_file = pathlib.Path(folder).absolute() / f"{self.name}.json"
        own = flags({"name": self.name, "report": self.report_file})
        self.binary = shutil.which(os.fspath(binary))
        if not self.binary:
            raise FileNotFoundError(f"there is no program {binary}")
        secrets = taken_secrets(options)
        self.words = [*own, *flags(options), *([str(boot)] if boot is not None else [])]
        self.words += ["--", *map(str, qemu)] if qemu else []
        self.exit_code = None
        self.log_bytes = Tail(LOG_BYTES)
        self.console_bytes = Tail(CONSOLE_BYTES)
        self._environment = environment
        self._changed = threading.Condition()
        self._record = Record()
        self._fault = None  # of what was read, if it was not vm-launch's
        self._boot_from = 0  # where in the console's bytes the boot after the latest reset begins
        self._keyboard = keyboard
        self._start({**(os.environ if environment is None else environment), **secrets})

    # -- running

    def _start(self, environment):
        # The terminal is the run's own. When its other end is closed, by this process's end too whatever that is, vm-launch gets
        # SIGHUP and stops. Where it is standard input too, vm-launch attaches it to the console.
        self._terminal, own_end = os.openpty()
        os.set_blocking(self._terminal, False)
        tty.setraw(own_end)
        events, events_end = os.pipe()
        prefix = ["setsid", "--ctty"] + ([] if self._keyboard else ["sh", "-c", 'exec "$0" "$@" </dev/null'])
        try:
            self.process = subprocess.Popen(
                [*prefix, self.binary, "run", f"--events=fd:{events_end}", *self.words],
                stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[events_end, own_end],
                env=environment, bufsize=0,
            )  # fmt: skip
        except OSError:
            os.close(events)
            os.close(self._terminal)
            raise
        finally:
            os.close(events_end)
            os.close(own_end)
        ended = os.pidfd_open(self.process.pid)
        self._reader = threading.Thread(target=self._collect, args=[events, ended], name=self.name, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _collect(self, events, ended):
        takers = {
            self.process.stdout.fileno(): self.console_bytes.append,
            self.process.stderr.fileno(): self.log_bytes.append,
            events: self._record.take,
        }
        try:
            self._drain(takers, ended)
        finally:
            for fd in (events, ended):
                os.close(fd)
            self.process.stdout.close()
            self.process.stderr.close()
            code = self.process.wait()
            with self._changed:
                self.exit_code = code
                self._changed.notify_all()

    def _drain(self, takers, ended):
        with selectors.DefaultSelector() as selector:
            for fd in (*takers, ended):
                selector.register(fd, selectors.EVENT_READ)
            running = True
            # Once it has ended, what it wrote before is there: no descriptor is waited for that others may have.
            while ready := selector.select(None if running else 0):
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16) if key.fd != ended else b""
                    running = running and key.fd != ended
                    if data:
                        self._note(takers[key.fd], data)
                    else:
                        selector.unregister(key.fd)

    def _note(self, take, data):
        """What cannot be understood is kept for who waits, and read on: vm-launch is not to wait for a reader."""
        with self._changed:
            try:
                take(data)
            except Exception as error:
                self._fault = self._fault or error
            self._changed.notify_all()

    # -- what is known of it

    @property
    def events(self):
        """What was told so far, as docs/events.md of vm-launch has it: a list of objects."""
        with self._changed:
            return list(self._record.events)

    @property
    def stage(self):
        """The furthest stage of the boot that runs; None before the first."""
        with self._changed:
            return self._record.stage

    @property
    def verdict(self):
        """Why the boot failed (`what`, `why`, `hint`, `code`); None where it did not, or not yet."""
        with self._changed:
            return self._record.verdict

    @property
    def console(self):
        """What the guest wrote on its serial console, the latest 4 MiB of it."""
        with self._changed:
            return self.console_bytes.text()

    @property
    def log(self):
        """vm-launch's own lines."""
        with self._changed:
            return self.log_bytes.text()

    @property
    def report(self):
        """The boot report (docs/report-format.md of vm-launch), which there is once the run has ended."""
        if self.exit_code is None:
            raise RuntimeError(f"{self.name} runs, and its report is written at its end: `wait` for it, or `stop` it")
        return json.loads(self.report_file.read_text())

    @property
    def command_line(self):
        """How it was started, for a log: as its report has it, or before there is one, with `***` for what is a secret by its name or
        its shape."""
        with contextlib.suppress(RuntimeError, OSError, ValueError, LookupError):
            if command := self.report["command"]:
                return command
        return shlex.join(map(without_secrets, [self.binary, "run", *self.words]))

    def explain(self):
        """How the run stands, in a few lines; those behind the first may have words of the guest, and begin with `| `."""
        state = f"runs, at the stage {self.stage}" if self.exit_code is None else f"ended with {self.exit_code}"
        lines = []
        if verdict := self.verdict:
            lines = [verdict["what"] or "", *(f"{key}: {verdict[key]}" for key in ("why", "hint") if verdict[key])]
        elif self.exit_code:
            lines = [line for line in self.log.splitlines() if line.startswith(("vm-launch: error", "  "))]
        return "\n".join([f"{self.name} {state}", *([quoted("\n".join(lines))] if lines else [])])

    # -- waiting

    def wait_stage(self, stage, timeout=DEFAULT_TIMEOUT):
        """The event by which the boot that runs reached the stage, now or before. A later stage does not stand for it."""
        if stage not in STAGES:
            raise ValueError(f"no stage {stage!r}: there are {', '.join(STAGES)}")
        __tracebackhide__ = True
        return self._wait(lambda: self._record.reached.get(stage), timeout, f"the stage {stage}", lambda: self._record.verdict)

    def wait_console(self, pattern, timeout=DEFAULT_TIMEOUT):
        """The match of the pattern, a text or a compiled one, in `console`; after a `reset` in what came since."""

        def text():
            return self.console_bytes.since(self._boot_from).decode(errors="replace")

        return self._wait(lambda: re.search(pattern, text()), timeout, f"{pattern!r} on the console")

    def wait(self, timeout=DEFAULT_TIMEOUT):
        """The run's exit code, once it has ended."""
        self._wait(lambda: self.exit_code is not None, timeout, "the end")
        return self.exit_code

    def read_console(self, position, timeout, most=None):
        """What the console has behind the position, so many bytes at most, and the position behind that. Nothing, where nothing comes in
        time."""

        def more():
            return self.console_bytes.since(position)

        with self._changed:
            self._changed.wait_for(lambda: more() or self.exit_code is not None, timeout)
            data = more()
            taken = data[:most] if most else data
            return taken, self.console_bytes.end - len(data) + len(taken)

    def _wait(self, condition, timeout, what, failed=lambda: None):
        __tracebackhide__ = True  # pytest's
        with self._changed:
            over = self._changed.wait_for(lambda: condition() or failed() or self._fault or self.exit_code is not None, timeout)
            if found := condition():
                return found
            if self._fault:
                raise RuntimeError(f"{self.name} told what cannot be read: {self._fault!r}") from self._fault
            if not over:
                raise NotInTime(f"not within {timeout} s: {what}. {self.explain()}")
            verdict = self._record.verdict
            raise BootFailed(f"before {what}: {self.explain()}", verdict["code"] if verdict else self.exit_code)

    # -- acting

    def write(self, data, delay=0.0, timeout=DEFAULT_TIMEOUT):
        """Types bytes, or a text, on the guest's console, and waits so many seconds after each byte. SeaBIOS's console, which a BIOS
        machine's iPXE reads from, keeps 15 bytes, and loses what comes then before it is read. `NotInTime` where what lies between here
        and the guest is full for so long, `BootFailed` where the run has ended."""
        data = data.encode() if isinstance(data, str) else data
        if not self._keyboard:
            raise RuntimeError(f"{self.name} was started without keyboard=True")
        if DETACH in data:
            raise ValueError("Ctrl-] is for vm-launch, and would take the keyboard away")
        for at in range(0, len(data), 1 if delay else max(1, len(data))):
            self._type(data[at : at + 1] if delay else data, timeout)
            time.sleep(delay)

    def _type(self, data, timeout):
        __tracebackhide__ = True
        deadline = time.monotonic() + timeout
        with self._changed:
            while data := data[self._taken(data) :]:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise NotInTime(f"not taken within {timeout} s: {len(data)} bytes of what was typed. {self.explain()}")
                self._changed.wait(min(left, KEYS_INTERVAL))

    def _taken(self, data):
        """How many bytes the terminal takes now."""
        __tracebackhide__ = True
        if self.exit_code is not None:
            raise BootFailed(f"nobody reads what is typed: {self.explain()}", self.exit_code)
        try:
            return os.write(self._terminal, data)
        except OSError:  # it is full, or its other end is closed, and then the run ends
            return 0

    def command(self, verb, *words, timeout=DEFAULT_TIMEOUT):
        """`vm-launch VERB NAME WORDS…`, once there is a VM to talk to: subprocess.CompletedProcess with text."""
        self.wait_stage("machine", timeout)
        line = [self.binary, verb, self.name, *map(str, words)]
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout,
                              env=self._environment, check=False)  # fmt: skip

    def exec(self, *words, timeout=DEFAULT_TIMEOUT):
        """Runs a command in the guest by its guest agent, which is waited for."""
        self.wait_stage("agent", timeout)
        return self.command("exec", "--", *words, timeout=timeout)

    def reset(self):
        """Presses the reset button; the boot that runs afterwards is another one."""
        with self._changed:
            resets, position = self._record.resets, self.console_bytes.end
        self.command("reset").check_returncode()
        self._boot_from = position
        self._wait(lambda: self._record.resets > resets and not self._record.boot_is_due, END_TIMEOUT, "the reset")

    def stop(self, timeout=DEFAULT_TIMEOUT):
        """Presses the power button, and forces what does not obey within `stop_timeout`: the run's exit code."""
        self._wait(lambda: self._record.events or self.exit_code is not None, timeout, "the start")  # before, a signal ends vm-launch itself
        self._signal(signal.SIGTERM)
        return self.wait(timeout)

    def close(self):
        """Pulls the plug, where that is needed."""
        self._signal(signal.SIGQUIT)
        self._reader.join(END_TIMEOUT)
        if self._reader.is_alive():
            self.process.kill()
            self._reader.join()
        with self._changed:
            if self._terminal is not None:
                os.close(self._terminal)
                self._terminal = None

    def _signal(self, number):
        with self._changed:
            if self.exit_code is None:
                self.process.send_signal(number)
