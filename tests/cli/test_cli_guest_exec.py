"""guest-exec: a command in the guest, its output as it comes; with a fake QEMU whose guest agent runs commands on this host."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile

import pytest

from launch import DEADLINE, children, command, environment, reap_the_dead
from test_cli_control import Vm


@contextlib.contextmanager
def vm_with_agent(name=None, **variables):
    """What its guest's shells leave in the background comes to this process, as it would to the guest's init."""
    with Vm(*(["--name", name] if name else []), env=environment("agent,run", **variables)) as vm:
        vm.name = name or vm.name
        yield vm
        reap_the_dead(children() - vm.before - {vm.pid()})


def guest_exec(vm, *words):
    """By the VM's name, since others may run on this host; its agent is there a moment after its guest."""
    return subprocess.run(command("guest-exec", "--name", vm.name, *words), env=environment(), capture_output=True, text=True,
                          timeout=DEADLINE, check=False)


@pytest.fixture
def shared():
    """A folder for whatever user the fake QEMU runs as, whose agent runs the commands."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = pathlib.Path(folder)
        path.chmod(0o777)
        yield path


@contextlib.contextmanager
def client_of(name, *words):
    """One that does not outlive its test, whatever becomes of it."""
    with subprocess.Popen(command("guest-exec", "--wait", "--name", name, *words), env=environment(), stdout=subprocess.PIPE, text=True) as client:
        try:
            yield client
        finally:
            client.kill()


def test_output_errors_and_exit_status():
    with vm_with_agent() as vm:
        result = guest_exec(vm, "--wait", "sh", "-c", "echo out; echo err >&2; exit 3")
        assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
        shell = guest_exec(vm, "echo a | tr a b; kill -9 $$")
        assert (shell.returncode, shell.stdout) == (128 + signal.SIGKILL, "b\n")
        assert guest_exec(vm, "printf", "%s|", "two words", "it's").stdout == "two words|it's|"
        missing = guest_exec(vm, "no-such-command-here")
        assert missing.returncode == 127 and "no-such-command-here" in missing.stderr


def test_more_than_comes_at_once_is_whole():
    with vm_with_agent() as vm:
        result = guest_exec(vm, "--wait", "yes 0123456789 | head -c 3000000")
        assert len(result.stdout) == 3_000_000
        assert set(result.stdout.split("\n")[:-1]) == {"0123456789"}


def test_output_comes_while_the_command_runs(shared):
    """The command ends only after its first line was seen."""
    go = shared / "go"
    os.mkfifo(go)
    go.chmod(0o666)
    with vm_with_agent() as vm:
        with client_of(vm.name, f"echo first; read x <{go}; echo $x") as client:
            assert client.stdout.readline() == "first\n"
            go.write_text("second\n")
            assert client.stdout.read() == "second\n"
            assert client.wait(DEADLINE) == 0


def test_its_files_are_gone_with_it(shared):
    with vm_with_agent(TMPDIR=str(shared)) as vm:
        assert guest_exec(vm, "--wait", "ls $TMPDIR").stdout.startswith("vm-launch-exec")
        assert not list(shared.iterdir())


def test_where_there_is_no_room_for_files_the_output_comes_at_the_end(shared):
    with vm_with_agent(TMPDIR=str(shared / "none")) as vm:
        result = guest_exec(vm, "--wait", "echo out; echo err >&2; exit 3")
        assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_without_an_agent_it_says_so():
    with Vm() as vm:
        result = guest_exec(vm, "true")
        assert result.returncode == 125
        assert "no guest agent" in result.stderr


def test_wait_waits_for_the_vm():
    name = f"late-{os.getpid()}"
    with client_of(name, "echo here") as client, vm_with_agent(name=name) as vm:
        assert vm.name == name
        assert client.stdout.read() == "here\n"
        assert client.wait(DEADLINE) == 0


def test_its_own_name(tmp_path):
    """As `docker exec NAME guest-exec …` calls it."""
    link = tmp_path / "guest-exec"
    link.symlink_to(command()[0])
    result = subprocess.run([str(link), "--help"], env=environment(), capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert result.returncode == 0 and "guest-exec [--wait]" in result.stdout
    assert subprocess.run([str(link)], env=environment(), capture_output=True, timeout=DEADLINE, check=False).returncode == 125
