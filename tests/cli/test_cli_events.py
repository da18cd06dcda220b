"""What happens, as it happens: --events, `events`, `status --follow` and `wait`; with a fake QEMU."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from launch import BOOT, DEADLINE, command, environment, launch
from test_cli_control import FOLDER, Vm, ask, name_of_run
from test_cli_run import Terminal


def events_in(text):
    return [json.loads(line) for line in text.splitlines()]


def kinds(events):
    return [event["event"] for event in events]


def stages(events):
    return [(event["stage"], event["at"], event["detail"]) for event in events if event["event"] == "stage" and event["reached"]]


def stages_of_report(report):
    return [(mark["stage"], mark["at"], mark["detail"]) for boot in report["boots"] for mark in boot["stages"] if mark["reached"]]


@pytest.mark.parametrize(("scenario", "code"), [("poweroff", 0), ("not-found", 13)])
def test_the_events_tell_what_the_report_tells(scenario, code, tmp_path):
    target, report = tmp_path / "events", tmp_path / "boot.json"
    target.write_text('{"v": 1}\n'.replace(" ", "") * 1000)  # of an earlier run
    result = launch(*BOOT, "--events", target, "--report", report, scenario=scenario)
    assert result.returncode == code, result.stderr
    events, told = events_in(target.read_text()), json.loads(report.read_text())
    assert kinds(events)[0] == "begin" and kinds(events)[-1] == "end"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["v"] == 1 for event in events)
    assert [event["t"] for event in events] == sorted(event["t"] for event in events)
    assert stages(events) == stages_of_report(told)
    for key in ("exit_code", "summary", "verdict"):
        assert events[-1][key] == told[key]
    verdicts = [event for event in events if event["event"] == "verdict"]
    assert [verdict["code"] for verdict in verdicts] == ([code] if code else [])
    assert {"RESUME", "SHUTDOWN"} & {event["name"] for event in events if event["event"] == "qemu"}


def test_a_guest_that_never_ran_did_not_boot(tmp_path):
    target = tmp_path / "events"
    assert launch(*BOOT, "--events", target, scenario="die-greeted").returncode == 4
    assert kinds(events_in(target.read_text())) == ["begin", "end"]


def test_a_boot_that_took_too_long_has_one_exit_code(tmp_path):
    target = tmp_path / "events"
    result = launch(*BOOT, "--events", target, "--boot-timeout", "1", scenario="run")
    events = events_in(target.read_text())
    [verdict] = [event for event in events if event["event"] == "verdict"]
    assert result.returncode == verdict["code"] == events[-1]["exit_code"] == 15
    assert verdict["why"].startswith("not at os within 1 s") and verdict["why"] == events[-1]["verdict"]["why"]


def test_on_standard_output_the_console_is_left_out():
    result = launch(*BOOT, "--events", "-")
    assert kinds(events_in(result.stdout))[-1] == "end"
    assert "the serial console is not shown" in result.stderr
    assert "fake firmware" not in result.stdout


def test_a_descriptor_is_taken_over_and_qemu_does_not_have_it():
    read, write = os.pipe()
    with os.fdopen(read) as events:
        result = launch(*BOOT, "--events", f"fd:{write}", pass_fds=[write])
        os.close(write)
        assert kinds(events_in(events.read()))[-1] == "end"
    assert result.returncode == 0 and "fake firmware" in result.stdout


def test_what_cannot_be_written_to_is_told_before_anything_starts(tmp_path):
    for target, code in ((tmp_path / "no/events", 3), (tmp_path, 3), ("fd:77", 2), ("fd:x", 2)):
        result = launch(*BOOT, "--events", target)
        assert result.returncode == code, result.stderr
        assert "starting QEMU" not in result.stderr and "--events" in result.stderr


def test_only_events_are_emptied(tmp_path):
    disk, link, report = tmp_path / "disk.img", tmp_path / "link", tmp_path / "boot.json"
    disk.write_bytes(b"QFI\xfb of somebody's")
    link.symlink_to(disk)
    for target in (disk, link):
        refused = launch(*BOOT, "--events", target)
        assert (refused.returncode, "it holds something other than events (18 bytes)" in refused.stderr) == (3, True), refused.stderr
        assert disk.read_bytes() == b"QFI\xfb of somebody's"
    for events in (report, f"{report}.new"):  # as it is called until it is whole
        both = launch(*BOOT, "--events", events, "--report", f"{tmp_path}/./boot.json")
        assert (both.returncode, f"--events and --report both name {events}" in both.stderr) == (2, True), both.stderr
    assert not report.exists()
    for target, hint in ((tmp_path, "name a file in it"), (tmp_path / "socket", "give fd:N")):
        with socket.socket(socket.AF_UNIX) as server:
            if target != tmp_path:
                server.bind(str(target))
            assert hint in launch(*BOOT, "--events", target).stderr


def test_a_reader_that_never_reads_or_goes_away_changes_nothing(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert launch(*BOOT, "--events", fifo).returncode == 0  # nobody ever opens it
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Vm("--events", f"fd:{theirs.fileno()}", pass_fds=[theirs.fileno()]) as vm:
            theirs.close()
            ours.close()
            for _ in range(3):
                assert vm.ask("reset").returncode == 0
            vm.signal(signal.SIGQUIT)
            vm.end()
            assert vm.text["stderr"].count("no more events (--events): Broken pipe") == 1


# What the end has there beside its event.
SUMMARY = ("reached", "reached_after", "boot", "fetched_bytes", "spent", "reports", "console")


def test_the_log_in_json_has_the_same_fields(tmp_path):
    target = tmp_path / "events"
    result = launch(*BOOT, "--events", target, "--log-format", "json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    for kind in ("stage", "end"):
        told = [event for event in events_in(target.read_text()) if event["event"] == kind]
        logged = [line for line in lines if line.get("event") == kind]
        own = ("v", "seq", "t", "time")
        of_the_log = ("time", "level", "message", *(SUMMARY if kind == "end" else ()))
        assert told and [{k: v for k, v in event.items() if k not in own} for event in told] == [
            {k: v for k, v in line.items() if k not in of_the_log} for line in logged
        ]


# -- over the control socket


@contextlib.contextmanager
def begun(*words):
    """A subcommand that goes on."""
    with subprocess.Popen(command(*words), env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_who_follows_is_told_what_is_so_and_then_what_happens():
    with Vm(scenario="os", until="kernel: Linux") as vm, begun("events", vm.name) as follower:
        known = []
        while not known or known[-1]["event"] != "following":
            known.append(json.loads(follower.stdout.readline()))
        assert kinds(known)[:2] == ["begin", "boot"] and "kernel" in [stage for stage, _, _ in stages(known)]
        assert known[-1]["phase"] == "running"
        assert vm.ask("reset").returncode == 0
        vm.signal(signal.SIGQUIT)
        vm.end()
        rest = events_in(follower.stdout.read().decode())
        assert kinds(rest)[-1] == "end" and "qemu" in kinds(rest)
        assert follower.wait(DEADLINE) == 0


def test_status_goes_on_in_words_or_in_json():
    with Vm(scenario="os", until="kernel: Linux") as vm, begun("status", vm.name, "--follow") as words, begun(
        "status", "--follow", "--format=json", vm.name
    ) as lines:
        for follower, sign in ((words, b" s] kernel: Linux version"), (lines, b'"following"')):
            while sign not in (line := follower.stdout.readline()):
                assert line
        vm.signal(signal.SIGQUIT)
        vm.end()
        assert "(exit code " in words.stdout.read().decode().splitlines()[-1]
        assert kinds(events_in(lines.stdout.read().decode()))[-1] == "end"
        assert words.wait(DEADLINE) == lines.wait(DEADLINE) == 0


def test_a_wait_may_begin_before_its_vm_and_after_the_stage():
    name = name_of_run()
    with begun("wait", name, "--stage", "kernel") as early:
        with Vm("--name", name, scenario="os", until="kernel: Linux"):
            out, err = early.communicate(timeout=DEADLINE)
            assert (early.returncode, err) == (0, b"")
            assert out.decode().startswith(f"{name}: kernel: Linux version")
            late = ask("wait", name, "--stage=kernel", "--timeout", str(DEADLINE))
            assert (late.returncode, late.stdout) == (0, out.decode())


def test_a_wait_ends_with_the_verdict_of_a_boot_that_failed():
    """Somebody sits at the console, so that the VM runs on."""
    name = name_of_run()
    with Terminal(*BOOT, "--name", name, scenario="no-file") as terminal:
        terminal.wait_for("nothing to boot")
        failed = ask("wait", name)
        assert failed.returncode == 12, failed.stderr
        assert ask("wait", name, "--stage", "rom").returncode == 0  # which was reached before
        assert ask("stop", name).returncode == 0


class MadeUpVm:
    """Somebody's socket that a client takes for a VM's: it answers `events` with these bytes, each client with the next of them, and
    hangs up on the last."""

    def __init__(self, *words, hang_up=True):
        self.name, self.words, self.hang_up = name_of_run(), words, hang_up

    def __enter__(self):
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        self.lock = open(FOLDER / f"{self.name}.lock", "wb")
        # struct flock of fcntl(2): the first byte, as control/lock_bytes.h has it
        fcntl.fcntl(self.lock, fcntl.F_OFD_SETLK, struct.pack("hh4xqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(FOLDER / f"{self.name}.sock"))
        self.server.listen()
        self.clients = []
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        for words in self.words:
            client, _ = self.server.accept()
            self.clients.append(client)
            with contextlib.suppress(OSError):
                client.recv(4096)
                client.sendall(words and b'{"return":{"stream":true}}\n' + words)
        if self.hang_up:
            client.close()

    def __exit__(self, *_):
        self.server.close()
        for client in self.clients:
            client.close()
        for ending in ("sock", "lock"):
            (FOLDER / f"{self.name}.{ending}").unlink(missing_ok=True)
        self.lock.close()


def event(kind, **fields):
    return json.dumps({"v": 1, "event": kind, **fields}).encode() + b"\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (event("stage", stage="os", reached=True, detail="\x1b[2J"), 0, ""),
        (event("stage", stage="os", reached=False) + event("verdict", what="no", code=13), 13, "no"),
        (event("end", exit_code=0, summary="the guest powered off", verdict=None), 1, "ended before 'os'"),
        (event("end", exit_code=4, summary="x", verdict={"what": "QEMU died"}), 4, "QEMU died"),
        (event("verdict", code=0), 1, ""),
        (event("new kind", code=13), 1, "went away without a word"),
        (b"[]\n", 1, "make no sense"),
        (b"nonsense\n", 1, "make no sense"),
        (b"[" * 100 + b"\n", 1, "make no sense"),
        (b"x" * 200_000, 1, "a line without an end"),
    ],
)
def test_a_wait_takes_nothing_for_granted(words, code, said):
    with MadeUpVm(words) as vm:
        result = ask("wait", vm.name)
        assert (result.returncode, said in result.stderr) == (code, True), result.stderr
        assert "\x1b" not in result.stdout + result.stderr


def test_a_vm_that_says_nothing_is_waited_for_no_longer_than_was_said():
    with MadeUpVm(event("stage", stage="rom", reached=True, detail="iPXE"), hang_up=False) as vm:
        late = ask("wait", vm.name, "--timeout", "1")
        assert (late.returncode, "did not reach 'os' within 1 s" in late.stderr, "seen last: rom: iPXE" in late.stderr) == (15, True, True), late.stderr


def test_a_vm_that_does_not_even_answer_gets_no_more_time():
    with MadeUpVm(b"", hang_up=False) as vm:
        begin = time.monotonic()
        late = ask("wait", vm.name, "--timeout", "1")
        assert (late.returncode, f"the VM {vm.name} does not answer" in late.stderr) == (15, True), late.stderr
        assert time.monotonic() - begin < 4.5  # an answer may take 5 s, where nobody says how long


def test_a_wait_that_lost_events_asks_what_is_so():
    with MadeUpVm(event("lost", count=7), event("stage", stage="os", reached=True, detail="up"), hang_up=False) as vm:
        found = ask("wait", vm.name, "--timeout", str(DEADLINE))
        assert (found.returncode, found.stdout) == (0, f"{vm.name}: os: up\n"), found.stderr


@pytest.mark.parametrize("subcommand", ["wait", "events", "status", "stop"])
def test_one_vm_is_named(subcommand):
    refused = ask(subcommand, "a", "b")
    assert (refused.returncode, "unexpected argument 'b'" in refused.stderr) == (2, True), refused.stderr


def test_a_wait_has_an_end():
    nobody = ask("wait", "nobody-is-called-so", "--timeout", "1")
    assert (nobody.returncode, "no running VM named nobody-is-called-so" in nobody.stderr) == (15, True)
    for words in (("--stage", "nonsense"), ("--timeout", "soon")):
        assert ask("wait", *words).returncode == 2
    refused = ask("stop", "--timeout", "1")
    assert (refused.returncode, "does not take --timeout" in refused.stderr) == (2, True)


def test_a_follower_that_does_not_read_holds_up_nobody():
    """Of what it did not take whole events are missing; it is told how many, and how the run ended."""
    with Vm() as vm, vm.connect() as follower, vm.connect() as idler, vm.connect() as client:
        for lazy in (follower, idler):
            lazy.sendall(b'{"command":"events"}\n')
        answers = client.makefile("rb")
        resets = 1000  # more than the socket and the outbox hold: a few hundred lines
        for _ in range(resets):
            client.sendall(b'{"command":"reset"}\n')
            assert answers.readline() == b'{"return":{}}\n'
        assert vm.ask("health").returncode == 0
        idler.close()
        vm.signal(signal.SIGQUIT)
        events = events_in(follower.makefile("rb").read().decode())[1:]
        vm.end()
        assert kinds(events)[-1] == "end"
        [at] = [number for number, event in enumerate(events) if event["event"] == "lost"]
        assert events[at]["count"] == events[at + 1]["seq"] - events[at - 1]["seq"] - 1 > 0
        assert events[-1]["seq"] > resets
