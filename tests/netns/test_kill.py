"""vm-launch, QEMU or swtpm ends by SIGKILL at a random moment: nothing may stay behind, and what is kept is whole.

The moments are spread over the whole start and the first of the run; VML_KILL_MOMENTS=N makes it N moments of each kind."""

import os
import pathlib
import random
import signal
import subprocess
import threading

import pytest

import lab as labs
import vm

MOMENTS = int(os.environ.get("VML_KILL_MOMENTS", "15"))  # for each kind

LINKS = {
    "nat": ("--network", "nat"),
    "bridge": ("--network", "bridge", "--bridge", "br0"),
    "direct": ("--network", "direct", "--direct-dev", "up0"),
    "secure": ("--network", "nat", "--firmware", "secure"),
}
KEPT = {"blank.raw", "nvram.fd", "nvram.json", "tpm.state"}
SOCKETS = pathlib.Path("/run/vm-launch")


def unix_sockets(net):
    """Named and abstract Unix sockets of the namespace."""
    lines = subprocess.run(net.inside("ss", "-Hxl"), capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(line.split()[4] for line in lines if "vm-launch" not in line.split()[4])


def locks_and_sockets(name):
    """What a VM of this name has beside its files: socket and locks; of others that run meanwhile only what is theirs."""
    return {path.name for path in SOCKETS.glob(f"{name}.*")} if SOCKETS.is_dir() else set()


def processes_of(run, wanted):
    return [pid for pid in vm.processes_with(run.name.encode()) if wanted(pid)]


def kill_someone(run, chance):
    """vm-launch; or QEMU or swtpm where there is one already."""
    victims = [labs.is_qemu, lambda pid: vm.name_of(pid) == "swtpm"]
    if chance.random() < 0.5:
        run.signal(signal.SIGKILL)
        return
    for pid in processes_of(run, chance.choice(victims)):
        labs.kill(pid)


class Killed:
    """Runs of one VM with a data folder, each of which is killed."""

    def __init__(self, net, boot, kind, data):
        self.net, self.boot, self.kind, self.data = net, boot, kind, data
        self.name = f"kill-{kind}-{os.getpid()}"
        self.arguments = ("--name", self.name, "--ipxe", *LINKS[kind], "--blank-disk", "--disk-size", "8M", "--data-dir", data,
                          "--memory", "64M", "--cpus", "1")

    def run(self):
        return self.boot(self.net, *self.arguments)

    def state(self):
        return self.data / self.name

    def begin_and_kill(self, moment, chance):
        run = self.run().start()
        threading.Event().wait(moment)  # the moment is what is tested
        if chance.random() < 0.3:
            run.signal(signal.SIGTERM)  # a stop that is under way when the kill comes
        kill_someone(run, chance)
        return run.end()

    def refusal(self):
        """What a start would say of what is kept."""
        plan = subprocess.run(self.net.inside(vm.BINARY, "plan", *self.arguments), capture_output=True, text=True, check=False)
        return plan.stderr if plan.returncode else ""

    def must_be_whole(self):
        """The next start takes what is kept for good, boots, and leaves nothing of the killed ones when it ends."""
        with self.run() as run:
            run.wait_text(vm.FIRMWARE_TEXT)
            run.stop()
            assert "error" not in run.text("own")
        assert {path.name for path in self.state().iterdir()} <= KEPT
        assert locks_and_sockets(self.name) == set()


@pytest.fixture
def data():
    with labs.private_folder() as folder:
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", LINKS)
def test_sigkill_at_random_moments_leaves_nothing(lab, boot, data, kind):
    net = lab("direct" if kind == "direct" else "bridge")
    killed = Killed(net, boot, kind, data)
    killed.must_be_whole()
    before = (net.links(), unix_sockets(net))
    chance = random.Random(kind)
    for turn in range(MOMENTS):
        moment = chance.uniform(0, 0.8)
        what = f"turn {turn}, {moment:.3f} s"
        left = killed.begin_and_kill(moment, chance)
        assert not left, f"{what}: {left}"
        labs.wait_until(lambda: (net.links(), unix_sockets(net)) == before, 10, f"{what}: links and sockets as before")
        assert {path.name.removesuffix(".new") for path in killed.state().iterdir()} <= KEPT, what
        assert killed.refusal() == "", what
    killed.must_be_whole()
