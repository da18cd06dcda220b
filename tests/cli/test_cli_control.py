"""Talking to a VM that runs: status, stop, reset, console, health, exec, over its control socket; with a fake QEMU."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

from launch import BINARY, BOOT, DEADLINE, Running, command, environment, launch, processes_of
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
        return str(FOLDER / f"{self.name}.sock")

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


# Where they are: tests are root's.
FOLDER = pathlib.Path("/run/vm-launch")


def files_of(name):
    """What lies in the folder for a VM."""
    return sorted(path.name for path in FOLDER.glob(f"{name}.*"))


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


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_consoles_own_lines_are_coloured_on_a_terminal(no_colour):
    prefix = "vm-launch: " if no_colour else "\x1b[2mvm-launch: \x1b[22m"
    with Vm(scenario="echo") as vm, Terminal("console", vm.name, scenario="run", TERM="xterm", NO_COLOR=no_colour) as terminal:
        terminal.wait_for(prefix + "attached to the console; Ctrl-] detaches")
        terminal.type(b"\x1d")
        terminal.wait_for(prefix + "detached from the console")
        assert terminal.end() == 0


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


def memory_of(pid):
    """In MiB: (now, at most until now)."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    sizes = dict(line.split(":", 1) for line in text.splitlines())
    return tuple(int(sizes[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


def test_viewers_that_do_not_read_take_no_memory():
    """The other one sees the console all the while: it is by what it reads that the test knows that enough was written."""
    flood = 4 << 20
    with Vm(scenario="flood", stdout=subprocess.DEVNULL) as vm, contextlib.ExitStack() as clients:
        if memory_of(vm.pid())[0] > 14:
            pytest.skip("a build that checks its memory takes more")
        for _ in range(15):
            client = clients.enter_context(vm.connect())
            client.sendall(b'{"command":"console","arguments":{}}\n')
            receive(client, b'"stream":true')
        with vm.connect() as reader:
            reader.sendall(b'{"command":"console","arguments":{}}\n')
            seen = 0
            while seen < flood:
                chunk = reader.recv(1 << 20)
                assert chunk
                seen += len(chunk)
        assert memory_of(vm.pid())[1] <= 16


def test_a_client_that_takes_no_answers_takes_no_memory():
    with Vm() as vm, contextlib.ExitStack() as clients:
        if memory_of(vm.pid())[0] > 14:
            pytest.skip("a build that checks its memory takes more")
        for _ in range(15):
            client = clients.enter_context(vm.connect())
            client.setblocking(False)
            sent = 0
            with contextlib.suppress(OSError):  # nobody takes any more
                while sent < 4 << 20:
                    if select.select([], [client], [], 0.5)[1]:
                        sent += client.send(b'{"command":"status"}\n' * 1000)
                    else:
                        break
        assert vm.ask("health").returncode == 0
        assert memory_of(vm.pid())[1] <= 16


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


# -- hostile VMs

# As another user: a folder, a lock that is held, and a socket on which every question has this answer.
FAKE_VM = r"""
import ctypes, fcntl, os, signal, socket, struct, sys
user, name, answer = int(sys.argv[1]), sys.argv[2], os.fsencode(sys.argv[3])
os.setgid(user); os.setuid(user)
child = os.fork()
if child == 0:  # what may look like its QEMU
    ctypes.CDLL(None).prctl(1, 9)  # it goes with its parent, and that with the test
    signal.pause()
ctypes.CDLL(None).prctl(1, 9)
folder = f"/tmp/vm-launch-{user}"
os.makedirs(folder, 0o700, exist_ok=True)
lock = os.open(f"{folder}/{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
server = socket.socket(socket.AF_UNIX)
server.bind(f"{folder}/{name}.sock")
server.listen()
print(child, flush=True)
clients = []
while True:
    clients.append(server.accept()[0])
    clients[-1].recv(4096)
    clients[-1].sendall(answer + b"\n")
"""


@contextlib.contextmanager
def fake_vm(answer, name="fake", arguments=()):
    """Of a user of its own, whose number no other test has; `arguments` are what the process seems to be."""
    user = 1_000_000 + os.getpid()
    process = subprocess.Popen(["/usr/bin/python3", "-c", FAKE_VM, str(user), name, answer, *arguments], stdout=subprocess.PIPE)
    try:
        child = int(process.stdout.readline())
        yield user
    finally:
        process.kill()
        process.wait()
        os.waitpid(child, 0)  # which has become ours
        process.stdout.close()
        shutil.rmtree(f"/tmp/vm-launch-{user}")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"return":{"qemu_pid":"x"}}', '"qemu_pid" is not a whole number'),
        ('{"return":{"cpus":"4","memory_mib":[]}}', '"cpus" is not a whole number'),
        ('{"return":{"nics":7}}', '"nics" is not a short list of objects'),
        ('{"return":{"disks":[{"size":-1}]}}', '"size" is not a whole number'),
        ('{"return":[]}', "it is not an object"),
        ("\udcff\udcfe", "it is no answer of vm-launch's control socket"),
        ('{"return":' + "[" * 50000, "it is no answer of vm-launch's control socket"),
        (r'{"error":{"what":"\u001b]0;x\u0007","exit_code":0}}', r"\x1b]0;x\x07"),
    ],
    ids=["pid", "numbers", "nics", "disks", "list", "bytes", "depth", "escapes"],
)
def test_another_users_vm_that_makes_no_sense_is_one_line(as_root, answer, words):
    with Vm() as vm, fake_vm(answer) as user:
        for form in ("json", "text"):
            result = ask("status", "--format", form)
            assert result.returncode == 0, result
            [line] = [line for line in result.stderr.splitlines() if "fake" in line]
            assert line.startswith(f"vm-launch: warning: fake of user {user}: ")
            assert words in line
            assert "\x1b" not in result.stdout + result.stderr
            if form == "json":
                [told] = [each for each in json.loads(result.stdout) if each["name"] == vm.name]
                assert told["phase"] == "running"
        refused = ask("health", "fake")
        assert refused.returncode == 1
        assert "\x1b" not in refused.stderr


