"""SIGKILL at any moment leaves nothing: no link, no process, no socket, no file."""

import os
import random
import signal
import subprocess
import threading

import pytest

import lab as labs
import vm

MOMENTS = int(os.environ.get("VML_KILL_MOMENTS", "30"))  # for each kind of link


def unix_sockets(net):
    """Named and abstract Unix sockets of the namespace."""
    lines = subprocess.run(net.inside("ss", "-Hxl"), capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(line.split()[4] for line in lines)


def arguments(kind):
    where = ("--bridge", "br0") if kind == "bridge" else ("--direct-dev", "up0")
    return ("--ipxe", "--network", kind, *where, "--blank-disk", "--memory", "64M", "--cpus", "1")


def kill_someone(run, chance):
    """vm-launch, or QEMU where there is one already."""
    if chance.random() < 0.5:
        qemu = [pid for pid in vm.processes_with(run.name.encode()) if labs.is_qemu(pid)]
        for pid in qemu:
            labs.kill(pid)
    else:
        run.signal(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bridge", "direct"])
def test_sigkill_at_random_moments_leaves_nothing(lab, boot, kind):
    net = lab(kind)
    before = (net.links(), unix_sockets(net))
    chance = random.Random(kind)
    for turn in range(MOMENTS):
        run = boot(net, *arguments(kind)).start()
        moment = chance.uniform(0, 0.6)
        threading.Event().wait(moment)  # the moment is what is tested
        if chance.random() < 0.3:
            run.signal(signal.SIGTERM)  # a stop that is under way when the kill comes
        kill_someone(run, chance)
        left = run.end()
        assert not left, f"turn {turn}, {moment:.3f} s: {left}"
        labs.wait_until(lambda: (net.links(), unix_sockets(net)) == before, 10,
                      f"turn {turn}, {moment:.3f} s: links and sockets as before; now {net.links()}")
