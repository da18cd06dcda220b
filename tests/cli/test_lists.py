"""Lists that stand in more than one place: each is compared with what the program itself has."""

import re

import pytest

from launch import ROOT, launch


def source(name):
    return (ROOT / name).read_text()


def subcommands():
    return re.findall(r"^  vm-launch (\w+) ", launch("--help").stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def formats_in_the_help():
    text = " ".join(launch("--help").stdout.split())
    [listed] = re.findall(r"--format FORMAT (.*?) --help", text)
    return dict(entry.split(": ") for entry in listed.split("; "))


def test_the_help_names_some_subcommands_with_formats(formats_in_the_help):
    assert {"plan", "status", "rom"} <= set(formats_in_the_help) < set(subcommands())


@pytest.mark.parametrize("subcommand", subcommands())
def test_the_help_names_the_formats_that_a_subcommand_takes(subcommand, formats_in_the_help):
    refusal = launch(subcommand, "--format", "nonsense").stderr
    if subcommand in formats_in_the_help:
        *most, last = formats_in_the_help[subcommand].split(", ")
        assert f"(expected {', '.join(most)} or {last})" in refusal
    else:
        assert "does not take --format" in refusal


def test_the_readme_has_every_exit_code_as_the_program_prints_it():
    table = launch("help", "settings").stdout.split("## Exit codes\n\n")[1]
    assert table.count("\n") > 10
    assert table in source("README.md"), "make it anew: the end of vm-launch help settings"


def test_the_first_table_on_control_is_what_the_program_prints():
    table = launch("help", "control").stdout
    assert table.count("\n") > 8
    assert source("docs/control.md").split("\n\n")[2] + "\n" == table, "make it anew: vm-launch help control"


def test_the_table_of_events_is_what_the_program_prints():
    table = launch("help", "events-table").stdout
    assert table.count("\n") > 10
    assert table in source("docs/events.md"), "make it anew: vm-launch help events-table"


def test_the_protocol_names_every_verb_and_no_other():
    verbs = re.findall(r"^\| `(\w+)", launch("help", "control").stdout, re.MULTILINE)
    protocol = source("docs/control.md").split("| command | arguments | answer |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", protocol, re.MULTILINE)) == sorted(verbs)


def test_the_plans_format_names_every_purpose_of_a_descriptor():
    purposes = re.findall(r'case FdPurpose::\w+:\s+return "(\w+)";', source("launcher/plan/plan.cpp"))
    [listed] = re.findall(r"`purpose` \(([^)]*)\)", source("docs/plan-format.md"))
    assert len(purposes) > 10
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(purposes)


def test_a_setting_is_not_among_the_variables_without_use():
    without_use = set(re.findall(r'\{"([A-Z0-9_]+)",', source("launcher/settings/foreign_variables.cpp")))
    settings = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", source("docs/SETTINGS.md")))
    assert len(without_use) > 10 and len(settings) > 40
    assert not without_use & settings


def test_hints_name_values_that_the_settings_take():
    """`--network nat` in a hint, for one: what is named so is planned without a complaint about the value."""
    values = set()
    for folder in ("launcher", "netsetup", "bootwatch", "rom"):
        for file in (ROOT / folder).rglob("*.cpp"):
            values |= set(re.findall(r"(--(?:network|firmware|accel|disk-bus|disk-format|nic-model|pxe|arch)) ([a-z0-9_]+)",
                                     file.read_text()))
    values.discard(("--pxe", "asks"))  # a sentence: "--pxe asks for this client"
    values.discard(("--network", "host"))  # the container runtime's own flag
    assert ("--network", "nat") in values and len(values) > 4
    for flag, value in sorted(values):
        assert f"{flag}: " not in launch("plan", flag, value).stderr, (flag, value)


def test_the_systemd_unit_grants_every_capability_that_the_code_names():
    capabilities = set(re.findall(r"^#define (CAP_\w+)\s+\d+$", open("/usr/include/linux/capability.h").read(), re.MULTILINE))
    [granted] = re.findall(r"^CapabilityBoundingSet=(.*)$", source("examples/vm-launch@.service"), re.MULTILINE)
    asked = set()
    for folder in ("launcher", "netsetup"):
        for file in (ROOT / folder).rglob("*.cpp"):
            asked |= set(re.findall(r"\bCAP_[A-Z_]+\b", file.read_text()))
    assert {"CAP_NET_ADMIN", "CAP_NET_RAW"} <= asked & capabilities
    assert asked & capabilities <= set(granted.split())


def test_the_files_that_the_architecture_names_are_there():
    named = set(re.findall(r"`((?:\w+/)+[\w*]+\.(?:cpp|h|py))`", source("docs/ARCHITECTURE.md")))
    assert len(named) > 25
    for name in sorted(named):
        assert any(ROOT.glob(name)) or any((ROOT / "launcher").glob(name)), name


def promises():
    """Each promise on threats, and what is named there as showing it."""
    section = source("docs/threats.md").split("## What is promised")[1].split("## What is not promised")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {promise: re.findall(r"`([^`]+)`", shown) for promise, shown in rows if promise != "promise"}


def test_every_promise_on_threats_names_tests_that_there_are():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*") if path.suffix in (".py", ".cpp"))
    assert len(promises()) > 10
    for promise, shown in promises().items():
        assert shown, promise
        for name in shown:
            fuzzed = (ROOT / "tests/fuzz" / f"{name}.cpp").exists()
            assert fuzzed or f"def {name}(" in tests or f'TEST_CASE("{name}"' in tests, name
