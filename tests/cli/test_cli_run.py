"""Whole runs with a fake QEMU: how each ends, what is said, and that nothing is left behind."""

import codecs
import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pyte
import pytest

from launch import BOOT, DEADLINE, FAKE, ROOT, Running, command, environment, launch, wait_for_end

STARTED = "machine: QEMU built the machine and runs it"


def says(result, *words):
    for word in words:
        assert word in result.stderr, result.stderr


# -- how QEMU ended

ENDS = {
    # scenario: exit code, words
    "poweroff": (0, ["the guest powered off"]),
    "guest-reset": (0, ["the guest rebooted, and QEMU was told not to"]),
    "garbage,poweroff": (0, ["the guest powered off"]),
    "bytes,poweroff": (0, ["the guest powered off"]),
    "odd": (0, ["the guest powered off"]),
    "io-error": (0, ["warning: the guest is paused: a disk could not be written", "the guest powered off"]),
    "reboots": (0, ["the guest rebooted", "the guest powered off"]),
    "panic": (20, ["error[20]: the guest panicked", "the serial console has the guest's own words"]),
    "host-signal": (4, ["qemu-system-x86_64 was ended from outside", "stop the VM through vm-launch"]),
    "die-early": (4, ["could not start", "exit status 1", "fake: cannot start", "last word", "`vm-launch plan`"]),
    "no-cpu": (2, ["this QEMU has no CPU 'foo'", "-cpu help"]),
    "die-greeted": (4, ["could not start", "exit status 1", "fake: died after the greeting"]),
    "die-check": (4, ["could not start", "exit status 1", "fake: died at a check"]),
    "die-cont": (4, ["exit status 1", "fake: died at cont"]),
    "die-running": (4, ["qemu-system-x86_64 died", "exit status 1", "fake: died while running"]),
    "segfault": (4, ["qemu-system-x86_64 died", "killed by SIGSEGV"]),
    "seccomp": (4, ["killed by SIGSYS", "QEMU's sandbox forbids something"]),
    "killed": (4, ["killed by SIGKILL", "out-of-memory killer"]),
    "internal-error": (4, ["QEMU stopped the guest with an internal error", "--log-level debug"]),
    "refuse-cont": (4, ["QEMU would not start the guest", "the fake will not"]),
    "check-off": (10, ["does not show the PCI ID 1af4:1041 of its ROM", "is off, not on", "`vm-launch plan`"]),
    "check-error": (10, ["is unknown, not on"]),
    "long-line": (4, ["qemu-system-x86_64 died"]),
    "hang-up": (4, ["qemu-system-x86_64 died", "killed by SIGKILL"]),
}


@pytest.mark.parametrize("scenario", ENDS)
def test_an_end(scenario):
    code, words = ENDS[scenario]
    result = launch(*BOOT, scenario=scenario)
    assert result.returncode == code, result.stderr
    says(result, *words)
    assert len(re.findall(r"error\[\d+\]: ", result.stderr)) == (0 if code == 0 else 1)


def test_only_the_last_lines_of_qemu_are_shown():
    result = launch(*BOOT, scenario="die-early")
    shown = re.findall(r"fake: word (\d+)", result.stderr)
    assert shown == sorted(shown, key=int)
    assert shown[-1] == "19"
    assert len(shown) < 20


def test_an_internal_error_under_kvm_leads_to_emulation():
    arguments = [word if word != "tcg" else "kvm" for word in BOOT]
    result = launch(*arguments, scenario="internal-error")
    assert result.returncode == 4
    says(result, "a nested KVM?", "emulate: --accel tcg")


def test_the_console_goes_to_standard_output_and_our_lines_to_standard_error():
    result = launch(*BOOT, scenario="os,poweroff")
    assert result.stdout.splitlines()[0] == "fake firmware"
    assert "Linux version 6.1.0-fake" in result.stdout
    assert "vm-launch" not in result.stdout
    assert all(line.startswith("vm-launch: ") for line in result.stderr.splitlines())
    says(result, STARTED, "kernel: Linux version 6.1.0-fake")


def in_one_pipe():
    reader, writer = os.pipe()
    return reader, writer, writer


def in_one_socket():
    ours, theirs = socket.socketpair()
    writer = theirs.detach()
    return ours.detach(), writer, writer


