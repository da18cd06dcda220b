"""What vm-launch's own work costs, in instructions: no noise of the machine moves them. A figure that changes by more than
LIMIT fails until tests/cli/cost.json is changed with it, in a commit that says why.

VML_UPDATE_COST=1 writes the new figures."""

import json
import os
import pathlib
import platform
import re
import subprocess
import time

import pytest

import launch

FIGURES = pathlib.Path(__file__).with_name("cost.json")
LIMIT = 0.03

# Many variables, none of them ours: whoever starts a container hands over about as many.
STRANGERS = {f"SERVICE_{number}_URL": f"http://10.0.0.{number}:8080/path" for number in range(60)}
PLAN = ("plan", "--ipxe", "--accel", "tcg", "--cpus", "2", "--memory", "512", "--name", "cost", "--no-persist")
START = ("--ipxe", "--accel", "tcg", "--cpus", "2", "--memory", "512", "--name", "cost", "--no-persist", "--no-boot-watch")

RUNS = {
    "version": ("--version",),
    "plan": PLAN,
    "start-and-stop": START,
}


def debian():
    return platform.freedesktop_os_release().get("VERSION_ID", "")


def instructions(arguments, folder):
    """Of vm-launch alone: not of QEMU, which it starts, nor of the process that keeps its files. With a /run of its own, where no
    other VM's socket is. At the end it is another user, as which valgrind writes its figures into the file that it made at first."""
    private = ["unshare", "--net", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh"]
    command = [*private, "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p", "--trace-children=no"]
    with subprocess.Popen(
        [*command, *launch.command(*arguments)],
        env={"PATH": f"{launch.FAKE}:/usr/bin:/bin", "QEMU_FAKE": "poweroff", "LANG": "C", **STRANGERS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        figures = folder / str(process.pid)
        while process.poll() is None and not figures.exists():
            time.sleep(0.01)
        figures.chmod(0o666)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return int(re.search(r"^(?:summary|totals): (\d+)$", figures.read_text(), re.MULTILINE).group(1))


@pytest.mark.parametrize("run", RUNS)
def test_what_it_costs(run, open_folder):
    if "VML_BINARY" in os.environ:
        pytest.skip("the figures are of build/dev")
    figures = json.loads(FIGURES.read_text())
    if debian() != figures["debian"]:
        pytest.skip("the figures are of another Debian")
    cost = instructions(RUNS[run], open_folder)
    if "VML_UPDATE_COST" in os.environ:
        figures["instructions"][run] = cost
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
        return
    known = figures["instructions"][run]
    assert abs(cost - known) <= LIMIT * known, f"{run}: {cost:,} instructions, {cost / known - 1:+.1%}"
