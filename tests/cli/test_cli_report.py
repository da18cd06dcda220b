"""A report is this run's, whatever becomes of the run; with a fake QEMU."""

import json
import os
import signal

import pytest

import launch
from test_cli_control import Vm


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


@pytest.mark.parametrize(("scenario", "code"), [("poweroff", 5), ("die-running", 4)])
def test_a_report_that_cannot_be_written_shows_in_the_exit_code_of_a_good_run(scenario, code, tmp_path):
    full = tmp_path / "full.json"
    full.symlink_to("/dev/full")
    result = run("--report", full, scenario=scenario)
    assert result.returncode == code, result.stderr
    assert f"cannot write the report {full}" in result.stderr
    assert "No space left on device" in result.stderr
