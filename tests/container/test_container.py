"""The image as its users run it: the lines of the iPXE guide, stopping, exit codes, health, exec."""

import json
import pathlib
import re
import signal
import subprocess
import time

import pexpect
import pytest

import lab as labs
import vm
from containers import DEADLINE, DOCKER_DEFAULTS, IMAGE, ROOT, RUNTIME, Container, podman

SMALL = ("-e", "MEMORY=512", "-e", "CPUS=1")

# The guide's first line, word for word between `docker run` and the image.
GUIDE_BRIDGE = (
    "--rm -it --name vm-netboot --device /dev/kvm:/dev/kvm -e IPXE_ENABLE=1 -e BOOT_ORDER=network,hd "
    "-e NETWORK_MODE=bridge -e NETWORK_BRIDGE=br0"
).split()
# Its second one; $PWD is where the test runs it.
GUIDE_ROM = (
    "--rm -it --name vm-netboot --device /dev/kvm:/dev/kvm -e IPXE_ENABLE=1 -e IPXE_ROM_PATH=/images/ipxe/custom.rom "
    "-v {pwd}/ipxe:/images/ipxe:ro"
).split()


def with_a_kvm(line):
    """On a host without KVM something else stands where the line has it; no guest could run by either."""
    return line if pathlib.Path("/dev/kvm").exists() else [word.replace("/dev/kvm:", "/dev/null:") for word in line]


class Guide:
    """A line of the guide in a terminal, as `-it` asks for. The container's name is the guide's own."""

    def __init__(self, line, *more):
        podman("rm", "-f", "-t", "0", "vm-netboot", check=False)
        words = ["run", *RUNTIME, *DOCKER_DEFAULTS, *with_a_kvm(line), *more, IMAGE]
        self.terminal = pexpect.spawn("podman", words, timeout=DEADLINE, encoding="utf-8", codec_errors="replace")
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman("rm", "-f", "-t", "0", "vm-netboot", check=False)
        self.terminal.close(force=True)

    def wait_for(self, pattern):
        self.terminal.expect(pattern)
        self.seen += self.terminal.before + self.terminal.after

    def end(self):
        self.terminal.expect(pexpect.EOF)
        self.seen += self.terminal.before
        self.terminal.close()
        return self.terminal.exitstatus


# -- the image


def test_the_image_holds_what_a_run_needs_and_nothing_of_the_build(image):
    config = json.loads(podman("image", "inspect", image).stdout)[0]
    assert config["Config"]["Entrypoint"] == ["vm-launch"]
    assert config["Healthcheck"]["Test"] == ["CMD", "vm-launch", "health"]
    assert config["Labels"]["org.opencontainers.image.title"] == "vm-launch"
    script = """
        set -e
        ls /usr/bin/qemu-system-x86_64 /usr/bin/qemu-system-aarch64 /usr/bin/qemu-img /usr/bin/swtpm
        ls /usr/lib/ipxe/qemu/pxe-virtio.rom /usr/lib/ipxe/qemu/efi-virtio.rom
        id -u qemu
        ! command -v g++ && ! command -v cmake && ! command -v python3 && ! ls /src /var/lib/apt/lists/*
    """
    inside = podman("run", "--rm", *RUNTIME, "--network", "none", "--entrypoint", "sh", image, "-c", script, check=False)
    assert inside.returncode == 0, inside


IPXE_UEFI = ("-e", "IPXE_ENABLE=1", "-e", "BOOT_MODE=uefi")


def in_the_image(image, *words):
    return podman("run", "--rm", *RUNTIME, "--network", "none", *words[:-1], image, *words[-1].split()).stdout


def test_the_plan_says_what_stands_in_for_the_rom(image):
    """Debian 13's ROMs for UEFI are drivers alone."""
    plan = in_the_image(image, *IPXE_UEFI, "plan")
    assert "/usr/lib/ipxe/ipxe-amd64.efi: the iPXE program stands in for the ROM" in plan
    assert "iPXE's network driver alone" in plan
    assert "iPXE: /usr/lib/ipxe/ipxe-amd64.efi" in in_the_image(image, *IPXE_UEFI, "doctor")


