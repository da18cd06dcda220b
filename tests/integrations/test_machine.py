"""integrations/pytest's Machine, with the fake QEMU: what a run tells, how it is waited for, and that it ends."""

import json
import pathlib
import re
import signal
import threading

import pytest

from integration_support import FAKE_BOOT, ROOT, BINARY, environment, fake_environment
from pytest_vm_launch.machine import BootFailed, Machine, NotInTime, flags
from pytest_vm_launch.record import STAGES, Record, Tail
from pytest_vm_launch.settings import SECRET_SETTINGS
from pytest_vm_launch.shown import quoted, without_secrets

SOON = 60


@pytest.fixture
def machine(folder):
    """machine(scenario, **settings)"""
    started = []

    def start(scenario, **settings):
        started.append(Machine(BINARY, folder=folder, environment=fake_environment(scenario), **{**FAKE_BOOT, **settings}))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_settings_are_flags():
    given = {"boot_timeout": 60, "ipxe": True, "landlock": False, "nic": ["mac=1", "mac=2"], "disk": None, "append": "-x y"}
    assert flags(given) == ["--boot-timeout=60", "--ipxe=on", "--landlock=off", "--nic=mac=1", "--nic=mac=2", "--append=-x y"]


def test_the_stages_are_those_of_until():
    [row] = re.findall(r"^\| `--until .*$", (ROOT / "docs/SETTINGS.md").read_text(), re.MULTILINE)
    assert ", ".join(STAGES) in row


def test_a_tail_keeps_the_latest_bytes_and_their_places():
    tail = Tail(4)
    for data in (b"abc", b"def"):
        tail.append(data)
    assert (tail.text(), tail.end) == ("cdef", 6)
    assert [tail.since(position) for position in (0, 3, 6)] == [b"cdef", b"def", b""]