def test_another_users_vm_does_not_speak_for_a_real_one(as_root):
    with Vm() as vm:
        [real] = json.loads(vm.ask("status", "--format", "json").stdout)
        lie = {"qemu_pid": real["qemu_pid"], "pid": real["pid"], "name": vm.name, "stage": "os", "stage_detail": "\x1b[2Jlie"}
        with fake_vm(json.dumps({"return": lie}), name=vm.name):
            [told] = json.loads(vm.ask("status", "--format", "json").stdout)
            assert (told["stage_detail"], told["phase"]) == (real["stage_detail"], "running")
            assert "lie" not in vm.ask("status").stdout
            # Named or not, one's own comes first.
            assert vm.ask("stop").returncode == 0
            assert vm.end() == 0


def test_a_vm_that_tells_nothing_ends_no_list(as_root):
    """Its process looks like a QEMU, so that what it tells is shown."""
    seems = ("-chardev", "x", "chardev=qmp,mode=control", "-name", "guest=nothing")
    nothing = dict.fromkeys(("cpus", "memory_mib", "nics", "disks", "vnc", "stage", "phase", "machine"))
    for told in (nothing, {"disks": [{"size": None, "id": None}], "nics": [{"id": None}], "vnc": {"port": None}}):
        with Vm() as vm, fake_vm(json.dumps({"return": told}), arguments=seems):
            for form in ("json", "text"):
                result = ask("status", "--format", form)
                assert result.returncode == 0, result
                assert vm.name in result.stdout and "nothing" in result.stdout


def test_a_process_whose_arguments_are_no_text_does_not_break_the_list(as_root):
    seems = ("-chardev", "x", "chardev=qmp,mode=control", "-name", b"guest=\xff\x1b[2J")
    with Vm() as vm, fake_vm('{"return":{"stage_detail":"\\u001b[2J\\u009b2J"}}', arguments=seems):
        result = ask("status", "--format", "json")
        assert result.returncode == 0, result
        names = [each["name"] for each in json.loads(result.stdout)]
        assert vm.name in names
        assert r"\xff\x1b[2J" in names
        text = ask("status").stdout
        assert "\x1b" not in text
        assert r"\xff\x1b[2J: " in text


def test_too_many_clients_are_told_so():
    with Vm() as vm, contextlib.ExitStack() as clients:
        waiting = [clients.enter_context(vm.connect()) for _ in range(17)]
        assert b"too many clients" in receive(waiting[-1], b"\n")
        waiting[0].close()
        until = time.monotonic() + DEADLINE
        while vm.ask("health").returncode != 0:
            assert time.monotonic() < until


def test_another_user_does_not_reach_it(as_root):
    with Vm() as vm:
        script = "import os, socket, sys; os.setuid(65534); socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        result = subprocess.run(["/usr/bin/python3", "-c", script, vm.address()], stderr=subprocess.PIPE, timeout=DEADLINE, check=False)
        assert b"PermissionError" in result.stderr, result


