"""What the tests of the integrations share: places to run them in, and what their pages in docs/ say."""

import importlib.util
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/boot"), str(ROOT / "integrations/pytest")]

import vm  # found by the line above, as is pytest_vm_launch

BINARY = vm.BINARY
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's pytest
DEADLINE = 300

def need_labgrid():
    """Debian 13 does not have it; elsewhere a test without it fails."""
    release = platform.freedesktop_os_release()
    if importlib.util.find_spec("labgrid") is None and (release["ID"], int(release.get("VERSION_ID", "13"))) >= ("debian", 13):
        pytest.skip("Debian 13 has no labgrid", allow_module_level=True)


# A network boot that needs nothing of the host but a ROM, for the fake QEMU, which opens what no QEMU would.
FAKE_BOOT = {"ipxe": True, "accel": "tcg", "bootfile": "http://192.0.2.1/boot.ipxe", "landlock": False}


def environment(path=(), **more):
    """The caller's, without what pytest, CI and vm-launch read; `path` comes first in PATH."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {**kept, "PATH": ":".join([*map(str, path), "/usr/bin:/bin"]), "PYTHONDONTWRITEBYTECODE": "1", **more}


def fake_environment(scenario, **more):
    return environment([ROOT / "tests/fake"], QEMU_FAKE=scenario, **more)


class Place:
    """A folder with the integrations and vm-launch in PATH, where a user's own tests lie. Leaving it looks for what they left."""

    def __init__(self, folder, path=()):
        self.folder = folder
        self.mark = f"place-{os.getpid()}-{folder.name}"
        (folder / "bin").mkdir()
        (folder / "bin/vm-launch").symlink_to(BINARY)
        shutil.copytree(ROOT / "integrations", folder / "integrations", ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = environment([folder / "bin", *path], **{vm.MARK: self.mark, "PYTHONPATH": "integrations/pytest"})

    def write(self, **files):
        """write(pytest_ini="…", test_a_py="…"): the last `_` of a name is its dot."""
        for name, text in files.items():
            (self.folder / ".".join(name.rsplit("_", 1))).write_text(text)
        return self

    def start(self, *words, **more):
        return subprocess.Popen([*map(str, words)], cwd=self.folder, env={**self.environment, **more}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip

    def run(self, *words, **more):
        process = self.start(*words, **more)
        try:
            process.stdout_text = process.communicate(timeout=DEADLINE)[0]
        finally:
            process.kill()
        return process

    def pytest(self, *words, **more):
        """Of the plugin alone, or with labgrid's."""
        return self.run(PYTHON, "-m", "pytest", "-p", "no:cacheprovider", *words, **more)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        left = [pid for pid in self.processes() if not vm.wait_for_end(pid, 30)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert kind or not left, f"left behind: {left}"

    def processes(self):
        return vm.processes_with(self.mark.encode())


class Page:
    """A page of docs/: its blocks of code, each by the name of the file that it is, and the commands that it shows."""

    def __init__(self, name):
        blocks = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", (ROOT / "docs" / name).read_text(), re.MULTILINE | re.DOTALL)
        self.files = {file: text for _, file, text in blocks if file}
        self.commands = [
            "".join(re.findall(r"^\$ (.*\n)", text, re.MULTILINE)) for kind, _, text in blocks if kind == "console"
        ]

    def write(self, folder):
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
