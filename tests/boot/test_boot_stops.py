"""How a run ends: by signals, in firmware and with an operating system up, and when one of the two processes dies.
That nothing stays behind is checked by vm.Boot after every test."""

import os
import pathlib
import signal
import time

import pytest

import vm

STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@pytest.fixture
def waiting_in_ipxe(netboot):
    """A netboot folder whose script waits for ever: firmware's stage, without an end of its own."""
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho WAITING\nprompt\n")
    return netboot.path


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_signal_in_firmware_ends_at_once(boot, waiting_in_ipxe, number):
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, "--stop-timeout", "50", *vm.SMALL) as run:
        run.wait_text("WAITING")
        run.signal(number)
        # Firmware ignores the power button: waiting for it would take the whole grace.
        assert run.wait_exit(30) == 0


def test_a_signal_right_at_the_start(boot, waiting_in_ipxe):
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL) as run:
        run.wait_text(".", "own")
        run.signal(signal.SIGTERM)
        assert run.wait_exit(30) == 0


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_signal_with_a_system_up_presses_the_power_button(boot, netboot, number):
    netboot.script(words="vml.stay")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--stop-timeout", "60", *vm.SMALL) as run:
        run.wait_text(vm.GUEST_UP)
        run.signal(number)
        assert run.wait_exit() == 0
        assert vm.POWER_BUTTON in run.text()


def test_a_guest_that_ignores_the_power_button_is_forced(boot, netboot):
    """Linux without a program that handles the button: vm-launch's grace passes, and it says so by 128+15."""
    netboot.script(words="vml.stay vml.deaf")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--stop-timeout", "2", *vm.SMALL) as run:
        run.wait_text(vm.GUEST_UP)
        run.signal(signal.SIGTERM)
        assert run.wait_exit(vm.END_DEADLINE) == 128 + signal.SIGTERM


def test_a_reboot_during_a_stop_ends_the_run(boot, netboot):
    """A guest that reboots while it was asked to power off is in firmware again, where nobody hears the button: there
    is nothing to wait for, and nothing to force."""
    netboot.script(words="vml.reboot")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--stop-timeout", "60", *vm.SMALL) as run:
        run.wait_text("Run /init")
        run.signal(signal.SIGTERM)
        assert run.wait_exit(50) == 0


def test_sigkill_of_vm_launch_takes_qemu_along(boot, waiting_in_ipxe):
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL) as run:
        run.wait_text("WAITING")
        qemu = run.qemu()
        run.signal(signal.SIGKILL)
        assert vm.wait_for_end(qemu, 10)
        assert run.wait_exit(10) == -signal.SIGKILL


def test_death_of_qemu_is_its_own_exit_code(boot, waiting_in_ipxe):
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL) as run:
        run.wait_text("WAITING")
        os.kill(run.qemu(), signal.SIGKILL)
        assert run.wait_exit(30) == 4
        assert "QEMU" in run.text("own")


def test_a_qemu_that_does_not_start_shows_its_last_words(boot, waiting_in_ipxe):
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL, extra=["-device", "no-such-device"]) as run:
        assert run.wait_exit(30) == 4
        assert "no-such-device" in run.text("own")


def test_no_console_prints_none_of_it(boot, netboot):
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, "--no-console", *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert run.text("console") == ""


def test_a_waiting_guest_costs_vm_launch_nothing(boot, waiting_in_ipxe):
    """vm-launch must not wake up by itself: a whole window passes in which it does not run at all."""
    with boot("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL, capture=False) as run:
        run.wait_text("WAITING")
        # The one place where time has to pass: what is measured is that nothing happens in it. The first windows may
        # see the console's last bytes.
        assert any(runs_in_a_window(run.process.pid, 3) == 0 for _ in range(5))
        run.stop()


def runs_in_a_window(pid, seconds):
    before = switches(pid)
    time.sleep(seconds)
    return switches(pid) - before


def switches(pid):
    """How often the process ran and was put to sleep again."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)
