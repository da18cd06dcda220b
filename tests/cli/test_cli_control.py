"""Talking to a VM that runs: status, stop, reset, console, health, exec, over its control socket; with a fake QEMU."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from launch import BOOT, DEADLINE, Running, command, environment, launch
from test_cli_run import STARTED, Terminal


def name_of_run():
    name_of_run.count += 1
    return f"c{os.getpid()}-{name_of_run.count}"


name_of_run.count = 0


class Vm(Running):
    """A run with a name of its own, once its guest runs."""

    def __init__(self, *arguments, scenario="run", until=STARTED, **options):
        self.name = name_of_run()
        super().__init__(*BOOT, "--name", self.name, *arguments, scenario=scenario, **options)
        self.until = until

    def __enter__(self):
        self.wait_for(self.until)
        return self

    def __exit__(self, kind, *rest):
        """What the test left running is stopped in an orderly way, so that vm-launch reaps QEMU."""
        if kind is None and self.process.poll() is None:
            self.signal(signal.SIGQUIT)
            self.end()
        super().__exit__(kind, *rest)

    def pid(self):
        return self.process.pid

    def address(self):
        return f"\0vm-launch/{os.stat(f'/proc/{self.pid()}/ns/pid').st_ino}/{os.geteuid()}/{self.name}"

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(DEADLINE)
        client.connect(self.address())
        return client

    def ask(self, subcommand, *words, **options):
        return ask(subcommand, self.name, *words, **options)


def ask(*words, **options):
    """A subcommand, which is not the run itself: whatever else runs here is none of its children."""
    result = subprocess.run(
        command(*words), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, **options
    )
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    return result


def control_sockets():
    """(listening or not, name) of every control socket of this network namespace."""
    with open("/proc/net/unix", encoding="ascii") as file:
        return sorted(line.split()[-1] for line in file if "@vm-launch/" in line)


# -- status


def test_status_tells_what_the_vm_is():
    with Vm("--memory", "300M", "--cpus", "3", "--blank-disk", "--disk-size", "1M", scenario="os", until="kernel: Linux") as vm:
        [status] = json.loads(vm.ask("status", "--format", "json").stdout)
        assert status["name"] == vm.name
        assert (status["phase"], status["stage"]) == ("running", "kernel")
        assert status["stage_detail"].startswith("Linux version 6.1.0-fake")
        assert (status["memory_mib"], status["cpus"], status["accelerator"]) == (300, 3, "tcg")
        assert status["pid"] == status["launcher"]["pid"] == vm.pid()
        assert status["qemu_pid"] == status["qemu"]["pid"]
        [nic] = status["nics"]
        assert (nic["id"], nic["model"], nic["mode"], nic["bootindex"]) == ("net0", "virtio", "nat", 1)
        assert nic["rom"].endswith("pxe-virtio.rom")
        assert status["disks"] == [{"id": "disk0", "format": "raw", "size": 1 << 20, "bootindex": 2}]
        text = vm.ask("status").stdout
        for words in (f"{vm.name}: running", "stage      kernel: Linux version", "net0       virtio, ", "QEMU       pid"):
            assert words in text


def test_a_vm_that_is_not_there_is_told_of():
    for subcommand in ("status", "stop", "reset", "health", "console"):
        result = ask(subcommand, "nobody-is-called-so")
        assert result.returncode == 1
        assert "no running VM named nobody-is-called-so" in result.stderr


# -- stop, reset, health


def test_stop_waits_for_the_end_and_tells_it():
    with Vm(scenario="os,acpi", until="kernel: Linux") as vm:
        result = vm.ask("stop")
        assert (result.returncode, result.stdout) == (0, f"{vm.name}: stopped by `vm-launch stop` (exit code 0)\n")
        assert vm.end() == 0
        assert "`vm-launch stop`: pressing the guest's power button" in vm.text["stderr"]


def test_stop_tells_that_force_was_needed():
    with Vm("--stop-timeout=1", scenario="os", until="kernel: Linux") as vm:
        assert f"(exit code {128 + signal.SIGTERM})" in vm.ask("stop").stdout
        assert vm.end() == 128 + signal.SIGTERM


def test_reset_reaches_the_guest():
    with Vm() as vm:
        assert vm.ask("reset").returncode == 0
        vm.wait_for("fake reset", "stdout")


@pytest.mark.parametrize(
    ("scenario", "stage", "code", "words"),
    [
        ("run", None, 0, "healthy (running)"),
        ("run", "os", 1, "its boot has not reached 'os'"),
        ("os", "kernel", 0, "healthy (running)"),
        ("paused-by-disk", None, 1, "a disk cannot be read or written"),
        ("mute", None, 1, "does not answer"),
    ],
)
def test_health(scenario, stage, code, words):
    with Vm(scenario=scenario, until="kernel: Linux" if scenario == "os" else STARTED) as vm:
        if scenario == "paused-by-disk":
            vm.wait_for("a disk could not be written")
        result = vm.ask("health", *(["--health-stage", stage] if stage else []))
        assert (result.returncode, words in result.stdout + result.stderr) == (code, True), result


def test_health_takes_its_stage_from_the_environment_of_the_container():
    with Vm() as vm:
        result = subprocess.run(command("health", vm.name), env=environment(HEALTH_STAGE="os"), timeout=DEADLINE, check=False,
                                capture_output=True)
        assert result.returncode == 1


# -- exec, screenshot


def test_exec_without_an_agent_is_125():
    with Vm() as vm:
        result = vm.ask("exec", "--", "true")
        assert result.returncode == 125
        assert "no guest agent runs in it" in result.stderr


def test_a_screenshot_needs_a_screen(tmp_path):
    with Vm() as vm:
        result = vm.ask("screenshot", tmp_path / "x.png")
        assert result.returncode == 1
        assert "--graphics vnc" in result.stderr
        assert not (tmp_path / "x.png").exists()


# -- console


def receive(client, words):
    text = b""
    while words not in text:
        chunk = client.recv(65536)
        assert chunk, text
        text += chunk
    return text


def test_viewers_see_what_was_and_what_comes_and_one_of_them_writes():
    with Vm(scenario="echo") as vm:
        vm.wait_for("fake firmware", "stdout")
        with vm.connect() as first, vm.connect() as second:
            first.sendall(b'{"command":"console","arguments":{"keyboard":true}}\n')
            assert b'"keyboard":true' in receive(first, b"fake firmware")
            second.sendall(b'{"command":"console","arguments":{"keyboard":true}}\n')
            assert b'"keyboard":false' in receive(second, b"fake firmware")
            second.sendall(b"ignored\n")
            first.sendall(b"hello\n")
            assert b"ignored" not in receive(second, b"you typed hello")
            receive(first, b"you typed hello")
            first.close()
            # Whoever wanted to write next may now; the server may still be about to see the end of the first.
            until = time.monotonic() + DEADLINE
            text = b""
            while b"you typed" not in text:
                assert time.monotonic() < until
                second.sendall(b"mine\n")
                if select.select([second], [], [], 0.05)[0]:
                    text += second.recv(65536)
            assert b"mine" in text


def test_console_in_a_terminal_detaches_and_puts_it_back():
    with Vm(scenario="echo") as vm, Terminal("console", vm.name, scenario="run") as terminal:
        terminal.wait_for("attached to the console; Ctrl-] detaches")
        terminal.wait_for("fake firmware")
        assert terminal.is_raw()
        terminal.type(b"hello\r")
        terminal.wait_for("you typed hello")
        terminal.type(b"\x1d")
        terminal.wait_for("detached")
        assert terminal.end() == 0
        assert terminal.mode() == terminal.before
        assert vm.process.poll() is None


def test_console_ends_with_the_vm():
    with Vm(scenario="echo") as vm, Terminal("console", vm.name, scenario="run") as terminal:
        terminal.wait_for("fake firmware")
        vm.signal(signal.SIGTERM)
        assert vm.end() == 0
        assert terminal.end() == 0
        assert terminal.mode() == terminal.before


def test_a_viewer_that_does_not_read_holds_nothing_up():
    with Vm(scenario="flood") as vm, vm.connect() as client:
        client.sendall(b'{"command":"console","arguments":{}}\n')
        vm.wait_for("0123456789", "stdout")
        assert vm.ask("health").returncode == 0
        vm.signal(signal.SIGTERM)
        assert vm.end() == 0


# -- hostile clients


def test_hostile_clients_change_nothing():
    with Vm() as vm, contextlib.ExitStack() as clients:
        hostile = [clients.enter_context(vm.connect()) for _ in range(8)]
        hostile[0].sendall(b"\0" * 1000 + b"\n")
        hostile[1].sendall(b'{"command":"exec","arguments":{"command":7}}\n' * 100)
        hostile[2].sendall(b'{"command":"screenshot","arguments":{}}\n{"com')
        hostile[3].sendall(b"[" * 60000 + b"\n")
        hostile[4].shutdown(socket.SHUT_RD)
        with contextlib.suppress(OSError):
            hostile[5].sendall(b"x" * (1 << 20))
        for client in hostile[:4]:
            assert b'"error"' in receive(client, b"\n")
        assert vm.ask("health").returncode == 0
        vm.signal(signal.SIGTERM)
        assert vm.end() == 0


def test_too_many_clients_are_told_so():
    with Vm() as vm, contextlib.ExitStack() as clients:
        waiting = [clients.enter_context(vm.connect()) for _ in range(17)]
        assert b"too many clients" in receive(waiting[-1], b"\n")
        waiting[0].close()
        until = time.monotonic() + DEADLINE
        while vm.ask("health").returncode != 0:
            assert time.monotonic() < until


def test_another_user_may_not_command(as_root):
    with Vm() as vm:
        script = (
            "import os, select, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1].replace('@', chr(0)));"
            "s.send(b'{\"command\":\"stop\"}\\n', socket.MSG_NOSIGNAL) if not select.select([s], [], [], 0.5)[0] else 0; print(s.recv(4096).decode())"
        )
        result = subprocess.run(
            ["/usr/bin/python3", "-c", script, vm.address().replace("\0", "@")], capture_output=True, timeout=DEADLINE, check=False
        )
        assert b"you may not command this VM" in result.stdout, result
        assert vm.process.poll() is None


def test_another_pid_namespace_may_not_command(as_root):
    """As root of another container would come that shares the network."""
    with Vm() as vm:
        script = (
            "import select, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1].replace('@', chr(0)));"
            "s.send(b'{\"command\":\"stop\"}\\n', socket.MSG_NOSIGNAL) if not select.select([s], [], [], 0.5)[0] else 0; print(s.recv(4096).decode())"
        )
        inside = Vm.address(vm).replace("\0", "@")
        mine = subprocess.run(["/usr/bin/python3", "-c", script.replace("stop", "status"), inside], capture_output=True,
                              timeout=DEADLINE, check=True)
        assert b'"return"' in mine.stdout
        prefix = ("unshare", "-p", "-f", "--mount-proc")
        inner = name_of_run()
        with Running(*BOOT, "--name", inner, scenario="run", prefix=prefix) as run:
            run.wait_for(STARTED)
            address = next(name for name in control_sockets() if name.endswith("/" + inner))
            # From the parent namespace a process of ours has no PID in there.
            other = subprocess.run(["/usr/bin/python3", "-c", script, address], capture_output=True, timeout=DEADLINE, check=True)
            assert b"another container's" in other.stdout
            assert run.process.poll() is None
            init = int(subprocess.run(["pgrep", "-P", str(run.process.pid)], stdout=subprocess.PIPE, check=True).stdout)
            os.kill(init, signal.SIGQUIT)
            assert run.end() == 0


# -- its end


@pytest.mark.parametrize("scenario", ["poweroff", "panic", "die-running", "killed"])
def test_the_socket_is_gone_with_the_vm(scenario):
    before = control_sockets()
    launch(*BOOT, "--name", name_of_run(), scenario=scenario)
    assert [name for name in control_sockets() if f"/c{os.getpid()}-" in name] == [
        name for name in before if f"/c{os.getpid()}-" in name
    ]


def test_the_socket_is_gone_after_sigkill_and_the_name_free_at_once():
    with Vm() as vm:
        name = vm.name
        assert any(line.endswith("/" + name) for line in control_sockets())
        vm.signal(signal.SIGKILL)
        vm.process.wait(DEADLINE)
        until = time.monotonic() + DEADLINE
        while any(line.endswith("/" + name) for line in control_sockets()):
            assert time.monotonic() < until
        os.waitpid(-1, 0)  # QEMU, which has become ours
        result = launch(*BOOT, "--name", name, scenario="poweroff")
        assert result.returncode == 0
        assert "control socket" not in result.stderr


def test_a_second_vm_of_the_same_name_runs_and_says_what_it_lacks():
    with Vm() as vm:
        result = launch(*BOOT, "--name", vm.name, scenario="poweroff")
        assert result.returncode == 0
        assert f"warning: cannot make the control socket of {vm.name} (Address already in use" in re.sub(": Address", " (Address", result.stderr)


# -- signals that are no stop


def test_sigusr1_tells_where_the_boot_is():
    with Vm(scenario="os,acpi", until="kernel: Linux") as vm:
        vm.signal(signal.SIGUSR1)
        vm.wait_for(r"running for \d+ s; stage: kernel \(Linux version")
        vm.signal(signal.SIGTERM)
        assert vm.end() == 0


def test_sigquit_ends_the_guest_at_once():
    with Vm("--stop-timeout=600", scenario="os", until="kernel: Linux") as vm:
        vm.signal(signal.SIGQUIT)
        assert vm.end() == 128 + signal.SIGQUIT


# -- variables


def test_a_misspelt_variable_is_warned_of():
    result = launch(*BOOT, env=environment(IPXE_ENABEL="1", NETWORK_BRIGDE="br0", NETWORK2_MODEE="nat", HOSTNAME="x"))
    assert result.returncode == 0
    for name, meant in (("IPXE_ENABEL", "IPXE_ENABLE"), ("NETWORK_BRIGDE", "NETWORK_BRIDGE"), ("NETWORK2_MODEE", "NETWORK_MODE")):
        assert f"warning: unknown variable ${name} has no effect: did you mean {meant}?" in result.stderr
    assert result.stderr.count("unknown variable") == 3


# Every variable that Docker-VM-Runner documents, with a value that asks for something.
FOREIGN = dict(DISTRO="debian-12", CATALOG_URL="http://h/", CATALOG_CACHE="/c", CATALOG_OFFLINE="1", DOWNLOAD_RETRIES="5",
               DOWNLOAD_MAX_SIZE="1G", EXTRACT_MAX_SIZE="1G", FORCE_ISO="1", KEEP_ALIVE_AFTER_VM_STOP="1", GUEST_PASSWORD="x",
               NOVNC_PORT="6080", VNC_KEYMAP="de", REDFISH_ENABLE="1", REDFISH_USERNAME="a", REDFISH_PASSWORD="b",
               REDFISH_PORT="8443", REDFISH_SYSTEM_ID="s", IPMI_ENABLE="1", IPMI_USERNAME="a", IPMI_PASSWORD="b",
               IPMI_PORT="623", IPMI_SYSTEM_ID="s", NETWORK_CONTAINER_INTERFACE="eth1", NETWORK_CONTAINER_BRIDGE="b",
               NETWORK_GUEST_IP="10.0.2.9", NETWORK_GUEST_IP6="fd00::9", DISK_IO="io_uring", ALLOCATE="1", IO_THREAD="1",
               GPU="1", USB="1", HYPERV="1", BALLOON="1", RNG="0", DISK2_SIZE="5G", DEVICE="/dev/sdb", DEVICE2="/dev/sdc",
               FILESYSTEM_SOURCE="/x", FILESYSTEM_TARGET="x", FILESYSTEM_DRIVER="9p", FILESYSTEM_ACCESSMODE="mapped",
               FILESYSTEM_READONLY="1", FILESYSTEM2_SOURCE="/y", LIBVIRT_URI="qemu:///system")


def test_every_variable_of_docker_vm_runner_is_answered_and_none_is_a_fault():
    result = launch(*BOOT, env=environment(**FOREIGN))
    assert result.returncode == 0
    for name in FOREIGN:
        assert f"warning: ${name} has no effect here: " in result.stderr, name
    assert result.stderr.count("warning") == len(FOREIGN)


def test_a_variable_of_docker_vm_runner_that_asks_for_nothing_is_no_matter():
    idle = dict(REDFISH_ENABLE="0", IPMI_ENABLE="off", GPU="off", FORCE_ISO="0", RNG="1", HYPERV="0", KEEP_ALIVE_AFTER_VM_STOP="0",
                DISK_IO="native", SHELL="/bin/bash", DISK_TYPE="virtio", TPM="0")
    result = launch(*BOOT, env=environment(**idle))
    assert result.returncode == 0
    assert "warning" not in result.stderr
