"""A report is this run's, whatever becomes of the run; with a fake QEMU."""

import json
import os
import pathlib
import signal
import sys

import pytest

import launch
from test_cli_control import Vm

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "boot"))
import pcap


def run(*arguments, scenario="poweroff"):
    return launch.launch(*launch.BOOT, *arguments, scenario=scenario)


def test_a_killed_run_leaves_no_report_of_an_earlier_one(tmp_path):
    report = tmp_path / "boot.json"
    assert run("--report", report).returncode == 0
    assert json.loads(report.read_text())["exit_code"] == 0
    with Vm("--report", report) as vm:
        assert not report.exists()
        qemu, _ = launch.processes_of(vm.pid())
        vm.signal(signal.SIGKILL)
        vm.process.wait(launch.DEADLINE)
        os.waitpid(qemu, 0)  # QEMU, which has become ours
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("scenario", "code", "name"), [("poweroff", 5, "full.json"), ("poweroff", 5, "full.pcapng"), ("die-running", 4, "full.json")]
)
def test_a_report_that_cannot_be_written_shows_in_the_exit_code_of_a_good_run(scenario, code, name, tmp_path):
    full = tmp_path / name
    full.symlink_to("/dev/full")
    result = run("--report", full, scenario=scenario)
    assert result.returncode == code, result.stderr
    assert f"cannot write the report {full}" in result.stderr
    assert "No space left on device" in result.stderr


def test_packets_are_there_at_the_end_alone(tmp_path):
    report = tmp_path / "boot.pcapng"
    report.write_text("last week's")
    with Vm("--report", report) as vm:
        assert [path.name for path in tmp_path.iterdir()] == ["boot.pcapng.new"]
        vm.ask("stop")
        vm.process.wait(launch.DEADLINE)
    assert [path.name for path in tmp_path.iterdir()] == ["boot.pcapng"]
    capture = pcap.read_pcapng(report)
    assert capture.program == "vm-launch"
    assert [(interface.name, interface.snap_length) for interface in capture.interfaces] == [("net0", 1024)]
    assert capture.packets == []


def test_of_a_run_that_does_not_come_to_its_start_nothing_unfinished_is_left(tmp_path):
    assert run("--report", tmp_path / "boot.pcapng", scenario="die-early").returncode == 4
    assert not (tmp_path / "boot.pcapng.new").exists()


def test_what_the_guest_wrote_last_is_of_the_boot_that_ends(tmp_path):
    report = tmp_path / "boot.json"
    result = run("--report", report, scenario="last-words")
    assert result.returncode == 0, result.stderr
    first, second = json.loads(report.read_text())["boots"]
    assert first["console"][-2:] == ["reboot: Restarting system", "last#"]
    assert second["console"] == ["SeaBIOS (version fake)"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--report", "x.pcapng", "--no-boot-watch"], 2, "nobody looks at them"),
        (["--report", "x.pcapng,y.pcapng"], 2, "they are written once"),
        (["--report", "x.pcap"], 2, "expected a name that ends with .json, .html or .pcapng"),
        (["--report", "/no/such/folder/x.pcapng"], 3, "No such file or directory"),
    ],
)
def test_packets_that_cannot_be_are_refused(words, code, why):
    result = run(*words)
    assert (result.returncode, why in result.stderr) == (code, True), result.stderr
