"""One run of `vm-launch`: started with flags, watched by its events and its console, and ended for certain.

Knows nothing of pytest: other integrations stand on it too."""

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

from .record import STAGES, Record, Tail, printable

# Seconds. An emulated machine on a busy host is slow: what waits so long is broken.
DEFAULT_TIMEOUT = 300
# Seconds that a VM whose plug was pulled has for its end.
END_TIMEOUT = 20

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


def flags(options):
    """The words of a command line: `boot_timeout=60` is `--boot-timeout=60`, True and False are on and off, a list gives its
    flag once for each item, None gives none."""
    words = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, bool):
                words.append(f"{flag}={'on' if one else 'off'}")
            elif one is not None:
                words.append(f"{flag}={one}")
    return words


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
        self.binary = shutil.which(binary)
        if not self.binary:
            raise FileNotFoundError(f"there is no program {binary}")
        self.words = [*own, *flags(options), *([str(boot)] if boot is not None else [])]
        self.words += ["--", *map(str, qemu)] if qemu else []
        self.exit_code = None
        self.log_bytes = Tail(LOG_BYTES)
        self.console_bytes = Tail(CONSOLE_BYTES)
        self._environment = environment
        self._changed = threading.Condition()
        self._record = Record()
        self._keyboard = keyboard
        self._start()

    # -- running

    def _start(self):
        # The terminal is the run's own. When its other end is closed, by this process's end too whatever that is, vm-launch gets
        # SIGHUP and stops. Where it is standard input too, vm-launch attaches it to the console.
        self._terminal, own_end = os.openpty()
        tty.setraw(own_end)
        events, events_end = os.pipe()
        prefix = ["setsid", "--ctty"] + ([] if self._keyboard else ["sh", "-c", 'exec "$0" "$@" </dev/null'])
        try:
            self.process = subprocess.Popen(
                [*prefix, self.binary, "run", f"--events=fd:{events_end}", *self.words],
                stdin=own_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[events_end, own_end],
                env=self._environment, bufsize=0,
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
        for fd in (events, ended):
            os.close(fd)
        self.process.stdout.close()
        self.process.stderr.close()
        code = self.process.wait()
        with self._changed:
            self.exit_code = code
            self._changed.notify_all()

    def _note(self, take, data):
        with self._changed:
            take(data)
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
        return shlex.join([self.binary, "run", *self.words])

    def explain(self):
        """How the run stands, in a few lines."""
        state = f"runs, at the stage {self.stage}" if self.exit_code is None else f"ended with {self.exit_code}"
        lines = [f"{self.name} {state}"]
        if verdict := self.verdict:
            lines += [verdict["what"], *(f"{key}: {verdict[key]}" for key in ("why", "hint") if verdict[key])]
        elif self.exit_code:
            lines += [line for line in self.log.splitlines() if line.startswith(("vm-launch: error", "  "))]
        return printable("\n".join(lines))

    # -- waiting

    def wait_stage(self, stage, timeout=DEFAULT_TIMEOUT):
        """The event by which the boot that runs reached the stage, now or before. A later stage does not stand for it."""
        if stage not in STAGES:
            raise ValueError(f"no stage {stage!r}: there are {', '.join(STAGES)}")
        __tracebackhide__ = True
        return self._wait(lambda: self._record.reached.get(stage), timeout, f"the stage {stage}", lambda: self._record.verdict)

    def wait_console(self, pattern, timeout=DEFAULT_TIMEOUT):
        """The match of the pattern, a text or a compiled one, in `console`."""
        return self._wait(lambda: re.search(pattern, self.console_bytes.text()), timeout, f"{pattern!r} on the console")

    def wait(self, timeout=DEFAULT_TIMEOUT):
        """The run's exit code, once it has ended."""
        self._wait(lambda: self.exit_code is not None, timeout, "the end")
        return self.exit_code

    def read_console(self, position, timeout):
        """What the console has behind the position, and the position behind that. Nothing, where nothing comes in time."""

        def more():
            return self.console_bytes.since(position)

        with self._changed:
            self._changed.wait_for(lambda: more() or self.exit_code is not None, timeout)
            return more(), self.console_bytes.end

    def _wait(self, condition, timeout, what, failed=lambda: None):
        __tracebackhide__ = True  # pytest's
        with self._changed:
            over = self._changed.wait_for(lambda: condition() or failed() or self.exit_code is not None, timeout)
            if found := condition():
                return found
            if not over:
                raise NotInTime(f"not within {timeout} s: {what}. {self.explain()}")
            verdict = self._record.verdict
            raise BootFailed(f"before {what}: {self.explain()}", verdict["code"] if verdict else self.exit_code)

    # -- acting

    def write(self, data, delay=0.0):
        """Types bytes, or a text, on the guest's console, and waits so many seconds after each byte. SeaBIOS's console, which a BIOS
        machine's iPXE reads from, keeps 15 bytes, and loses what comes then before it is read."""
        data = data.encode() if isinstance(data, str) else data
        if not self._keyboard:
            raise RuntimeError(f"{self.name} was started without keyboard=True")
        if DETACH in data:
            raise ValueError("Ctrl-] is for vm-launch, and would take the keyboard away")
        for at in range(0, len(data), 1 if delay else max(1, len(data))):
            self._type(data[at : at + 1] if delay else data)
            time.sleep(delay)

    def _type(self, data):
        while data:
            data = data[os.write(self._terminal, data) :]

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
        resets = self._record.resets
        self.command("reset").check_returncode()
        self._wait(lambda: self._record.resets > resets and not self._record.boot_is_due, END_TIMEOUT, "the reset")

    def stop(self, timeout=DEFAULT_TIMEOUT):
        """Presses the power button, and forces what does not obey within `stop_timeout`: the run's exit code."""
        self._wait(lambda: self._record.events or self.exit_code is not None, timeout, "the start")  # before, a signal ends vm-launch itself
        self._signal(signal.SIGTERM)
        return self.wait(timeout)

    def close(self):
        """Pulls the plug, where that is needed."""
        self._signal(signal.SIGQUIT)
        try:
            self.wait(END_TIMEOUT)
        except NotInTime:
            self.process.kill()
        self._reader.join()
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def _signal(self, number):
        with self._changed:
            if self.exit_code is None:
                self.process.send_signal(number)