def test_the_images_roms_are_drivers_alone(image):
    models = ("virtio", "e1000", "e1000e", "eepro100", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3")
    files = " ".join(f"/usr/share/qemu/efi-{model}.rom" for model in models)
    described = json.loads(in_the_image(image, f"rom --format json {files}"))
    roles = {where["role"] for rom in described for where in rom["runs_on"] if where["firmware"] == "uefi" and where["runs"]}
    assert (len(described), roles) == (len(models), {"driver"})
    assert in_the_image(image, f"rom {files}").count("iPXE's network driver alone") == len(models)


@pytest.mark.slow
def test_the_unit_tests_pass_on_debian_13(image):
    subprocess.run([ROOT / "scripts/container", "test"], check=True)


# -- the guide


def test_the_guides_bridge_line_says_which_flags_it_lacks(image, lab):
    """As written, a container may neither make a tap nor open /dev/net/tun."""
    net = lab("bridge")
    with Guide(GUIDE_BRIDGE, "--network", f"ns:/run/netns/{net.vm}") as guide:
        assert guide.end() == 3
        assert "--cap-add NET_ADMIN" in guide.seen
        assert "--device /dev/net/tun" in guide.seen


def test_the_guides_bridge_line_boots(image, assets, lab):
    """With what it was told it lacks: the VM gets address, script and kernel from the network's own servers."""
    net = lab("bridge").serve(assets / "netboot", labs.http_script())
    rights = ("--cap-add", "NET_ADMIN", "--device", "/dev/net/tun", "--network", f"ns:/run/netns/{net.vm}", *SMALL)
    before = net.links()
    with Guide(GUIDE_BRIDGE, *rights) as guide:
        guide.wait_for("boot order: net0")
        guide.wait_for(vm.SCRIPT_RAN)
        guide.wait_for(vm.GUEST_UP)
        assert guide.end() == 0
    assert ("/vmlinuz", 200) in net.requests()
    labs.wait_until(lambda: net.links() == before, 20, "the links as before")


def test_the_guides_line_with_a_rom_of_ones_own_runs_it(image, tmp_path):
    rom = tmp_path / "ipxe"
    rom.mkdir()
    copy = podman("run", "--rm", *RUNTIME, "--network", "none", "--entrypoint", "base64", image,
                  "/usr/lib/ipxe/qemu/pxe-virtio.rom").stdout
    subprocess.run(["base64", "-d"], input=copy.encode(), stdout=open(rom / "custom.rom", "wb"), check=True)
    line = [word.format(pwd=tmp_path) for word in GUIDE_ROM]
    with Guide(line, "--network", "none", *SMALL) as guide:
        guide.wait_for("option ROM: iPXE")
        plan = podman("exec", "vm-netboot", "vm-launch", "status", "--format", "json").stdout
        assert json.loads(plan)[0]["nics"][0]["rom"] == "/images/ipxe/custom.rom"
        podman("stop", "vm-netboot")
        assert guide.end() == 0


@pytest.mark.parametrize("rom", ["/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom"])
def test_both_places_of_the_bundled_rom_resolve(image, rom):
    result = podman("run", "--rm", *RUNTIME, "--network", "none", "-e", "IPXE_ENABLE=1", "-e", f"IPXE_ROM_PATH={rom}", image, "plan")
    assert f"{rom}: " in result.stdout


def test_the_guides_other_architecture_needs_a_rom_and_says_so(image):
    """`efi-virtio.rom`, which the guide names for aarch64, holds no AArch64 image."""
    arm = ("-e", "ARCH=aarch64", "-e", "IPXE_ENABLE=1", "-e", "IPXE_ROM_PATH=/usr/lib/ipxe/qemu/efi-virtio.rom")
    result = podman("run", "--rm", *RUNTIME, "--network", "none", *arm, image, "plan", check=False)
    assert result.returncode == 3
    assert "aarch64" in result.stderr.lower()


def test_direct_mode(image, assets, lab):
    net = lab("direct").serve(assets / "netboot", labs.http_script())
    network = ("--network", f"ns:/run/netns/{net.vm}")
    words = ("-e", "IPXE_ENABLE=1", "-e", "NETWORK_MODE=direct", "-e", "NETWORK_DIRECT_DEV=up0", *SMALL)
    rights = ("--cap-add", "NET_ADMIN", "--device-cgroup-rule", "c *:* rwm")
    before = net.links()
    with Container(*words, *rights, network=network) as container:
        container.wait_text(vm.GUEST_UP)
        assert container.wait() == 0
    labs.wait_until(lambda: net.links() == before, 20, "the links as before")


# -- a VM in a container, talked to


def test_a_vm_is_pid_1_healthy_reachable_and_stopped_within_dockers_ten_seconds(image, netboot):
    folder = netboot("vml.stay", agent=True)
    with Container("-e", "IPXE_ENABLE=1", "-e", "NETBOOT_DIR=/netboot", "-e", "HEALTH_STAGE=os", "-e", "GRAPHICS=vnc", *SMALL,
                   "-v", f"{folder}:/netboot:ro") as container:
        container.wait_text("option ROM: iPXE")
        assert podman("healthcheck", "run", container.name, check=False).returncode == 1  # HEALTH_STAGE is not reached
        container.wait_text("VM-LAUNCH-GUEST-AGENT")
        container.wait_text(vm.GUEST_UP)
        check_what_runs(container)
        check_exec(container)
        check_orphans(container)
        assert podman("healthcheck", "run", container.name, check=False).returncode == 0
        container.exec("vm-launch", "screenshot", "/tmp/screen.png", check=True)
        began = time.monotonic()
        podman("stop", container.name)
        assert container.wait() == 0
        assert time.monotonic() - began < 10
        assert vm.POWER_BUTTON in container.text


def check_what_runs(container):
    status = container.status()
    assert (status["pid"], status["phase"], status["stage"] in ("os", "agent")) == (1, "running", True)
    assert status["qemu"]["uid"] in range(61184, 65520)  # no other VM's
    assert (status["qemu"]["capabilities"], status["qemu"]["no_new_privs"]) == ("0" * 16, True)
    # PID 1 is the VM's user too by now.
    assert (status["launcher"]["capabilities"], status["launcher"]["uid"]) == ("0" * 16, status["qemu"]["uid"])


def check_exec(container):
    """The agent's port is open a moment after the agent was started."""
    end = time.monotonic() + DEADLINE
    while (result := container.exec("vm-launch", "exec", "--", "uname", "-s")).returncode == 125:
        assert time.monotonic() < end, result
    assert (result.returncode, result.stdout) == (0, "Linux\n")
    assert container.exec("vm-launch", "exec", "--", "sh", "-c", "exit 7").returncode == 7


def check_orphans(container):
    """What a command of `docker exec` leaves behind becomes PID 1's, and is reaped."""
    container.exec("sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.1; exit $i) & done", check=True)
    zombies = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z 1 ' || true"
    end = time.monotonic() + DEADLINE
    while container.exec("sh", "-c", "pgrep -x sleep || " + zombies, check=False).stdout.strip() != "0":
        assert time.monotonic() < end


# -- exit codes, which restart policies go by


def test_a_vm_that_powered_off_is_0(image, netboot):
    with Container("-e", "IPXE_ENABLE=1", "-e", "NETBOOT_DIR=/netboot", *SMALL, "-v", f"{netboot()}:/netboot:ro") as container:
        assert container.wait() == 0
        assert "the guest powered off" in container.text
        # Two pipes, which the runtime joins: no line stands in the middle of another.
        assert re.search(f"^{vm.SCRIPT_RAN}$", container.text, re.MULTILINE)
        assert re.search(f"^{vm.GUEST_UP} kernel=.* queues=\\d+$", container.text, re.MULTILINE)


BRIDGE = ("-e", "NETWORK_MODE=bridge", "-e", "NETWORK_BRIDGE=br0", "--device", "/dev/net/tun")


@pytest.mark.parametrize(
    ("words", "capabilities"),
    [((), "CHOWN,SETGID,SETUID"), (BRIDGE, "CHOWN,NET_ADMIN,NET_RAW,SETGID,SETUID")],
    ids=["nat", "bridge"],
)
def test_the_capabilities_that_the_manifest_gives_are_enough(image, lab, words, capabilities):
    network = ("--network", f"ns:/run/netns/{lab('bridge').vm}")
    only = ("--cap-drop", "ALL", "--cap-add", capabilities, "--security-opt", "no-new-privileges")
    with Container("-e", "IPXE_ENABLE=1", *SMALL, *words, *only, network=network, defaults=()) as container:
        container.wait_text("machine: QEMU built")

        def nobody_has_any():  # the process that keeps root's files gives up its own in its own time
            status = container.status()
            return {(status[which] or {}).get("capabilities") for which in ("qemu", "launcher", "files")} == {"0" * 16}

        labs.wait_until(nobody_has_any, DEADLINE, "no process has a capability")
        podman("stop", container.name)
        assert container.wait() == 0


def test_a_vm_that_crashed_is_not(image):
    with Container("-e", "IPXE_ENABLE=1", *SMALL) as container:
        container.wait_text("machine: QEMU built")
        qemu = container.status()["qemu_pid"]
        container.exec("sh", "-c", f"kill -SEGV {qemu}", check=True)
        assert container.wait() == 4
        assert "killed by SIGSEGV" in container.text


def test_a_stop_before_an_operating_system_runs_is_clean_and_quick(image):
    with Container("-e", "IPXE_ENABLE=1", *SMALL) as container:
        container.wait_text("machine: QEMU built")
        began = time.monotonic()
        podman("stop", container.name)
        assert container.wait() == 0
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("-e", "BOOT_ORDER=floppy"), 2, "expected network, hd or cdrom"),
        (("-e", "IPXE_ENABLE=1", "-e", "NETWORK_MODE=bridge", "-e", "NETWORK_BRIDGE=br0"), 3, "br0"),
        (("-e", "IPXE_ENABLE=1", "-e", "REQUIRE_KVM=1"), 3, "--device /dev/kvm"),
        (("-e", "IPXE_ENABEL=1"), 2, "did you mean IPXE_ENABLE?"),
    ],
)
def test_what_cannot_start_says_why(image, words, code, says):
    with Container(*words) as container:
        assert container.wait() == code
        assert says in container.text