def in_one_pipe_opened_twice():
    reader, writer = os.pipe()
    return reader, writer, os.open(f"/proc/self/fd/{writer}", os.O_WRONLY)


@pytest.mark.parametrize("join", [in_one_pipe, in_one_socket, in_one_pipe_opened_twice], ids=lambda join: join.__name__)
def test_own_lines_never_stand_in_the_middle_of_the_guests(join):
    reader, out, err = join()
    with Running(*BOOT, scenario="half-lines,acpi", stdout=out, stderr=err) as run:
        for fd in {out, err}:
            os.close(fd)
        text = read_until(reader, "kernel: Linux version 6.1.0-fake")
        run.signal(signal.SIGTERM)
        text += read_until(reader, None)
        assert run.process.wait(DEADLINE) == 0
    lines = text.split("\n")
    assert "Machine UUID 1" in lines, text
    # The prompt waits for somebody: what is said to the guest's user begins a new line, and so does the next of ours.
    assert re.search(r"^vm-launch: \[.* s\] kernel: Linux version 6.1.0-fake$", text, re.MULTILINE), text
    assert "login: " in [line[:7] for line in lines], text
    assert all("vm-launch: " not in line[1:] for line in lines), text
    assert re.search("(^|login: )power button 1$", text, re.MULTILINE), text
    os.close(reader)


def test_a_guests_line_is_written_whole():
    """To a reader who joins two pipes, as a container's runtime does: each record of this socket is one write."""
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with Running(*BOOT, scenario="many-halves,poweroff", stdout=writer) as run:
        writer.close()
        writes = list(iter(lambda: reader.recv(1 << 16).decode(), ""))
        assert run.end() == 0
    lines = "".join(writes).splitlines()
    assert [line for line in lines if "file-" in line] == [f"tftp://192.0.2.1/file-{n}... ok" for n in range(100)]
    assert all(line.startswith("vm-launch: ") for line in run.text["stderr"].splitlines())
    # A line that its guest takes a pause over is not held: on a busy host that may be one or the other.
    broken = [text for text in writes if not text.endswith("\n")]
    assert len(broken) < 20, broken
    reader.close()


def test_the_whole_output_is_what_the_guest_wrote(open_folder):
    """Whatever is held meanwhile, and however slow its reader is."""
    text = "".join(f"line {number} {'x' * (number % 300)}\n" for number in range(4000)) + "no end"
    (open_folder / "stream").write_text(text)
    result = launch(*BOOT, env=environment("replay,poweroff", QEMU_FAKE_CONSOLE=str(open_folder / "stream")))
    assert result.stdout.split("\n", 2)[2] == text + "\n"


def read_until(reader, words):
    """What comes until the words have, or to the end."""
    text, until = "", time.monotonic() + DEADLINE
    while words is None or words not in text:
        assert select.select([reader], [], [], max(0, until - time.monotonic()))[0], text
        data = os.read(reader, 65536)
        if not data:
            assert words is None, text
            return text
        text += data.decode()
    return text


def test_own_lines_do_not_wait_for_the_guest_where_they_do_not_meet(tmp_path):
    with open(tmp_path / "console", "wb") as out, Running(*BOOT, scenario="half-lines,acpi", stdout=out) as run:
        run.wait_for("kernel: Linux version 6.1.0-fake")
        run.signal(signal.SIGTERM)
        assert run.end() == 0
    assert (tmp_path / "console").read_text().endswith("Linux version 6.1.0-fake (x@y) #1\nlogin: power button 1\n")


STREAMS = ROOT / "tests/unit/data"


