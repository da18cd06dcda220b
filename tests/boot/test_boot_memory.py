"""A memory limit, as a container's --memory sets it: what is beyond it is told of, and a death by it is named. That `max`
lives within it, tests/container shows."""

import os
import pathlib
import subprocess

import pytest

import vm

LIMIT_MIB = 400
ROOT_GROUP = pathlib.Path("/sys/fs/cgroup")


class Limited:
    """A control group with a limit, of version 2 or 1, and how a command line is run in it."""

    def __init__(self, limit):
        version_2 = "memory" in read(ROOT_GROUP / "cgroup.controllers").split()
        self.folder = (ROOT_GROUP if version_2 else ROOT_GROUP / "memory") / f"vml-{os.getpid()}"
        self.folder.mkdir()
        if version_2:
            (self.folder / "memory.max").write_text(str(limit))
            (self.folder / "memory.swap.max").write_text("0")
        else:
            (self.folder / "memory.limit_in_bytes").write_text(str(limit))
            (self.folder / "memory.swappiness").write_text("0")

    def inside(self, command):
        return ["sh", "-c", f'echo $$ >{self.folder}/cgroup.procs && exec "$@"', "sh", *command]


def read(path):
    return path.read_text() if path.exists() else ""


@pytest.fixture
def limited():
    try:
        group = Limited(LIMIT_MIB << 20)
    except OSError as error:
        pytest.skip(f"cannot make a control group with a memory limit: {error}")
    yield group
    group.folder.rmdir()


class LimitedBoot(vm.Boot):
    def __init__(self, group, *arguments, **options):
        super().__init__(*arguments, **options)
        self.group = group

    def command(self):
        return self.group.inside(super().command())


def test_what_is_beyond_the_limit_is_told_before_the_start_and_the_death_by_it_is_named(limited, tmp_path):
    arguments = ("--accel", "tcg", "--cpus", "1", "--memory", "700", "--ipxe", "--bootfile", "http://192.0.2.1/x")
    # every page of the guest's memory is taken at once, as by a guest that uses all of it
    with LimitedBoot(limited, tmp_path, *arguments, extra=("-mem-prealloc",), capture=False) as run:
        assert run.wait_exit() == 4
        text = run.text("own")
    warned, died = text.index("the kernel will kill QEMU"), text.index("out-of-memory killer ended")
    assert warned < text.index("starting ") < died, text
    assert f"the control group's limit of {LIMIT_MIB} MiB" in text
    assert "--memory=max is" in text and "a smaller guest" in text


def test_a_limit_without_room_for_a_guest_is_told(limited):
    (limited.folder / ("memory.max" if (limited.folder / "memory.max").exists() else "memory.limit_in_bytes")).write_text(
        str(150 << 20)
    )
    refused = subprocess.run(
        limited.inside([str(vm.BINARY), "--memory", "max", "--accel", "tcg", "--ipxe", "--bootfile", "http://192.0.2.1/x"]),
        capture_output=True, text=True, timeout=60,
    )
    assert refused.returncode == 3
    assert "no room for a guest" in refused.stderr and "150 MiB" in refused.stderr
