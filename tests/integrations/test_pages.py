"""docs/pytest.md and docs/labgrid.md as they stand: their files in a folder, their commands in bash, with real boots."""

import re
import sys

from integration_support import PYTHON, ROOT, Page, need_labgrid


def run(place, commands):
    ended = place.run("bash", "-euo", "pipefail", "-c", commands)
    assert ended.returncode == 0, ended.stdout_text
    return ended.stdout_text


def test_the_page_of_pytest_runs_without_an_installation(place):
    page = Page("pytest.md")
    page.write(place.folder)
    uninstalled, _ = page.commands
    assert "3 passed" in run(place, uninstalled)


def test_the_page_of_pytest_runs_with_the_package_installed(place):
    page = Page("pytest.md")
    page.write(place.folder)
    _, installed = page.commands
    del place.environment["PYTHONPATH"]
    place.environment |= {"PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1"}
    assert "1 passed, 2 deselected" in run(place, installed.replace("pytest test_", "pytest -k script_runs test_"))


def test_the_page_of_labgrid_runs(place):
    need_labgrid()
    page = Page("labgrid.md")
    page.write(place.folder)
    [commands] = page.commands
    assert "2 passed" in run(place, commands)


def test_the_page_of_labgrid_has_every_argument_of_the_driver():
    source = (ROOT / "integrations/labgrid/labgrid_vm_launch.py").read_text()
    arguments = re.findall(r"^    (\w+) = attr\.ib\(", source.split("class VMLaunchStrategy")[0], re.MULTILINE)
    table = (ROOT / "docs/labgrid.md").read_text()
    assert arguments and all(f"| `{name}` |" in table for name in arguments)


def test_the_page_of_pytest_has_every_member_of_a_machine():
    from pytest_vm_launch import Machine

    page = (ROOT / "docs/pytest.md").read_text()
    members = {name for name in vars(Machine) if not name.startswith("_")}
    for name in members - {"numbers", "read_console", "command_line", "explain"}:
        assert re.search(rf"`[^`]*\b{name}\b", page), name


def test_the_interpreter_is_debians():
    assert sys.executable == PYTHON, "scripts/test runs Debian's Python, whose packages these tests stand on"
