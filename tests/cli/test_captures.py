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
    """Each boot's verdict is in the row: under `boots`, or one boot's beside the machine itself."""
    wanted = row.get("boots", [row])
    if (machine["mac"], machine["stage"], len(machine["verdicts"])) != (row["mac"], row["stage"], len(wanted)):
        return False
    pairs = zip(machine["verdicts"], wanted, strict=True)
    return all(code == verdict["exit_code"] and verdict["words"] in words for (code, words), verdict in pairs)


@pytest.mark.parametrize("row", EXPECTED, ids=[row["file"] for row in EXPECTED])
def test_a_capture_shows_what_was_expected(row):
    run = launch("explain", CAPTURES / row["file"], "--format", "json")
    machines = [told_of(machine) for machine in json.loads(run.stdout)["machines"]]
    assert len(machines) == len(row["machines"]), machines
    assert all(fits(*pair) for pair in zip(machines, row["machines"], strict=True)), machines
    assert run.returncode == row["exit_code"], machines
    text = launch("explain", CAPTURES / row["file"])
    for words in row.get("says", []):
        assert words in text.stdout + text.stderr


def test_each_capture_is_in_the_table():
    files = {path.name for path in CAPTURES.iterdir()} - {"README.md", "expected.toml"}
    assert sorted(row["file"] for row in EXPECTED) == sorted(files)
    for row in EXPECTED:
        assert {"file", "client", "server", "taken", "shows", "exit_code", "machines"} <= row.keys(), row["file"]
    sizes = [(CAPTURES / name).stat().st_size for name in files]
    assert max(sizes) <= 50_000 and sum(sizes) <= 600_000
