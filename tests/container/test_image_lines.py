"""Each `docker run` line of docs/containers.md, "Lines of its other documentation", in the image: what it says, and what it does with
what is to be added."""

import re
import shlex

import pytest

from containers import DOCKER_DEFAULTS, ROOT, RUNTIME, podman

SECTION = "## Lines of its other documentation"


def rows():
    """[line, command, says, then] of the table, without the backticks."""
    text = (ROOT / "docs/containers.md").read_text().split(SECTION)[1].split("\n## ")[0]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    assert cells[0] == ["page", "line", "command", "says", "then"]
    return [tuple(row[1:]) for row in cells[2:]]


ROWS = rows()


@pytest.fixture
def place(lab, tmp_path):
    """place(line): the container's own network, or with `--network host` a host that has what the line names; its volumes are folders."""

    def make(words):
        net = lab("direct" if "_DIRECT_DEV=" in " ".join(words) else "bridge")
        placed = [f"ns:/run/netns/{net.vm}" if word == "host" else word for word in words]
        placed = [f"{tmp_path}:/data" if re.fullmatch(r"[a-z-]+:/data", word) else word for word in placed]
        return placed if "--network" in placed else ["--network", "none", *placed]

    return make


def run(image, words, command):
    return podman("run", "--rm", *RUNTIME, *DOCKER_DEFAULTS, *words, image, *command, check=False)


def test_every_line_has_a_row():
    assert len(ROWS) >= 31 and sum(not then for _, _, _, then in ROWS) == 3


@pytest.mark.parametrize("line, command, says, then", ROWS, ids=[f"{number:02}" for number in range(len(ROWS))])
def test_a_line_is_answered_and_starts_with_what_is_to_be_added(image, place, line, command, says, then):
    asked = run(image, place(shlex.split(line)), shlex.split(command) or ["plan"])
    assert asked.returncode in ((2, 3) if then else (0,)), asked
    assert says in asked.stderr if says else "no effect here" not in asked.stderr, asked
    if then:
        added = run(image, place([*shlex.split(line), *shlex.split(then)]), shlex.split(command) or ["plan"])
        assert added.returncode == 0, added