def lines(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_verdict_counts_until_a_system_runs_and_of_its_own_boot():
    fault = {"what": "w", "why": "", "hint": "", "code": 13}
    verdict = {"event": "verdict", **fault}
    script, kernel, fetch = ({"event": "stage", "stage": stage, "reached": True} for stage in ("script", "kernel", "fetch"))
    record = Record()
    told = lines({"event": "boot", "boot": 1}, script, fetch, {"event": "stage", "stage": "os", "reached": False}, verdict)
    for at in range(len(told)):
        record.take(told[at : at + 1])
    assert (record.stage, record.verdict) == ("script", fault)
    record.take(lines({"event": "news", "of": "tomorrow"}, kernel))
    assert (record.stage, record.verdict) == ("kernel", None)
    record.take(lines(verdict, kernel))  # a panic
    assert record.verdict == fault
    record.take(lines({"event": "boot", "boot": 2}))
    assert (record.stage, record.verdict) == (None, None)


def test_an_event_that_is_too_long_is_passed_over():
    record = Record()
    record.take(lines({"event": "stage", "stage": "rom", "reached": True}, {"event": "verdict", "what": "w", "code": 13}))
    for event in ("stage", "verdict", "qemu", "end"):
        record.take(lines({"v": 1, "event": event, "too_long": True}))
    assert (record.stage, record.verdict["what"], len(record.events)) == ("rom", "w", 6)


def test_the_secret_settings_are_those_of_the_program():
    rules = json.loads((ROOT / "docs/config.schema.json").read_text())["properties"]
    assert {name.replace("_", "-") for name in SECRET_SETTINGS} == {name for name, rule in rules.items() if rule.get("writeOnly")}


@pytest.mark.parametrize(("word", "shown"), [
    ("--memory=512M", "--memory=512M"),
    ("--guest-password=two words", "--guest-password=***"),
    ("--user-data=#cloud-config\npassword: x", "--user-data=*** ***"),
    ("--append=console=ttyS0 rootpw=abc luks.key='a b' quiet", "--append=console=ttyS0 rootpw=*** luks.key=*** quiet"),
    ("http://me:pw@192.0.2.1/a?token=t", "http://***@192.0.2.1/a?token=***"),
    ("secret,id=s0,data=abc", "secret,***"),
    ("#!ipxe\nchain http://192.0.2.1/", "#!ipxe ***"),
])  # fmt: skip
def test_a_word_is_shown_without_secrets(word, shown):
    assert without_secrets(word) == shown


def test_no_line_that_is_quoted_is_a_command_of_a_runner():
    assert quoted("a\n ::error::b\nc ##[error]d\x1b") == "| a\n|  ::error::b\n| c #\\x23[error]d\\x1b"


def test_a_run_tells_its_events_stages_and_report(machine):
    vm = machine("os,acpi")
    assert vm.wait_stage("kernel", SOON)["detail"]
    assert (vm.stage, vm.verdict, vm.exit_code) == ("kernel", None, None)
    vm.wait_console(r"fake firmware\n", SOON)
    with pytest.raises(RuntimeError, match="its report is written at its end"):
        vm.report
    assert vm.stop() == 0 == vm.exit_code
    assert [vm.events[at]["event"] for at in (0, -1)] == ["begin", "end"]
    assert vm.report["name"] == vm.name
    assert f"starting {vm.name}" in vm.log


def test_a_failed_boot_is_told_by_its_verdict(machine):
    vm = machine("not-found", until="os")
    with pytest.raises(BootFailed, match="ended with|runs, at") as failed:
        vm.wait_stage("os", SOON)
    assert failed.value.code == 13 == vm.wait(SOON) == vm.verdict["code"]
    assert vm.verdict["what"] in str(failed.value)


def test_what_never_came_is_told_by_the_end(machine):
    vm = machine("poweroff")
    with pytest.raises(BootFailed, match=r"before 'login' on the console: vm-\S+ ended with 0") as failed:
        vm.wait_console("login", SOON)
    assert failed.value.code == 0


def test_wrong_settings_are_told_by_vm_launchs_own_words(machine):
    vm = machine("run", memory="much")
    with pytest.raises(BootFailed, match="--memory: invalid value 'much'") as failed:
        vm.wait_stage("os", SOON)
    assert failed.value.code == 2


def test_what_does_not_come_in_time_is_told(machine):
    vm = machine("run")
    vm.wait_stage("machine", SOON)
    with pytest.raises(NotInTime, match="not within 0.1 s: the stage os"):
        vm.wait_stage("os", 0.1)


def test_keys_reach_the_guest(machine):
    vm = machine("echo", keyboard=True)
    vm.wait_console("fake firmware", SOON)
    vm.write("one\n")
    vm.write(b"two\n", delay=0.001)
    vm.wait_console("you typed one", SOON)
    vm.wait_console("you typed t{0}w{0}o".format(r"(\s+you typed )?"), SOON)
    with pytest.raises(ValueError, match="Ctrl-]"):
        vm.write("\x1d")


def test_keys_that_nobody_takes_are_told(machine):
    vm = machine("run", keyboard=True)
    vm.wait_stage("machine", SOON)
    vm.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(NotInTime, match="not taken within 0.1 s: .* of what was typed"):
            vm.write("x" * 300_000, timeout=0.1)
    finally:
        vm.process.send_signal(signal.SIGCONT)


def test_keys_after_the_end_are_told(machine):
    vm = machine("poweroff", keyboard=True)
    vm.wait(SOON)
    for _ in range(2):
        with pytest.raises(BootFailed, match=r"nobody reads what is typed: vm-\S+ ended with 0"):
            vm.write("x")
        vm.close()


def test_keys_whose_reader_ends_are_told(machine):
    vm = machine("run", keyboard=True)
    vm.wait_stage("machine", SOON)
    vm.process.send_signal(signal.SIGSTOP)
    threading.Timer(0.2, vm.process.kill).start()
    with pytest.raises(BootFailed, match="nobody reads what is typed"):
        vm.write("x" * 300_000, timeout=SOON)


def test_without_a_keyboard_nobody_types(machine):
    with pytest.raises(RuntimeError, match="keyboard=True"):
        machine("run").write("x")


def test_a_command_runs_in_the_guest(machine):
    result = machine("agent").exec("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


@pytest.mark.parametrize(("scenario", "stage", "boots"), [("os", "kernel", [1, 2]), ("run", "machine", [1])])
def test_a_reset_begins_another_boot_where_there_was_one(machine, scenario, stage, boots):
    vm = machine(scenario)
    vm.wait_stage(stage, SOON)
    vm.wait_console("fake firmware", SOON)
    vm.reset()
    vm.wait_stage("machine", SOON)
    assert vm.stage == "machine"
    assert [event["boot"] for event in vm.events if event["event"] == "boot"] == boots
    assert vm.wait_console(r"fake (firmware|reset)", SOON)[1] == "reset"  # not of the boot before
    assert "fake firmware" in vm.console


def test_each_has_a_name_of_its_own_or_the_one_it_is_given(machine):
    vms = [machine("run"), machine("run"), machine("run", name="web")]
    for vm in vms:
        vm.wait_stage("machine", SOON)
    assert len({vm.name for vm in vms}) == 3 and vms[-1].events[0]["name"] == "web"


def test_a_report_of_ones_own_comes_beside_the_machines(machine, folder):
    vm = machine("poweroff", report=folder / "mine.json")
    vm.wait(SOON)
    assert json.loads((folder / "mine.json").read_text()) == vm.report


def test_its_plug_can_be_pulled_twice_and_at_any_time(machine):
    vm = machine("run")
    vm.close()
    vm.close()
    assert vm.exit_code is not None


def test_who_was_killed_is_told(machine):
    vm = machine("run")
    vm.wait_stage("machine", SOON)
    vm.process.kill()
    assert vm.wait(SOON) == -signal.SIGKILL


def test_what_cannot_be_read_is_told_and_the_run_ends_nevertheless(folder):
    """A stand-in for vm-launch, which writes more than a pipe holds."""
    program = folder / "program"
    program.write_text("#!/bin/bash\nhead -c 300000 /dev/zero | tr '\\0' '\\n' >&${2#--events=fd:}\nexit 7\n")
    program.chmod(0o755)
    with Machine(program, folder=folder, environment=environment()) as vm:
        with pytest.raises(RuntimeError, match=f"{vm.name} told what cannot be read"):
            vm.wait_stage("os", SOON)
        assert vm.process.wait(SOON) == 7
    assert vm.exit_code == 7 == vm.wait(SOON)


def test_a_password_stands_on_no_command_line(machine):
    vm = machine("run", vnc_password="hunter2")
    vm.wait_stage("machine", SOON)
    process = pathlib.Path(f"/proc/{vm.process.pid}")
    assert "hunter2" not in (process / "cmdline").read_text() + vm.command_line
    assert "\0VNC_PASSWORD=hunter2\0" in f"\0{(process / 'environ').read_text()}"
    vm.stop()
    assert vm.command_line == vm.report["command"] and "hunter2" not in vm.command_line


def test_a_flood_on_the_console_is_bounded(machine, monkeypatch):
    monkeypatch.setattr("pytest_vm_launch.machine.CONSOLE_BYTES", 100_000)
    vm = machine("flood", console_raw=True)
    position = 0
    while position < 1_000_000:
        data, position = vm.read_console(position, SOON)
        assert 0 < len(data) <= 100_000
    assert len(vm.console) <= 100_000


@pytest.mark.parametrize(("call", "error"), [
    (lambda vm: vm.wait_stage("kernal"), ValueError),
    (lambda vm: Machine(BINARY, folder=vm.report_file.parent, events="-"), TypeError),
    (lambda vm: Machine("no-such-program", folder=vm.report_file.parent), FileNotFoundError),
])  # fmt: skip
def test_what_cannot_be_is_refused_at_once(machine, call, error):
    with pytest.raises(error):
        call(machine("run"))
