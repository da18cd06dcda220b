"""The examples that need a manager run under one, as they stand, until a guest is up: the unit under a real systemd, the manifest
by `podman kube play`."""

import contextlib
import json
import re
import subprocess
import time

import pytest
import yaml

import lab as labs
import vm
from containers import DEADLINE, IMAGE, ROOT, Container, podman, podman_environment

UNIT = ROOT / "examples/vm-launch@.service"
MANIFEST = ROOT / "examples/kubernetes.yaml"


def wait_until(condition, what):
    """For what no descriptor tells of."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)


# -- examples/vm-launch@.service

# What the container gets beyond podman's own: capabilities that the unit is granted, a file system of systemd's own, its control
# groups for writing, and every device, so that the unit's DevicePolicy= is what stands between it and them.
SYSTEMD = (
    "--systemd=false", "--cap-add", "MKNOD,NET_ADMIN,NET_RAW,SYS_ADMIN", "-e", "container=podman",
    "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp",
    "--cgroupns", "private", "--security-opt", "unmask=/sys/fs/cgroup",
    "--device", "/dev/net/tun", "--device-cgroup-rule", "c *:* rwm",
    "-v", f"{UNIT}:/etc/systemd/system/{UNIT.name}:ro",
)  # fmt: skip


@pytest.fixture(scope="module")
def systemd_image(image):
    flags = ("--isolation", "chroot", "--network", "host", "--ulimit", "nofile=1024:1024", "--layers", "--format", "docker")
    folder = ROOT / "tests/container/systemd"
    subprocess.run(["buildah", "bud", *flags, "--build-arg", f"IMAGE={image}", "-t", "vm-launch-systemd", folder], check=True)
    return "localhost/vm-launch-systemd"


class Machine(Container):
    """A machine with systemd, and /etc/vm-launch with one VM's settings, `web`."""

    unit = "vm-launch@web"

    def __init__(self, image, folder, config, *words, **options):
        (folder / "web.json").write_text(config if isinstance(config, str) else json.dumps(config))
        super().__init__(*SYSTEMD, "-v", f"{folder}:/etc/vm-launch:ro", *words, defaults=(), image=image, **options)

    def __enter__(self):
        super().__enter__()
        wait_until(lambda: self.exec("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), "systemd runs")
        return self

    def systemctl(self, *words):
        return self.exec("systemctl", *words, self.unit)

    def start(self, word="start"):
        result = self.systemctl(word)
        assert result.returncode == 0, (result, self.journal())

    def show(self, name):
        return self.systemctl("show", "--value", "-p", name).stdout.strip()

    def journal(self):
        return self.exec("journalctl", "-u", self.unit, "-o", "cat", "--no-pager", check=True).stdout

    def wait_up(self, times=1):
        """Until the guest was up so often."""

        def up():
            assert self.show("ActiveState") in ("active", "activating"), self.journal()
            return self.journal().count(vm.GUEST_UP) == times

        wait_until(up, f"the guest is up, for the {times}. time")

    def stop(self):
        """By the guest's power button; nothing had to be killed."""
        assert self.systemctl("stop").returncode == 0
        assert (self.show("ActiveState"), self.show("Result")) == ("inactive", "success")
        said = self.journal()
        assert said.rindex(vm.GUEST_UP) < said.rindex(vm.POWER_BUTTON)
        assert "Killing process" not in said and "forced" not in said

    def traces(self):
        """What there is of a VM beside its data: processes, sockets, and files of the unit's own. The folder of the sockets is
        all VMs'."""
        processes = "grep -hE '^(qemu|swtpm|vm-launch)' /proc/[0-9]*/comm"
        places = "ls -d /run/vm-launch/* /tmp/*vm-launch* /var/tmp/*vm-launch*; grep -o '@.*vm-launch.*' /proc/net/unix"
        return self.exec("sh", "-c", f"({processes}; {places}) 2>/dev/null").stdout

    def check_traces(self):
        """While a VM runs, so that their absence afterwards tells something."""
        traces = self.traces()
        assert all(word in traces for word in ("qemu-system", "vm-launch\n", "/tmp/systemd-private")), traces


def config_of_the_comment():
    """The settings that the unit's head shows."""
    [line] = re.findall(r"^# +(\{.*\})$", UNIT.read_text(), re.MULTILINE)
    return line


def there(net):
    return ("--network", f"ns:/run/netns/{net.vm}")


def test_the_unit_boots_from_a_bridge_is_stopped_and_starts_again(systemd_image, assets, lab, tmp_path):
    net = lab("bridge").serve(assets / "netboot", labs.http_script("vml.stay"))
    before = net.links()
    with Machine(systemd_image, tmp_path, config_of_the_comment(), network=there(net)) as machine:
        machine.start()
        machine.wait_up()
        assert "warning: 'boot-order'" not in machine.journal()
        status = machine.systemctl("status", "--no-pager").stdout
        assert "active (running)" in status and "qemu-system-x86_64" in status
        status = machine.status()
        assert {status[which]["capabilities"] for which in ("qemu", "launcher", "files")} == {"0" * 16}
        machine.check_traces()
        machine.stop()
        assert machine.traces() == ""
        labs.wait_until(lambda: net.links() == before, DEADLINE, "the links as before")
        machine.start()
        machine.wait_up(2)
        machine.exec("sh", "-c", f"kill -SEGV {machine.status()['qemu_pid']}", check=True)
        wait_until(lambda: machine.show("NRestarts") == "1", "systemd starts a VM again whose QEMU died")
        wait_until(lambda: machine.journal().count("machine: QEMU built") == 3, "and it runs")


def test_the_unit_boots_on_a_macvtap(systemd_image, assets, lab, tmp_path):
    net = lab("direct").serve(assets / "netboot", labs.http_script("vml.stay"))
    before = net.links()
    config = {"ipxe": True, "network": "direct", "direct-dev": "up0"}
    with Machine(systemd_image, tmp_path, config, network=there(net)) as machine:
        machine.start()
        machine.wait_up()
        machine.check_traces()
        machine.stop()
        assert machine.traces() == ""
        labs.wait_until(lambda: net.links() == before, DEADLINE, "the links as before")


def test_the_unit_keeps_disk_variables_and_tpm_in_its_state_directory(systemd_image, netboot, tmp_path):
    """On an isolated segment, whose namespace the unit must let vm-launch make."""
    config = {"ipxe": True, "network": "isolated", "firmware": "uefi", "tpm": True, "blank-disk": True, "disk-size": "64M", "netboot-dir": "/netboot",
              "memory": "512M", "cpus": 1}  # fmt: skip
    kept = "stat -c '%n %i' /var/lib/vm-launch/identity /var/lib/vm-launch/web/*"
    with Machine(systemd_image, tmp_path, config, "-v", f"{netboot('vml.stay')}:/netboot:ro") as machine:
        machine.start()
        machine.wait_up()
        before = machine.exec("sh", "-c", kept, check=True).stdout
        assert all(name in before for name in ("identity", "blank.raw", "nvram.fd", "tpm.state"))
        assert machine.exec("stat", "-c", "%a", "/var/lib/vm-launch").stdout == "700\n"
        machine.start("restart")
        machine.wait_up(2)
        assert vm.POWER_BUTTON in machine.journal()
        assert machine.exec("sh", "-c", kept, check=True).stdout == before
        machine.check_traces()
        machine.stop()
        assert machine.traces() == ""


@pytest.mark.parametrize(("config", "code"), [('{"ipxe": "perhaps"}', "2"), ('{"network": "bridge", "bridge": "br9"}', "3")])
def test_the_unit_does_not_start_again_what_cannot_start(systemd_image, tmp_path, config, code):
    with Machine(systemd_image, tmp_path, config) as machine:
        machine.systemctl("start")
        wait_until(lambda: machine.show("ActiveState") == "failed", "the unit failed")
        assert (machine.show("ExecMainStatus"), machine.show("NRestarts")) == (code, "0")
        assert f"vm-launch: error[{code}]: " in machine.journal()


# -- examples/kubernetes.yaml

# What podman 4.3 does not do of the manifest: it knows no startupProbe and no readinessProbe (the test runs their commands), passes
# over limits of other resources than CPU and memory, and stops after ten seconds whatever terminationGracePeriodSeconds says.


class Pod:
    """One Pod of the manifest, played; what kubelet does with probes is done by the test."""

    def __init__(self, name, folder, namespace=None):
        self.name = name
        self.manifest = next(pod for pod in yaml.safe_load_all(MANIFEST.read_text()) if pod["metadata"]["name"] == name)
        [self.container] = self.manifest["spec"]["containers"]
        self.container["image"] = IMAGE  # the name that the tests build it under
        self.file = folder / "pod.yaml"
        self.file.write_text(yaml.safe_dump(self.manifest))
        devices = ["/dev/net/tun"] if "devices.kubevirt.io/tun" in self.container["resources"]["limits"] else []
        self.environment = podman_environment(folder, devices)
        self.namespace = namespace  # of the node

    def podman(self, *words, check=True):
        prefix = ["nsenter", f"--net=/run/netns/{self.namespace}"] if self.namespace else []
        return subprocess.run([*prefix, "podman", *map(str, words)], check=check, capture_output=True, text=True,
                              timeout=DEADLINE, env=self.environment)  # fmt: skip

    def __enter__(self):
        self.podman("pod", "rm", "-f", "-t", "0", self.name, check=False)
        # A pod without the node's network would get one of podman's own, with a bridge and filter rules on this machine.
        played = self.podman("kube", "play", *([] if self.namespace else ["--network", "none"]), self.file, check=False)
        assert played.returncode == 0, played
        return self

    def __exit__(self, _kind, error, _trace):
        if error is not None:
            error.args = (f"{error}\n{self.log()[-6000:]}", *error.args[1:])
        self.podman("pod", "rm", "-f", "-t", "0", self.name, check=False)

    def log(self):
        result = self.podman("logs", f"{self.name}-vm", check=False)
        return result.stdout + result.stderr

    def inspect(self, what):
        return json.loads(self.podman("inspect", "-f", "{{json ." + what + "}}", f"{self.name}-vm").stdout)

    def wait_probe(self, kind):
        command = self.container[kind]["exec"]["command"]

        def passes():
            assert self.inspect("State.Running"), "ended"
            return self.podman("exec", f"{self.name}-vm", *command, check=False).returncode == 0

        wait_until(passes, f"the {kind} passes")

    def check_up_and_down(self):
        self.wait_probe("startupProbe")
        wait_until(lambda: vm.GUEST_UP in self.log(), "the guest is up")
        assert self.podman("healthcheck", "run", f"{self.name}-vm").returncode == 0  # what podman makes of the livenessProbe
        assert self.inspect("HostConfig.RestartPolicy.Name") == "on-failure"
        self.podman("pod", "stop", "-t", self.manifest["spec"]["terminationGracePeriodSeconds"], self.name)
        said = self.log()
        assert said.rindex(vm.GUEST_UP) < said.rindex(vm.POWER_BUTTON)
        assert (self.inspect("State.Status"), self.inspect("State.ExitCode")) == ("exited", 0)
        self.podman("kube", "down", self.file)
        assert self.podman("pod", "exists", self.name, check=False).returncode == 1


@pytest.fixture
def claim(netboot):
    """The volume that the claim `netboot` is bound to, with the guest's files: kube play finds it by the claim's name."""
    folder = netboot("vml.stay")
    label = "vm-launch-test"
    with contextlib.suppress(subprocess.CalledProcessError):  # of a test that was cut off
        podman("volume", "rm", *podman("volume", "ls", "-q", "-f", f"label={label}").stdout.split())
    podman("volume", "create", "--label", label, "netboot")
    try:
        mounted = podman("volume", "inspect", "-f", "{{.Mountpoint}}", "netboot").stdout.strip()
        for file in folder.iterdir():
            subprocess.run(["cp", file, mounted], check=True)
        yield
    finally:
        podman("volume", "rm", "-f", "netboot", check=False)


def test_the_manifests_nat_pod_boots_what_its_claim_holds(image, claim, tmp_path):
    with Pod("vm-nat", tmp_path) as pod:
        pod.wait_probe("readinessProbe")
        given = {f"CAP_{name}" for name in pod.container["securityContext"]["capabilities"]["add"]}
        assert set(pod.inspect("EffectiveCaps")) == given
        assert pod.inspect("HostConfig.SecurityOpt") == ["no-new-privileges"]
        assert pod.inspect("HostConfig.Memory") == 1536 << 20
        [mount] = pod.inspect("Mounts")
        assert (mount["Destination"], mount["RW"]) == ("/netboot", False)
        pod.check_up_and_down()


@pytest.mark.parametrize("mode", ["bridge", "direct"])
def test_the_manifests_pods_on_the_nodes_network_boot_from_it(image, assets, lab, tmp_path, mode):
    """The node is the lab, whose device on the wire gets the manifest's name for it."""
    net = lab(mode).serve(assets / "netboot", labs.http_script("vml.stay"))
    net.ip("link", "set", "up0", "down")
    net.ip("link", "set", "up0", "name", "eth1", "up")
    before = net.links()
    with Pod(f"vm-{mode}", tmp_path, net.vm) as pod:
        pod.check_up_and_down()
    labs.wait_until(lambda: net.links() == before, DEADLINE, "the links as before")
