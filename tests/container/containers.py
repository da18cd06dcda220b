"""A container runtime without a daemon: the image is built by scripts/container, and run by podman with runc."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/boot"), str(ROOT / "tests/netns")]

# Built by scripts/container, unless another one is named that is there already.
IMAGE = os.environ.get("VML_CONTAINER_IMAGE", "localhost/vm-launch:latest")

# A vm-launch to try in the image's place of its own: build/release/vm-launch runs there, and no image has to be built.
BINARY = os.environ.get("VML_CONTAINER_BINARY")
OTHER_BINARY = ("-v", f"{pathlib.Path(BINARY).resolve()}:/usr/bin/vm-launch:ro") if BINARY else ()

# crun, podman's own choice, refuses some machines' mixed cgroups; the limits are for machines where root may not raise
# its own. None of this changes what is in the container: capabilities, seccomp profile and PID 1 are the real ones.
RUNTIME = ("--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", *OTHER_BINARY)

# The same for podman where another program speaks to it, and no flag can be given: `podman kube play`, and its service.
# A cluster's device plugin gives devices that no manifest names.
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
devices = {devices}
[engine]
runtime = "runc"
"""

# What Docker gives every container beyond podman's own defaults.
DOCKER_DEFAULTS = ("--cap-add", "MKNOD,NET_RAW,AUDIT_WRITE")

DEADLINE = 240  # an emulated boot beside others


def need_root():
    if os.geteuid() != 0:
        pytest.skip("building a container image needs root")


def built_image():
    """The image's name, once it is built."""
    need_root()
    if "VML_CONTAINER_IMAGE" not in os.environ:
        subprocess.run([ROOT / "scripts/container"], check=True)
    return IMAGE


def podman_environment(folder, devices=()):
    """For a podman that takes its flags from its configuration, which is written to the folder."""
    file = folder / "containers.conf"
    file.write_text(CONTAINERS_CONF.format(devices=json.dumps(devices)))
    return {**os.environ, "CONTAINERS_CONF": str(file)}


def podman(*words, check=True, **options):
    return subprocess.run(["podman", *map(str, words)], check=check, capture_output=True, text=True, timeout=DEADLINE, **options)


class Container:
    """`podman run` in the foreground, with what it says. Use as a context: leaving it ends the container."""

    count = 0

    def __init__(self, *words, command=(), network=("--network", "none"), defaults=DOCKER_DEFAULTS, image=IMAGE):
        Container.count += 1
        self.name = f"vml-{os.getpid()}-{Container.count}"
        self.line = ["podman", "run", "--name", self.name, *RUNTIME, *defaults, *network, *map(str, words), image,
                     *map(str, command)]
        self.text = ""
        self.changed = threading.Condition()

    def __enter__(self):
        # conmon leaves a file `oom` in its working folder where a container runs out of memory
        self.process = subprocess.Popen(self.line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        cwd=tempfile.gettempdir())
        self.thread = threading.Thread(target=self._collect)
        self.thread.start()
        return self

    def __exit__(self, kind, error, _trace):
        podman("rm", "-f", "-t", "0", self.name, check=False)
        self.process.wait(DEADLINE)
        self.thread.join()
        if error is not None:
            error.args = (f"{error}\n--- {' '.join(self.line)}\n{self.text[-6000:]}", *error.args[1:])

    def _collect(self):
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            with self.changed:
                self.text += data.decode(errors="replace")
                self.changed.notify_all()
        self.process.stdout.close()
        with self.changed:
            self.changed.notify_all()

    def wait_text(self, words, seconds=DEADLINE):
        end = time.monotonic() + seconds
        with self.changed:
            while words not in self.text:
                assert self.process.stdout and not self.process.stdout.closed, f"ended before {words!r}"
                assert self.changed.wait(max(0, end - time.monotonic())), f"not within {seconds} s: {words!r}"

    def wait(self):
        try:
            code = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {DEADLINE} s") from None
        self.thread.join()
        return code

    def exec(self, *words, check=False):
        return podman("exec", self.name, *words, check=check)

    def status(self):
        [status] = json.loads(self.exec("vm-launch", "status", "--format", "json", check=True).stdout)
        return status
