"""vm-launch as PID 1 of a PID namespace of its own, as in a container; with a fake QEMU."""

import concurrent.futures
import os
import re
import signal
import subprocess

import pytest

from launch import BOOT, DEADLINE, Running, command, environment, launch, processes_of
from test_cli_run import STARTED

pytestmark = pytest.mark.usefixtures("as_root")

AS_INIT = ("unshare", "-p", "-f", "--mount-proc")


class Init(Running):
    """A run whose vm-launch is PID 1."""

    def __init__(self, *arguments, **options):
        super().__init__(*BOOT, *arguments, prefix=AS_INIT, **options)

    def pid(self):
        """Init's, as it is called out here."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], stdout=subprocess.PIPE, check=True)
        return int(found.stdout)

    def send(self, number):
        os.kill(self.pid(), number)

    def send_from_inside(self, number):
        inside = ["nsenter", "-t", str(self.pid()), "-p", "-m", "kill", f"-{int(number)}", "1"]
        subprocess.run(inside, check=False, timeout=DEADLINE)  # the end of init may take it along


# -- children


def end_with(folder, status):
    result = subprocess.run(
        [*AS_INIT, *command(*BOOT)],
        env=environment(PATH=f"{folder}:/usr/bin:/bin", QEMU_TEST_STATUS=str(status)),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=DEADLINE, check=False,
    )
    return result.returncode, re.search(r"exit status (\d+)", result.stderr.decode())


def test_all_256_exit_statuses_of_qemu_are_told_and_none_is_taken_for_a_success(open_folder):
    fake = open_folder / "qemu-system-x86_64"
    fake.write_text('#!/bin/sh\nexit "$QEMU_TEST_STATUS"\n')
    fake.chmod(0o755)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda status: end_with(open_folder, status), range(256)))
    for status, (code, told) in enumerate(ends):
        assert code == 4, status
        assert told and int(told.group(1)) == status


def test_orphans_of_every_exit_status_are_reaped_and_end_nothing():
    for scenario, code in (("many-orphans,poweroff", 0), ("many-orphans,panic", 20)):
        result = launch(*BOOT, scenario=scenario, prefix=AS_INIT)
        assert result.returncode == code, result.stderr
        assert "orphan reaped" in result.stdout


# -- signals

# What has no meaning of its own here. SIGSTOP and SIGKILL are the kernel's.
NO_MEANING = sorted(
    set(signal.valid_signals())
    - {signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
)


def test_a_storm_of_signals_without_a_meaning_changes_nothing():
    """Those of faults among them: the kernel lets nobody end an init by a signal that it does not handle."""
    with Init(scenario="os,acpi") as run:
        run.wait_for("kernel: Linux")
        init = run.pid()
        for _ in range(100):
            for number in NO_MEANING:
                os.kill(init, number)
        run.wait_for("stage: kernel")  # SIGUSR1 was among them
        run.send(signal.SIGTERM)
        assert run.end() == 0
        assert "stopped by SIGTERM" in run.text["stderr"]


def test_a_storm_of_stops_ends_in_one_end():
    with Init("--stop-timeout=600", scenario="os") as run:
        run.wait_for("kernel: Linux")
        init = run.pid()
        for _ in range(200):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
                try:
                    os.kill(init, number)
                except ProcessLookupError:
                    break
        # Which of the three was first is the kernel's to say: pending signals are delivered by number.
        assert run.end() in (128 + signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGHUP)
        assert run.text["stderr"].count("forced to stop") == 1


STOPS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize(
    ("scenario", "stage"),
    [("run", "starting "), ("silent", "qemu: fake: silent"), ("no-check", "qemu: fake: no answer"), ("run", STARTED)],
    ids=["before-qemu", "starting", "checking", "firmware"],
)
def test_a_stop_before_an_operating_system_runs_is_clean(number, scenario, stage):
    with Init("--log-level=debug", scenario=scenario) as run:
        run.wait_for(stage)
        run.send(number)
        assert run.end() == 0
        assert f"stopped by {number.name}" in run.text["stderr"]


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_while_an_operating_system_runs(number):
    """By its power button; SIGQUIT does without."""
    with Init("--stop-timeout=600", scenario="os,late-acpi") as run:
        run.wait_for("kernel: Linux")
        run.send_from_inside(number)
        assert run.end() == (128 + number if number == signal.SIGQUIT else 0)


def test_a_stop_while_the_guest_powers_down_forces():
    with Init("--stop-timeout=600", scenario="os") as run:
        run.wait_for("kernel: Linux")
        run.send(signal.SIGTERM)
        run.wait_for("pressing the guest's power button")
        run.send(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGTERM


def test_a_stop_while_qemu_quits_kills():
    with Init(scenario="deaf") as run:
        run.wait_for(STARTED)
        run.send(signal.SIGTERM)
        run.wait_for("SIGTERM: stopping")
        run.send(signal.SIGINT)
        assert run.end() == 128 + signal.SIGTERM


def test_a_grace_that_is_over_forces():
    with Init("--stop-timeout=1", scenario="os") as run:
        run.wait_for("kernel: Linux")
        run.send(signal.SIGTERM)
        assert run.end() == 128 + signal.SIGTERM


# -- ends, as restart policies go by them


@pytest.mark.parametrize(
    ("scenario", "code"),
    [("poweroff", 0), ("panic", 20), ("die-early", 4), ("die-running", 4), ("segfault", 4), ("killed", 4), ("check-off", 10)],
)
def test_a_power_off_is_0_and_a_crash_is_not(scenario, code):
    assert launch(*BOOT, scenario=scenario, prefix=AS_INIT).returncode == code


def test_the_kill_of_init_leaves_nothing():
    with Init(scenario="deaf") as run:
        run.wait_for(STARTED)
        init = run.pid()
        qemu, _ = processes_of(init)
        run.send(signal.SIGKILL)
        assert run.end() != 0
        assert not os.path.exists(f"/proc/{qemu}")