def test_another_user_cannot_be_there_first(as_root):
    """What he could take is nothing that a VM or its client looks at."""
    name = name_of_run()
    inode = os.stat("/proc/self/ns/pid").st_ino
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(f"\0vm-launch/{inode}/0/{name}")
        taken.listen()
        with Running(*BOOT, "--name", name, scenario="run") as run:
            run.wait_for(STARTED)
            assert "control socket" not in run.text["stderr"]
            assert ask("health", name).returncode == 0
            assert ask("stop", name).returncode == 0
            run.end()


def test_another_mount_namespace_does_not_reach_it(as_root):
    """As a container is that shares the network, or more: with a /run of its own there is nothing to reach."""
    with Vm() as vm:
        inside = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh")
        result = subprocess.run([*inside, *command("stop", vm.name)], env=environment(), capture_output=True, timeout=DEADLINE, check=False)
        assert result.returncode == 1
        assert b"no running VM named" in result.stderr
        assert vm.process.poll() is None


def test_another_pid_namespace_may_not_command(as_root):
    """As root of another container would come that shares the network."""
    with Vm() as vm:
        script = (
            "import select, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
            "s.send(b'{\"command\":\"stop\"}\\n', socket.MSG_NOSIGNAL) if not select.select([s], [], [], 0.5)[0] else 0; print(s.recv(4096).decode())"
        )
        mine = subprocess.run(["/usr/bin/python3", "-c", script.replace("stop", "status"), vm.address()], capture_output=True,
                              timeout=DEADLINE, check=True)
        assert b'"return"' in mine.stdout
        prefix = ("unshare", "-p", "-f", "--mount-proc")
        inner = name_of_run()
        with Running(*BOOT, "--name", inner, scenario="run", prefix=prefix) as run:
            run.wait_for(STARTED)
            address = str(FOLDER / f"{inner}.sock")
            # From the parent namespace a process of ours has no PID in there.
            other = subprocess.run(["/usr/bin/python3", "-c", script, address], capture_output=True, timeout=DEADLINE, check=True)
            assert b"another container's" in other.stdout
            assert run.process.poll() is None
            init = int(subprocess.run(["pgrep", "-P", str(run.process.pid)], stdout=subprocess.PIPE, check=True).stdout)
            os.kill(init, signal.SIGQUIT)
            assert run.end() == 0


def test_a_proc_that_hides_others_keeps_nobody_out(as_root):
    """vm-launch has no right left to look at processes of others."""
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh")
    with Vm(prefix=hidden) as vm:
        assert vm.ask("health").returncode == 0
        assert vm.ask("stop").returncode == 0
        assert vm.end() == 0


def test_a_vm_is_found_among_many_that_were_killed(as_root):
    with Vm() as vm:
        left = [FOLDER / f"{vm.name}-{number}.lock" for number in range(1200)]
        try:
            for file in left:
                file.touch(0o600)
            assert vm.ask("health").returncode == 0
            told = json.loads(ask("status", "--format", "json").stdout)
            assert [each["phase"] for each in told if each["name"] == vm.name] == ["running"]
        finally:
            for file in left:
                file.unlink(missing_ok=True)


def test_who_cleans_up_old_files_sees_that_the_folder_is_in_use(as_root):
    with Vm():
        folder = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(folder)


def test_a_pid_namespace_within_ours_may_not_command(as_root):
    """As root of a container would come that was given the host's /run: it has a PID here."""
    with Vm() as vm:
        prefix = ("unshare", "-p", "-f", "--mount-proc")
        for verb in ("stop", "reset", "health"):
            result = subprocess.run([*prefix, *command(verb, vm.name)], env=environment(), capture_output=True, timeout=DEADLINE, check=False)
            assert result.returncode != 0
            assert b"another container's" in result.stderr, result
        assert vm.ask("health").returncode == 0


# -- the user of each VM


def uid_of(vm):
    [status] = json.loads(vm.ask("status", "--format", "json").stdout)
    return status["qemu_pid"], status["qemu"]["uid"]


def as_user(uid, script, *words):
    return subprocess.run(["/usr/bin/python3", "-c", f"import os; os.setgid({uid}); os.setuid({uid})\n{script}", *map(str, words)],
                          capture_output=True, timeout=DEADLINE, check=False)


