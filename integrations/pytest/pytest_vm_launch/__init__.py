"""The fixture `vm_launch`: vm_launch(script, memory="512M", …) starts a VM by `vm-launch run`, and gives a `Machine`."""

import contextlib
import itertools

import pytest

from .machine import BootFailed, Machine, NotInTime
from .record import STAGES
from .shown import quoted

__all__ = ["STAGES", "BootFailed", "Machine", "NotInTime", "machines"]

CONSOLE_LINES = 40

# What is an argument of `Machine` and no setting, or is another for each VM.
NOT_FOR_ALL = {"name", "boot", "keyboard", "qemu", "folder", "environment"}

# The machines of this test process, from their start until they are ended: what a failed test tells of.
LIVE = []


def pytest_addoption(parser):
    group = parser.getgroup("vm-launch")
    group.addoption("--vm-launch-binary", metavar="PATH", help="the program that starts the VMs (default: vm-launch, in PATH)")
    parser.addini("vm_launch_binary", "the program that starts the VMs, where --vm-launch-binary names none", default="vm-launch")
    parser.addini("vm_launch_options", "settings of every VM: one NAME=VALUE a line, as for vm-launch's --config", type="linelist")


def binary_of(config):
    return config.getoption("vm_launch_binary") or config.getini("vm_launch_binary")


def options_of(config):
    given = {}
    for line in config.getini("vm_launch_options"):
        name, equals, value = line.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise pytest.UsageError(f"vm_launch_options: {line!r} is not NAME=VALUE")
        if name in NOT_FOR_ALL:
            raise pytest.UsageError(f"vm_launch_options: {name} is for vm_launch() in a test")
        given.setdefault(name, []).append(value.strip())
    return {name: values if len(values) > 1 else values[0] for name, values in given.items()}


@contextlib.contextmanager
def machines(config, folder):
    """What the fixtures give, for one of another scope: a function that starts a machine; their reports go into the folder."""
    with contextlib.ExitStack() as stack:

        def start(boot=None, **options):
            try:
                machine = Machine(binary_of(config), boot, folder=folder, **{**options_of(config), **options})
            except FileNotFoundError as error:
                pytest.fail(f"{error}: --vm-launch-binary or vm_launch_binary names vm-launch", pytrace=False)
            LIVE.append(machine)
            stack.callback(LIVE.remove, machine)
            return stack.enter_context(machine)

        yield start


@pytest.fixture
def vm_launch(request, tmp_path):
    """vm_launch(boot=None, **settings): a VM, by `vm-launch run`. When the test ends, however it ends, so does the VM."""
    with machines(request.config, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def vm_launch_module(request, tmp_path_factory):
    """The same for a VM that the tests of a module share."""
    with machines(request.config, tmp_path_factory.mktemp("vm-launch")) as start:
        yield start


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += itertools.chain.from_iterable(map(sections_of, LIVE))


def sections_of(machine):
    """Of a failed test's report: the command with the verdict, and the end of the console."""
    console = "\n".join(machine.console.splitlines()[-CONSOLE_LINES:])
    yield f"vm-launch {machine.name}", f"{machine.explain()}\n{quoted(machine.command_line)}"
    yield f"console of {machine.name}", quoted(console)
