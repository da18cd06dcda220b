"""A container without a name of its own, as Docker makes it: its VM is one VM, whatever the container is called next. The
container is a PID namespace with a host name of twelve hexadecimal digits; QEMU is a fake."""

import os
import shutil
import signal
import subprocess

import pytest

from launch import Running, launch

pytestmark = pytest.mark.usefixtures("as_root")

OPTIONS = ("--accel", "tcg", "--blank-disk", "--disk-size", "1M", "--boot-order", "hd")


def container(name):
    return ("unshare", "-p", "-u", "-f", "--mount-proc", "sh", "-c", f'hostname {name} && exec "$@"', "sh")


def folders(data):
    return sorted(path.name for path in data.iterdir() if path.is_dir())


def test_the_next_container_goes_on_with_what_the_last_one_kept(open_folder):
    """Also with what an older vm-launch kept under the container's random name."""
    for name in ("0123456789ab", "ba9876543210"):
        result = launch(*OPTIONS, "--data-dir", open_folder, prefix=container(name))
        assert result.returncode == 0, result.stderr
        assert "starting vm " in result.stderr
        assert folders(open_folder) == ["vm"]
    shutil.move(open_folder / "vm", open_folder / "00000000abcd")
    result = launch(*OPTIONS, "--data-dir", open_folder, prefix=container("ba9876543210"))
    assert result.returncode == 0, result.stderr
    assert f"{open_folder}/00000000abcd is used" in result.stderr
    assert folders(open_folder) == ["00000000abcd"]


def test_two_containers_on_one_folder_are_refused_clearly(open_folder):
    arguments = (*OPTIONS, "--data-dir", open_folder)
    with Running(*arguments, scenario="run", prefix=container("0123456789ab")) as first:
        first.wait_for("machine: QEMU built")
        second = launch(*arguments, prefix=container("ba9876543210"))
        assert second.returncode == 3, second.stderr
        assert f"{open_folder}/vm" in second.stderr
        assert "another vm-launch keeps a VM in it that runs" in second.stderr
        assert "--name" in second.stderr
        init = subprocess.run(["pgrep", "-P", str(first.process.pid)], stdout=subprocess.PIPE, check=True)
        os.kill(int(init.stdout), signal.SIGKILL)
        first.end()
    assert launch(*arguments, prefix=container("ba9876543210")).returncode == 0


def test_a_name_of_ones_own_is_kept(open_folder):
    launch(*OPTIONS, "--data-dir", open_folder, prefix=container("build-7"))
    launch(*OPTIONS, "--data-dir", open_folder, "--name", "web", prefix=container("0123456789ab"))
    assert folders(open_folder) == ["build-7", "web"]
