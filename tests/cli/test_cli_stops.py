"""Who has the machine decides how it is stopped; and a guest that stands still, with a fake QEMU."""

import signal

import pytest

from test_cli_control import Vm
from test_cli_run import Terminal

PAUSED = "a disk could not be written"


def test_a_guest_that_is_silent_is_told_to_power_off():
    with Vm("--stop-timeout=50", scenario="silent-os,acpi") as vm:
        vm.signal(signal.SIGTERM)
        vm.wait_for("SIGTERM: pressing the guest's power button; it has 50 s")
        assert vm.end() == 0


@pytest.mark.parametrize("scenario", ["silent-os", "writes", "mute"])
def test_what_may_be_an_operating_system_is_not_said_to_have_stopped_cleanly(scenario):
    with Vm("--stop-timeout=1", scenario=scenario) as vm:
        vm.signal(signal.SIGTERM)
        vm.wait_for("the guest did not power off in time: forcing the stop")
        assert vm.end() == 128 + signal.SIGTERM
        assert "no operating system runs" not in vm.text["stderr"]


def test_sigquit_of_a_silent_guest_is_no_clean_stop():
    with Vm(scenario="silent-os") as vm:
        vm.signal(signal.SIGQUIT)
        assert vm.end() == 128 + signal.SIGQUIT


def test_firmware_is_ended_at_once():
    with Vm("--stop-timeout=500", scenario="run") as vm:
        vm.signal(signal.SIGTERM)
        vm.wait_for(r"SIGTERM: stopping \(no operating system runs\)")
        assert vm.end() == 0


# -- a guest that stands still


def test_status_and_console_tell_that_the_guest_is_paused():
    with Vm(scenario="paused-by-disk") as vm:
        vm.wait_for(PAUSED)
        assert "paused     the guest is paused: a disk cannot be read or written" in vm.ask("status").stdout
        with Terminal("console", vm.name, scenario="run") as terminal:
            terminal.wait_for("warning: the guest is paused: a disk cannot be read or written")
            terminal.wait_for("attached to the console")


def test_a_paused_guest_goes_on_by_itself():
    with Vm(scenario="paused-by-disk,room") as vm:
        vm.wait_for("it goes on by itself once there is room")
        vm.wait_for("the guest goes on: its disk can be written again")
        assert vm.ask("health").returncode == 0


def test_resume_waits_until_the_guest_goes_on():
    with Vm("--on-io-error=stop", scenario="paused-by-disk,room") as vm:
        vm.wait_for("`vm-launch resume` lets it go on")
        assert vm.ask("health").returncode == 1
        assert vm.ask("resume").returncode == 0
        assert vm.ask("health").returncode == 0


def test_resume_says_why_it_does_not():
    with Vm("--on-io-error=stop", scenario="paused-by-disk") as vm:
        vm.wait_for(PAUSED)
        result = vm.ask("resume")
        assert result.returncode == 1
        assert "cannot let the guest go on" in result.stderr and "a disk still cannot be written" in result.stderr


def test_resume_of_a_guest_that_runs_changes_nothing():
    with Vm(scenario="room") as vm:
        assert vm.ask("resume").returncode == 0
        assert vm.ask("health").returncode == 0


def test_a_reset_starts_a_guest_that_stood_still():
    with Vm("--on-io-error=stop", scenario="paused-by-disk,prelaunch") as vm:
        vm.wait_for(PAUSED)
        assert vm.ask("reset").returncode == 0
        vm.wait_for("fake guest goes on", "stdout")
        vm.wait_for("the guest goes on", "stderr")
        assert vm.ask("health").returncode == 0