@pytest.mark.parametrize("name", ["seabios-ipxe", "seabios-ipxe-menu", "edk2-ipxe-menu", "edk2-grub"])
def test_a_log_gets_text_alone_unless_it_is_to_be_raw(name):
    stream = STREAMS / f"console-{name}.bin"
    env = environment("replay,poweroff", QEMU_FAKE_CONSOLE=str(stream))
    log = launch(*BOOT, env=env, stderr=subprocess.STDOUT).stdout
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ufffd]", log), repr(log)
    assert re.search("^(net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2|Welcome to GRUB!)$", log, re.MULTILINE), log
    for words in (("--console-raw",), ("--console", "raw")):
        raw = subprocess.run(command(*BOOT, *words), env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
        assert stream.read_bytes() in raw.stdout


def test_without_a_console_nothing_is_shown_but_stages_are_told():
    result = launch(*BOOT, "--no-console", scenario="os,poweroff")
    assert result.stdout == ""
    says(result, "kernel: Linux version 6.1.0-fake", "the guest powered off")


def test_several_resets_are_one_reboot():
    assert launch(*BOOT, scenario="reboots").stderr.count("the guest rebooted") == 1


@pytest.mark.parametrize("scenario", ["os,poweroff", "die-early", "io-error", "check-off", "reboots"])
def test_every_line_is_json_when_asked_for(scenario):
    result = launch(*BOOT, "--log-format=json", "--log-level=debug", scenario=scenario)
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert len(lines) > 2
    for line in lines:
        assert {"time", "level", "message"} <= set(line)
        assert line["level"] in ("debug", "info", "warning", "error")
    if result.returncode:
        assert lines[-1]["exit_code"] == result.returncode


def test_a_higher_log_level_leaves_the_fault_alone():
    result = launch(*BOOT, "--log-level=error", scenario="die-early")
    assert result.stderr.startswith("vm-launch: error[4]: ")
    assert launch(*BOOT, "--log-level=error", scenario="poweroff").stderr == ""


# -- signals

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    ("scenario", "phase"),
    [("silent", "qemu: fake: silent"), ("no-check", "qemu: fake: no answer"), ("run", STARTED)],
    ids=["starting", "checking", "running"],
)
def test_a_signal_before_an_operating_system_runs_stops_at_once(number, scenario, phase):
    with Running(*BOOT, "--log-level=debug", scenario=scenario) as run:
        run.wait_for(phase)
        run.signal(number)
        run.wait_for(f"stopped by {number.name}")
        assert run.end() == 0
        assert "power button" not in run.text["stdout"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_an_operating_system_runs_presses_its_power_button(number):
    with Running(*BOOT, scenario="os,acpi") as run:
        run.wait_for("kernel: Linux")
        run.signal(number)
        run.wait_for(f"{number.name}: pressing the guest's power button; it has 8 s")
        assert run.end() == 0
        assert f"stopped by {number.name}" in run.text["stderr"]
        assert "power button 1" in run.text["stdout"]


def test_the_power_button_is_pressed_again():
    with Running(*BOOT, "--stop-timeout=50", scenario="os,late-acpi") as run:
        run.wait_for("kernel: Linux")
        run.signal(signal.SIGTERM)
        run.wait_for("power button 2", "stdout")
        assert run.end() == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_a_guest_that_does_not_power_off_is_forced_after_its_grace(number):
    with Running(*BOOT, "--stop-timeout=1", scenario="os") as run:
        run.wait_for("kernel: Linux")
        run.signal(number)
        assert run.end() == 128 + number
        assert "the guest did not power off in time" in run.text["stderr"]
        assert f"forced to stop after {number.name}" in run.text["stderr"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_forces(number):
    with Running(*BOOT, "--stop-timeout=600", scenario="os") as run:
        run.wait_for("kernel: Linux")
        run.signal(number)
        run.wait_for("pressing the guest's power button")
        run.signal(signal.SIGTERM)
        run.wait_for("SIGTERM again: forcing the stop")
        assert run.end() == 128 + number


def test_a_qemu_that_ignores_everything_is_killed():
    with Running(*BOOT, scenario="deaf") as run:
        run.wait_for(STARTED)
        run.signal(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGTERM


def test_a_second_signal_kills_a_qemu_that_ignores_everything():
    with Running(*BOOT, scenario="deaf") as run:
        run.wait_for(STARTED)
        run.signal(signal.SIGTERM)
        run.wait_for("SIGTERM: stopping")
        run.signal(signal.SIGINT)
        run.wait_for("SIGINT again")
        assert run.end() == 128 + signal.SIGTERM, run.text


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_comes_at_any_moment_of_the_start_ends_the_run(number):
    """The signal is sent once our first line is there, which is before QEMU is started."""
    with Running(*BOOT, scenario="run") as run:
        run.wait_for("starting ")
        run.signal(number)
        assert run.end() == 0


def test_sigkill_takes_qemu_along():
    with Running(*BOOT, scenario="deaf") as run:
        pid = int(run.wait_for(r"process (\d+)\s", "stdout").group(1))
        run.signal(signal.SIGKILL)
        assert wait_for_end(pid, 20)
        assert run.process.wait(DEADLINE) == -signal.SIGKILL
        os.waitpid(pid, 0)  # it has become ours


# -- nothing left behind

# Program and fake move out of the way first: they may lie below /tmp themselves. Their arguments: where to list what
# is left, the fake, then vm-launch and its arguments.
PRIVATE = """
set -e
exec 9>&"$1"
fake=$2 program=$3
shift 3
mount -t tmpfs none /mnt
cp "$fake" "$program" /mnt
for folder in /tmp /var/tmp /run /dev/shm; do mount -t tmpfs none $folder; done
rm -rf /run/mount
set +e
PATH=/mnt:$PATH /mnt/vm-launch "$@" 9>&-
code=$?
find /tmp /var/tmp /run /dev/shm -mindepth 1 >&9
exit $code
"""


@pytest.mark.parametrize("scenario", ["poweroff", "die-early", "check-off", "killed", "panic", "hang-up"])
def test_no_file_is_left_behind(scenario, as_root, tmp_path):
    listing = tmp_path / "left"
    with open(listing, "wb") as left:
        result = launch(
            *BOOT,
            "--blank-disk",
            scenario=scenario,
            prefix=("unshare", "-m", "bash", "-c", PRIVATE, "bash", str(left.fileno()), FAKE / "qemu-system-x86_64"),
            pass_fds=(left.fileno(),),
        )
    assert result.returncode == ENDS[scenario][0], result.stderr
    assert listing.read_text() == ""


# -- standard streams


def test_a_reader_that_goes_away_does_not_end_the_guest():
    with Running(*BOOT, scenario="flood") as run:
        run.wait_for("0123456789", "stdout")
        run.process.stdout.close()
        run.signal(signal.SIGTERM)
        run.wait_for("stopped by SIGTERM")
        assert run.end() == 0


def test_a_reader_that_stops_does_not_hold_up_a_stop():
    with Running(*BOOT, scenario="flood") as run:
        until = time.monotonic() + DEADLINE
        while STARTED not in run.text["stderr"]:  # standard output is not read
            assert select.select([run.process.stderr], [], [], until - time.monotonic())[0]
            run.text["stderr"] += os.read(run.process.stderr.fileno(), 65536).decode()
        run.signal(signal.SIGTERM)
        assert run.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("scenario", ["io-error", "die-running"])
def test_standard_streams_that_are_closed_change_nothing_else(closed, scenario):
    """Nothing of console and log may go where another descriptor took the number of a closed stream: the fake fails
    on anything that is no QMP."""
    script = f'exec "$0" "$@" {closed}'
    result = launch(*BOOT, "--log-level=debug", scenario=f"os,{scenario}", prefix=("sh", "-c", script))
    assert result.returncode == ENDS[scenario][0], result
    if ">&-" not in closed.split():
        assert "fake firmware" in result.stdout
    if "2>&-" not in closed:
        says(result, ENDS[scenario][1][0])


def test_a_program_that_cannot_start_is_told_of_with_standard_input_and_output_closed(open_folder):
    fake = open_folder / "qemu-system-x86_64"
    fake.write_bytes(b"\0\1\2 no program")
    fake.chmod(0o755)
    script = 'exec "$0" "$@" <&- >&-'
    env = environment(PATH=f"{open_folder}:/usr/bin:/bin")
    result = launch(*BOOT, env=env, prefix=("sh", "-c", script), may_leave_dead=True)
    assert result.returncode == 4
    says(result, "cannot start", "Exec format error")


def test_descriptors_of_others_do_not_reach_qemu(tmp_path):
    """Descriptors that the caller leaves open, one of them at a number that the plan would like to have."""
    reader, writer = os.pipe()
    with open(tmp_path / "x", "wb") as file:
        high = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD, 150)
        result = launch(*BOOT, scenario="poweroff", pass_fds=(reader, writer, high))
        os.close(high)
    os.close(writer)
    assert result.returncode == 0
    assert os.read(reader, 1) == b""
    os.close(reader)


# -- PID 1


def test_as_pid_1_orphans_are_reaped_and_the_exit_code_arrives(as_root):
    as_init = ("unshare", "-p", "-f", "--mount-proc")
    for scenario, code in (("orphan,poweroff", 0), ("orphan,die-running", 4), ("orphan,panic", 20)):
        result = launch(*BOOT, scenario=scenario, prefix=as_init)
        assert result.returncode == code, result.stderr
        assert "orphan reaped" in result.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_as_pid_1_signals_stop_the_guest(number, as_root):
    with Running(*BOOT, scenario="os,acpi", prefix=("unshare", "-p", "-f", "--mount-proc")) as run:
        run.wait_for("kernel: Linux")
        init = int(
            subprocess.run(["pgrep", "-P", str(run.process.pid)], stdout=subprocess.PIPE, check=True).stdout
        )
        os.kill(init, number)
        assert run.end() == 0
        assert f"stopped by {number.name}" in run.text["stderr"]


# -- a terminal

COLUMNS, ROWS = 80, 24


class Terminal:
    """vm-launch in the foreground of a terminal of its own."""

    def __init__(self, *arguments, scenario, standard_input=True, console="", columns=COLUMNS, shell=False, **variables):
        """`shell`: a shell is there instead, which its user may tell to run that."""
        self.columns = columns
        program = ["/bin/bash", "--norc", "--noprofile", "-i"] if shell else command(*arguments)
        self.user, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("4H", ROWS, columns, 0, 0))
        self.before = termios.tcgetattr(self.terminal)
        self.seen = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        ready, go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(self.terminal, termios.TIOCSCTTY, 0)
                nothing = os.open("/dev/null", os.O_RDONLY)
                for number in (0, 1, 2):
                    os.dup2(self.terminal if number or standard_input else nothing, number)
                os.closerange(3, 256)
                os.execve(program[0], program, environment(scenario, QEMU_FAKE_CONSOLE=console, **variables))
            finally:
                os._exit(126)
        os.close(go)
        os.close(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.user)
        os.close(self.terminal)

    def wait_for(self, words):
        until = time.monotonic() + DEADLINE
        while words not in self.seen:
            assert select.select([self.user], [], [], max(0, until - time.monotonic()))[0], self.seen
            try:
                self.seen += self.decoder.decode(os.read(self.user, 65536))
            except OSError as error:
                assert error.errno == errno.EIO
                raise AssertionError(f"the terminal closed without {words!r}: {self.seen}") from error

    def type(self, keys):
        os.write(self.user, keys)

    def mode(self):
        return termios.tcgetattr(self.terminal)

    def is_raw(self):
        return not self.mode()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def end(self):
        assert wait_for_end(self.pid)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        while select.select([self.user], [], [], 0)[0]:
            self.seen += self.decoder.decode(os.read(self.user, 65536))
        return status

    def lines(self):
        """What its user can see and scroll back to; lines that were wrapped are as they are on the screen."""
        view = self.view()
        rows = ["".join(row[column].data for column in range(self.columns)) for row in view.history.top] + view.display
        return [row.rstrip() for row in rows]

    def view(self):
        view = pyte.HistoryScreen(self.columns, ROWS, history=1000)
        pyte.Stream(view).feed(self.seen)
        return view


def test_a_terminal_is_attached_detached_and_put_back():
    with Terminal(*BOOT, scenario="run") as terminal:
        terminal.wait_for("attached to the console; Ctrl-] detaches")
        terminal.wait_for("fake firmware")
        assert terminal.is_raw()
        terminal.type(b"\x1d")
        terminal.wait_for("detached from the console")
        assert terminal.mode() == terminal.before
        terminal.type(b"\n")
        until = time.monotonic() + DEADLINE
        while not terminal.is_raw():
            assert time.monotonic() < until
            select.select([terminal.user], [], [], 0.01)
        terminal.type(b"\x1d")
        while terminal.mode() != terminal.before:
            assert time.monotonic() < until
            select.select([terminal.user], [], [], 0.01)
        terminal.type(b"\x03")
        terminal.wait_for("stopped by SIGINT")
        assert terminal.end() == 0
        assert terminal.mode() == terminal.before


@pytest.mark.parametrize("scenario", ["poweroff", "die-early", "die-running", "panic", "check-off", "internal-error"])
def test_the_terminal_is_put_back_however_the_run_ends(scenario):
    with Terminal(*BOOT, scenario=scenario) as terminal:
        assert terminal.end() == ENDS[scenario][0]
        assert terminal.mode() == terminal.before
        assert ENDS[scenario][1][0].removeprefix("error[20]: ") in terminal.seen


def with_default_modes(view):
    return pyte.modes.DECAWM in view.mode and not view.cursor.hidden and view.cursor.attrs.fg == view.cursor.attrs.bg == "default"


@pytest.mark.parametrize("variables", [{}, {"TERM": "xterm", "NO_COLOR": "1"}], ids=["", "row"])
@pytest.mark.parametrize("standard_input", [True, False], ids=["keyboard", "no-keyboard"])
@pytest.mark.parametrize("name", ["seabios-ipxe", "seabios-ipxe-menu", "edk2-ipxe-menu", "edk2-grub"])
def test_own_lines_stay_on_a_terminal_and_it_is_left_as_it_was(name, standard_input, variables):
    console = STREAMS / f"console-{name}.bin"
    with Terminal(*BOOT, scenario="replay,poweroff", standard_input=standard_input, console=str(console), **variables) as terminal:
        terminal.end()
        assert terminal.mode() == terminal.before
        said = re.findall(r"vm-launch: [^\r\n\x1b]*", terminal.seen)
        assert any("starting vm (q35, " in line for line in said)
        assert any("attached to the console; Ctrl-] detaches" in line for line in said) == standard_input
        rows = terminal.lines()
        for line in said:
            wrapped = [line[start:start + COLUMNS].rstrip() for start in range(0, len(line), COLUMNS)]
            assert any(rows[at:at + len(wrapped)] == wrapped for at in range(len(rows))), (line, "\n".join(rows))
        view = terminal.view()
        assert with_default_modes(view) and (view.cursor.x, view.display[view.cursor.y].strip()) == (0, "")
        assert "\x1bc" not in terminal.seen and "\x1b[?7l" not in terminal.seen


def test_what_the_guest_left_of_the_terminal_is_put_back(open_folder):
    (open_folder / "stream").write_bytes(b"\x1b[?7l\x1b[?25l\x1b[31m\x1b(0\x1b[?1049h\x1b[?2004hmid-line")
    for scenario in ("replay,poweroff", "replay,die-running", "replay,panic"):
        with Terminal(*BOOT, scenario=scenario, standard_input=False, console=str(open_folder / "stream")) as terminal:
            terminal.end()
            assert with_default_modes(terminal.view())
            for back in ("\x1b[?1049l", "\x1b[?2004l", "\x1b(B", "\x1b[?25h"):
                assert back in terminal.seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_terminal_is_put_back_after_a_signal_without_a_keyboard_too(number, open_folder):
    (open_folder / "stream").write_bytes(b"\x1b[?7l\x1b[?25lhidden")
    with Terminal(*BOOT, scenario="replay", standard_input=False, console=str(open_folder / "stream")) as terminal:
        terminal.wait_for("hidden")
        os.kill(terminal.pid, number)
        terminal.end()
        assert with_default_modes(terminal.view())


def test_a_terminal_that_hangs_up_stops_the_guest(tmp_path):
    with Terminal(*BOOT, scenario="run") as terminal:
        terminal.wait_for("fake firmware")
        os.kill(terminal.pid, signal.SIGHUP)
        assert terminal.end() == 0
        assert terminal.mode() == terminal.before


def test_every_scenario_of_the_fake_is_used():
    listed = set(re.findall(r'^    "([a-z-]+)": "', (FAKE / "qemu-system-x86_64").read_text(), re.MULTILINE))
    here = pathlib.Path(__file__).parent
    texts = [path.read_text() for path in (*here.glob("test_*.py"), here.parent / "netns/guest.py")]
    used = set(re.findall(r"[a-z][a-z-]+", "\n".join(texts)))
    assert listed - used == set()
