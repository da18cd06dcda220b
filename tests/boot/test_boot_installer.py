"""A real installer over the network: what scripts/demo debian-installer shows."""

import signal

import pytest

from terminal import Terminal


@pytest.mark.slow
def test_the_installer_asks_for_a_language(tmp_path, installer):
    with Terminal(tmp_path, "--ipxe", "--netboot-dir", installer, "--memory", "1024M") as run:
        run.wait("Select a language")
        run.signal(signal.SIGTERM)
        # Whether the installer heeds the power button is its own affair.
        assert run.wait_exit() in (0, 128 + signal.SIGTERM)
        run.assert_restored()
