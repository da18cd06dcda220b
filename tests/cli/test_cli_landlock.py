"""What QEMU may still reach once vm-launch has confined it: a program in QEMU's place tries, and the kernel refuses."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from launch import CONFINED_BOOT, DEADLINE, ROOT, environment, launch

REFUSED = {"EACCES", "EPERM", "ENOENT"}  # ENOENT: what must not be seen is not there for it

PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/etc", "/usr", "/home")


@pytest.fixture
def escape(open_folder):
    """escape(*pairs, landlock=…, arguments=…) gives {(verb, word): outcome}."""
    shutil.copy(ROOT / "tests/escape/qemu-system-x86_64", open_folder)

    def run(*pairs, landlock="on", arguments=()):
        words = json.dumps([[verb, str(word)] for verb, word in pairs])
        env = environment(PATH=f"{open_folder}:/usr/bin:/bin", LANDLOCK=landlock, QEMU_ESCAPES=words)
        result = launch(*CONFINED_BOOT, *arguments, env=env)
        found = re.search(r"ESCAPES (\[.*\])", result.stderr)
        assert found, result.stderr
        return {(verb, word): told for verb, word, told in json.loads(found[1])}

    return run


@pytest.fixture
def everybodys(open_folder):
    """A file beside QEMU's own folder that everybody may read and write, in a folder that everybody may write to."""
    with tempfile.TemporaryDirectory(prefix="vml-open-") as folder:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "file")
        with open(path, "w", encoding="utf-8") as file:
            file.write("kept\n")
        os.chmod(path, 0o666)
        yield path


def test_what_everybody_may_open_is_closed_to_qemu(escape, everybodys):
    tries = [
        ("read", "/etc/passwd"),
        ("read", "/etc/hostname"),
        ("list", "/"),
        ("list", "/etc"),
        ("list", "/root"),
        ("list", "/tmp"),
        ("read", "/proc/1/status"),
        ("read", f"/proc/{os.getpid()}/cmdline"),
        ("list", "/proc"),
        ("read", "/proc/cpuinfo"),
        ("read", "/sys/class/net/lo/address"),
        ("read", everybodys),
        ("write", everybodys),
        ("truncate", everybodys),
        ("remove", everybodys),
        ("make", everybodys + "-folder"),
        *[("write", f"{place}/vml-escaped") for place in PLACES],
        *[("make", f"{place}/vml-escaped") for place in PLACES],
    ]
    told = escape(*tries)
    assert {pair: outcome for pair, outcome in told.items() if outcome not in REFUSED} == {}
    assert not [place for place in PLACES if os.path.lexists(f"{place}/vml-escaped")]
    with open(everybodys, encoding="utf-8") as file:
        assert file.read() == "kept\n"


def test_it_is_the_domain_that_closes_them(escape, everybodys):
    """Without it the same tries go through, as far as the user's rights go."""
    tries = [("read", "/etc/passwd"), ("list", "/"), ("read", everybodys), ("write", everybodys), ("make", everybodys + "-folder")]
    assert set(escape(*tries, landlock="off").values()) == {"done"}


def test_what_qemu_needs_stays_open(escape):
    needed = [
        ("read", "/dev/urandom"),
        ("write", "/dev/null"),
        ("list", "/usr/share"),
        ("read", "/proc/self/status"),
        ("read", "/sys/devices/system/cpu/online"),
    ]
    assert set(escape(*needed).values()) == {"done"}


def test_the_folder_that_is_served_by_tftp_can_be_read_and_no_more(escape, everybodys):
    served = os.path.dirname(everybodys)
    told = escape(("read", everybodys), ("write", everybodys), ("make", served + "/new"), arguments=("--netboot-dir", served))
    assert list(told.values()) == ["done", "EACCES", "EACCES"]


@contextlib.contextmanager
def listening(name):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        yield


def test_no_socket_and_no_process_of_others(escape, open_folder):
    """An abstract socket has no rights; a process of the same user could be told to end."""
    with listening("\0vml-escape-test"), subprocess.Popen(["sleep", str(DEADLINE)]) as other:
        told = escape(("connect", "@vml-escape-test"), ("trace", other.pid), ("signal", other.pid), ("signal", os.getpid()))
        other.kill()
    assert set(told.values()) <= {"EPERM", "ESRCH"}, told


def test_own_arguments_switch_it_off_unless_it_is_asked_for(escape, everybodys):
    extra = ("--", "-S")
    env = {"landlock": ""}
    assert escape(("read", everybodys), arguments=extra, **env) == {("read", everybodys): "done"}
    assert escape(("read", everybodys), arguments=("--landlock", *extra), **env) == {("read", everybodys): "EACCES"}
