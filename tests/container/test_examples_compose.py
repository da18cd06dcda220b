"""The compose files run as they stand, by docker-compose and podman's Docker-compatible service, until a guest is up; then they are
stopped and taken down."""

import json
import os
import re
import select
import shutil
import socket
import subprocess
import time

import pytest
import yaml

import lab as labs
import vm
from containers import DEADLINE, ROOT, podman, podman_environment

EXAMPLES = ROOT / "examples"
FLAGS = ("--isolation", "chroot", "--network", "host", "--ulimit", "nofile=1024:1024")
STAY = "vml.stay maxcpus=1"  # an emulated machine's second CPU starves on a busy host
NO_KVM = not os.path.exists("/dev/kvm")


@pytest.fixture(scope="module")
def vm_image(image):
    """Under the name that the files have for it, so that nothing is built."""
    podman("tag", image, "localhost/vm-launch:latest")
    return image


@pytest.fixture(scope="module")
def boot_server(image):
    """The image of the examples' boot server; its base is the one that scripts/container has made."""
    subprocess.run(["buildah", "bud", *FLAGS, "-t", "vml-netboot-server", EXAMPLES / "netboot-server"], check=True)
    return "localhost/vml-netboot-server"


def copied(folder, assets):
    """The examples with a guest's files beside the script, as their heads say, and a guest that stays until it is stopped.
    On a host without KVM something else stands in its place; no guest could run by either."""
    shutil.copytree(EXAMPLES, folder / "examples")
    for name in ("vmlinuz", "initrd.gz"):
        shutil.copy(assets / "netboot" / name, folder / "examples/netboot")
    script = folder / "examples/netboot/boot.ipxe"
    script.write_text(script.read_text().replace("console=ttyS0", f"console=ttyS0 no_timer_check {STAY}"))
    for file in (folder / "examples").glob("compose.*.yaml") if NO_KVM else ():
        file.write_text(file.read_text().replace("- /dev/kvm\n", "- /dev/null:/dev/kvm\n"))
    return folder / "examples"


# podman passes over `device_cgroup_rules` that come by its Docker-compatible service (4.3: "DeviceCGroupRule: nil"), which dockerd
# does not. So the rules go to the runtime as they stand in the file, by a hook that edits the container's configuration.
HOOK = """#!/usr/bin/python3
import json, sys
config = json.load(sys.stdin)
for rule in {rules}:
    kind, numbers, access = rule.split()
    assert numbers == "*:*"
    config["linux"]["resources"]["devices"].append({{"allow": True, "type": kind, "access": access}})
json.dump(config, sys.stdout)
"""


def add_device_rules(folder, compose_file):
    """To folder/containers.conf."""
    rules = yaml.safe_load(compose_file.read_text())["services"]["vm"].get("device_cgroup_rules", [])
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "rules").write_text(HOOK.format(rules=rules))
    (hooks / "rules").chmod(0o755)
    hook = {"version": "1.0.0", "hook": {"path": str(hooks / "rules")}, "when": {"always": True}, "stages": ["precreate"]}
    (hooks / "rules.json").write_text(json.dumps(hook))
    with open(folder / "containers.conf", "a") as configuration:
        configuration.write(f"hooks_dir = [{json.dumps(str(hooks))}]\n")


