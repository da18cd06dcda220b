"""What holds for every Python test: the marks, that CI counts a skipped test as a failure (see SKIPS.md), and how much CPU
time a test took."""

import os
import pathlib
import resource

import pytest

SKIPS_FILE = pathlib.Path(__file__).parent / "SKIPS.md"


def pytest_configure(config):
    os.umask(0o022)  # QEMU, nginx and dnsmasq run as users of their own, and read what the tests write
    config.addinivalue_line("markers", "xdist_group: tests that one worker runs one after the other")
    config.addinivalue_line("markers", "slow: a boot of more than about 40 s; left out by scripts/test --quick")


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items):
    """With several workers (pytest-xdist, --dist loadgroup): tests of one group run one after the other on one worker. The
    command line's VMs share their default name, and a container's image, with the packages, is built once; the rest may run
    beside each other."""
    for item in items:
        folder = item.path.parent.name
        if folder in ("cli", "container", "package"):
            item.add_marker(pytest.mark.xdist_group(folder))


def allowed_reasons(text):
    """The first column of the table, without its head and its rule."""
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return {row for row in rows[2:] if row}


def reason_of(report):
    """The reason of a skip: pytest keeps (file, line, "Skipped: reason")."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def forbid_skip(report):
    """Turns a skip into a failure where CI would otherwise go green without having run the test."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = reason_of(report)
    if reason not in allowed_reasons(SKIPS_FILE.read_text()):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, and tests/SKIPS.md does not list the reason: {reason}"


def cpu_seconds():
    """Of all processes that this one has waited for: what a container's processes take is not in it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.cpu_before = cpu_seconds()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    if call.when == "teardown":
        # scripts/test-times shows it: a test that takes long and computes nothing only waits.
        item.user_properties.append(("cpu", f"{cpu_seconds() - item.cpu_before:.2f}"))
    outcome = yield
    forbid_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    outcome = yield
    forbid_skip(outcome.get_result())
