"""Fixtures of the tests on real links: see lab.py."""

import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / room) for room in ("boot", "cli")]

import guest as guest_module  # noqa: E402
import lab as lab_module  # noqa: E402
import vm  # noqa: E402
from lab_boot import LabBoot  # noqa: E402


@pytest.fixture(scope="session")
def assets():
    return vm.made_assets() / "netboot"


@pytest.fixture
def lab(request):
    """lab(kind, *bridge options): a network of the test's own, gone with the test."""
    labs = []

    def make(kind, *bridge_options):
        made = lab_module.Lab(kind, bridge_options)
        request.addfinalizer(lambda: made.__exit__(None, None, None))
        labs.append(made)
        return made.__enter__()

    return make


@pytest.fixture
def boot():
    """boot(lab, *arguments): a run of vm-launch there, not started yet."""
    with lab_module.private_folder() as folder:
        yield lambda lab, *arguments, **options: LabBoot(lab, folder, *arguments, **options)


@pytest.fixture(scope="module")
def guest_run():
    """guest_run(*arguments, mac=…, lab=None): a run of vm-launch whose guest is a network namespace, not started yet."""
    with lab_module.private_folder() as folder:
        yield lambda *arguments, **options: guest_module.GuestRun(folder, *arguments, **options)
