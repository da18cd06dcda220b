"""Captures that vm-launch did not make, explained: tests/captures/expected.toml says what each shows, and was written first."""

import json
import tomllib

import pytest

from launch import ROOT, launch

CAPTURES = ROOT / "tests/captures"
EXPECTED = tomllib.loads((CAPTURES / "expected.toml").read_text())["capture"]


STAGES = ["link", "discover", "rom", "offer", "dhcp", "fetch", "script", "kernel"]


def told_of(machine):
    """What is told of the machine's boots, in the words of the table."""
    boots = machine["boots"]
    reached = [stage["stage"] for boot in boots for stage in boot["boots"][0]["stages"] if stage["reached"]]
    return {
        "mac": machine["mac"],
        "stage": max(reached, key=STAGES.index),
        "verdicts": [(boot["exit_code"], boot["summary"]) for boot in boots],
    }


def fits(machine, row):
    """Each boot's verdict is in the row; one boot's stands beside the machine itself."""
    verdicts = row.get("boots", [row])
    return (
        (machine["mac"], machine["stage"], len(machine["verdicts"])) == (row["mac"], row["stage"], len(verdicts))
        and all(code == wanted["exit_code"] and wanted["words"] in words for (code, words), wanted in zip(machine["verdicts"], verdicts))
    )


@pytest.mark.parametrize("row", EXPECTED, ids=[row["file"] for row in EXPECTED])
def test_a_capture_shows_what_was_expected(row):
    run = launch("explain", CAPTURES / row["file"], "--format", "json")
    machines = [told_of(machine) for machine in json.loads(run.stdout)["machines"]]
    assert len(machines) == len(row["machines"]), machines
    assert all(fits(*pair) for pair in zip(machines, row["machines"])), machines
    assert run.returncode == row["exit_code"], machines
    text = launch("explain", CAPTURES / row["file"])
    for words in row.get("says", []):
        assert words in text.stdout + text.stderr


def test_each_capture_is_in_the_table():
    files = {path.name for path in CAPTURES.iterdir()} - {"README.md", "expected.toml"}
    assert sorted(row["file"] for row in EXPECTED) == sorted(files)
    for row in EXPECTED:
        assert {"file", "client", "server", "taken", "shows", "exit_code", "machines"} <= row.keys(), row["file"]
    assert sum((CAPTURES / name).stat().st_size for name in files) <= 600_000