class Compose:
    """`docker-compose up` of one file, on a machine whose network is the namespace. Use as a context."""

    def __init__(self, mode, folder, assets, namespace):
        self.folder = copied(folder, assets)
        self.line = ["docker-compose", "-p", f"vml{os.getpid()}{mode}", "-f", self.folder / f"compose.{mode}.yaml"]
        self.project = self.line[2]
        self.namespace = namespace
        self.socket = folder / "podman.socket"
        self.environment = {**podman_environment(folder), "DOCKER_HOST": f"unix://{self.socket}", "COMPOSE_ANSI": "never"}
        add_device_rules(folder, self.line[-1])
        self.output = folder / "output"

    def __enter__(self):
        there = ["nsenter", f"--net=/run/netns/{self.namespace}"]
        with open(self.folder.parent / "service", "w") as log:
            self.service = subprocess.Popen([*there, "podman", "system", "service", "-t", "0", f"unix://{self.socket}"],
                                            env=self.environment, stdout=log, stderr=log)  # fmt: skip
        self.up = None
        try:
            self.wait(self.answers, "podman's service answers")
            with open(self.output, "w") as output:
                self.up = subprocess.Popen([*self.line, "up", "--no-color"], env=self.environment, stdout=output, stderr=output)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, _kind, error, _trace):
        if error is not None:
            error.args = (f"{error}\n{self.said()[-6000:]}", *error.args[1:])
        self.run("down", "-t", "0", check=False)
        if self.up is not None:
            self.up.wait(DEADLINE)
        self.service.terminate()
        self.service.wait(DEADLINE)

    def answers(self):
        assert self.service.poll() is None, (self.folder.parent / "service").read_text()
        with socket.socket(socket.AF_UNIX) as there:
            return there.connect_ex(str(self.socket)) == 0

    def run(self, *words, check=True):
        return subprocess.run([*self.line, *words], env=self.environment, check=check, capture_output=True, text=True,
                              timeout=DEADLINE)  # fmt: skip

    def said(self):
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def wait(self, condition, what):
        """For what no descriptor tells of."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, what
            select.select([], [], [], 0.1)

    def wait_text(self, words):
        def is_said():
            assert self.up.poll() is None, f"ended before {words!r}"
            return words in self.said()

        self.wait(is_said, words)

    def containers(self):
        """Their names without the project's, with how they ended."""
        names = podman("ps", "-a", "--format", "{{.Names}}", "-f", f"label=com.docker.compose.project={self.project}").stdout.split()
        code = "{{.State.Status}} {{.State.ExitCode}}"
        return {name.removeprefix(f"{self.project}_"): podman("inspect", "-f", code, name).stdout.strip() for name in names}

    def check_stop_and_down(self):
        """By the guest's power button; then nothing is left of containers and networks."""
        restart = podman("inspect", "-f", "{{json .HostConfig.RestartPolicy}}", f"{self.project}_vm_1").stdout
        assert '"on-failure"' in restart and "3" in restart
        self.run("stop")
        assert self.up.wait(DEADLINE) == 0
        assert set(self.containers().values()) == {"exited 0"}
        assert self.said().rindex(vm.GUEST_UP) < self.said().rindex(vm.POWER_BUTTON)
        assert "Building" not in self.said()
        self.run("down")
        assert self.containers() == {}
        assert self.project not in podman("network", "ls", "-q").stdout


@pytest.fixture
def folder():
    """pytest's own folder is for its owner alone, and neither QEMU nor nginx runs as root."""
    with labs.private_folder() as path:
        yield path


def as_before(net, before):
    labs.wait_until(lambda: net.links() == before, DEADLINE, "the links as before")


def test_compose_nat_boots_the_folder_and_is_reached_by_its_port(vm_image, assets, lab, folder):
    """Its network, of the runtime's default kind, is made in the lab's namespace; what answers behind the port is QEMU."""
    net = lab("direct")
    before = net.links()
    with Compose("nat", folder, assets, net.vm) as compose:
        compose.wait_text(vm.GUEST_UP)
        labs.in_namespace(net.vm, lambda: socket.create_connection(("127.0.0.1", 2222), labs.DEADLINE).close())
        compose.check_stop_and_down()
    as_before(net, before)


def test_compose_bridge_boots_from_the_server_beside_it(vm_image, boot_server, assets, lab, folder):
    """The bridge has the server's address, as the file's head says, and nothing else is on it."""
    net = lab("bridge")
    net.ip("addr", "add", f"{labs.SERVER}/24", "dev", "br0")
    labs.run("ip", "-n", net.srv, "addr", "flush", "dev", "srv0")
    before = net.links()
    compose = Compose("bridge", folder, assets, net.vm)
    podman("tag", boot_server, f"localhost/{compose.project}_netboot")
    try:
        with compose:
            compose.wait_text(vm.GUEST_UP)
            assert f"http://{labs.SERVER}/vmlinuz" in compose.said()
            assert re.search(r"netboot_1 .*GET /boot\.ipxe .* 200 ", compose.said())
            compose.check_stop_and_down()
    finally:
        podman("rmi", f"localhost/{compose.project}_netboot", check=False)
    as_before(net, before)


def test_compose_direct_boots_from_the_network_of_its_device(vm_image, assets, lab, folder):
    net = lab("direct").serve(assets / "netboot", labs.http_script(STAY))
    net.ip("link", "set", "up0", "down")
    net.ip("link", "set", "up0", "name", "eth1", "up")
    before = net.links()
    with Compose("direct", folder, assets, net.vm) as compose:
        compose.wait_text(vm.GUEST_UP)
        compose.check_stop_and_down()
    as_before(net, before)