def test_stop_in_the_container_is_a_clean_end(image):
    with Container("-e", "IPXE_ENABLE=1", *SMALL) as container:
        container.wait_text("machine: QEMU built")
        # With PID 1 ends all that runs in the container, and this command may not be quick enough: 137 then.
        assert container.exec("vm-launch", "stop").returncode in (0, 128 + signal.SIGKILL)
        assert container.wait() == 0


def test_a_kill_takes_qemu_along(image):
    with Container("-e", "IPXE_ENABLE=1", *SMALL) as container:
        container.wait_text("machine: QEMU built")
        pids = [int(pid) for pid in podman("top", container.name, "hpid").stdout.split()[1:]]
        assert len(pids) == 3  # QEMU, vm-launch, and what keeps root's files for it
        podman("kill", "--signal", "KILL", container.name)
        assert container.wait() == 128 + signal.SIGKILL
        assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_misspelt_variable_is_warned_of(image):
    with Container("-e", "IPXE_ENABLE=1", "-e", "NETWORK_BRIGDE=br0", command=["plan"]) as container:
        assert container.wait() == 0
        assert "unknown variable $NETWORK_BRIGDE has no effect: did you mean NETWORK_BRIDGE?" in container.text
        assert container.text.count("unknown variable") == 1  # nothing that the runtime sets is taken for a slip