def test_every_vm_has_a_user_of_its_own_that_can_do_nothing_to_another(as_root):
    with Vm() as one, Vm() as two:
        (pid, uid), (_, other) = uid_of(one), uid_of(two)
        assert uid != other
        assert {uid, other} < set(range(61184, 65520))
        assert f"{uid}.uid" in os.listdir(FOLDER)
        for script in ("os.kill(int(sys.argv[1]), 0)", "open(f'/proc/{sys.argv[1]}/environ')", "open(f'/proc/{sys.argv[1]}/mem')"):
            refused = as_user(other, f"import sys; {script}", pid)
            assert b"PermissionError" in refused.stderr, refused
        assert as_user(uid, "import sys; os.kill(int(sys.argv[1]), 0)", pid).returncode == 0
    assert not list(FOLDER.glob(f"{uid}.uid"))


FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"


def test_another_vm_is_not_served_the_folder_of_this_one(as_root, tmp_path):
    """A guest reaches the loopback of the host by 10.0.2.2, with the user of its QEMU."""
    script = tmp_path / "boot.ipxe"
    script.write_text("#!ipxe\nshell\n")
    script.chmod(0o600)
    name = name_of_run()
    with Vm() as other, Running("--ipxe", "--accel", "tcg", "--name", name, "--netboot-dir", str(tmp_path), scenario="run") as served:
        served.wait_for(STARTED)
        [status] = json.loads(ask("status", name, "--format", "json").stdout)
        pid, uid = status["qemu_pid"], status["qemu"]["uid"]
        _, stranger = uid_of(other)
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
        port = re.search(r"http://10\.0\.2\.2:(\d+)/", words)[1]
        url = f"http://127.0.0.1:{port}/boot.ipxe"
        assert b"#!ipxe" in as_user(uid, FETCH, url).stdout
        refused = as_user(stranger, FETCH, url)
        assert refused.returncode != 0
        assert b"#!ipxe" not in refused.stdout
        served.signal(signal.SIGQUIT)
        served.end()


# -- its end


@pytest.mark.parametrize("scenario", ["poweroff", "panic", "die-running", "killed"])
def test_the_socket_is_gone_with_the_vm(scenario):
    name = name_of_run()
    launch(*BOOT, "--name", name, scenario=scenario)
    assert files_of(name) == []


def test_what_sigkill_leaves_is_no_vm_and_taken_over():
    with Vm() as vm:
        name = vm.name
        assert files_of(name) == [f"{name}.lock", f"{name}.sock"]
        qemu, keeper = processes_of(vm.pid())
        os.kill(keeper, signal.SIGKILL)  # it would take them away
        vm.signal(signal.SIGKILL)
        vm.process.wait(DEADLINE)
        os.waitpid(qemu, 0)  # QEMU, which has become ours
        assert files_of(name) == [f"{name}.lock", f"{name}.sock"]
        assert "no running VM named" in ask("stop", name).stderr
        result = launch(*BOOT, "--name", name, scenario="poweroff")
        assert result.returncode == 0
        assert "control socket" not in result.stderr
        assert files_of(name) == []


READ_ONLY = 'mount -t tmpfs none /run && mount -o remount,ro /run && mount -t tmpfs -o ro none /tmp && exec "$@"'


def test_without_a_folder_the_vm_runs_and_says_what_it_lacks(as_root, tmp_path):
    if str(BINARY).startswith(("/tmp/", "/run/")):
        pytest.skip("the program is in a folder that is covered here")
    result = launch(*BOOT, "--name", name_of_run(), scenario="poweroff", prefix=("unshare", "-m", "sh", "-c", READ_ONLY, "sh"))
    assert result.returncode == 0
    [line] = [line for line in result.stderr.splitlines() if "warning" in line]
    assert "this VM has no control socket: /run/vm-launch: Read-only file system; /tmp/vm-launch-0: Read-only file system" in line
    assert "--tmpfs /run" in line


def test_a_second_vm_of_the_same_name_runs_and_says_what_it_lacks():
    with Vm() as vm:
        result = launch(*BOOT, "--name", vm.name, scenario="poweroff")
        assert result.returncode == 0
        assert f"warning: cannot make the control socket of {vm.name}: a VM of that name is running" in result.stderr
        assert vm.ask("health").returncode == 0


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


def test_a_shell_of_who_logged_in_is_nobodys_setting():
    result = launch("plan", *BOOT, env=environment(SHELL="/bin/zsh", LOGNAME="root"))
    assert result.returncode == 0
    assert "SHELL" not in result.stderr
