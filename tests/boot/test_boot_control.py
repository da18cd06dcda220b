"""A real VM that is talked to: its agent, its screen, its console and its end."""

import json
import os
import socket
import subprocess

import pytest

import vm

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def agent(assets, netboot):
    """The test guest with the QEMU guest agent in a second initramfs."""
    os.link(assets.parent / "agent/agent.gz", netboot.path / "agent.gz")
    (netboot.path / "boot.ipxe").write_text(
        "#!ipxe\nkernel vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check vml.stay\ninitrd initrd.gz\ninitrd agent.gz\nboot\n"
    )
    return netboot


def ask(run, subcommand, *words, environment=None):
    return vm.run(subcommand, run.name, *words, environment={**run.full_environment(), **(environment or {})})


def picture(path):
    """Width and height of a PNG file, from its first chunk (PNG specification, 11.2.2)."""
    data = path.read_bytes()
    assert data[:8] == PNG and data[12:16] == b"IHDR"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_a_vm_can_be_talked_to(boot, agent, tmp_path):
    with boot("--ipxe", "--netboot-dir", agent.path, "--graphics", "vnc", "--vnc-port", str(vm.free_port()), *vm.SMALL, capture=False) as run:
        run.wait_text("SeaBIOS")
        assert ask(run, "health").returncode == 0
        assert "has not reached 'os'" in ask(run, "health", environment={"HEALTH_STAGE": "os"}).stderr
        early = ask(run, "exec", "--", "true")
        assert (early.returncode, "no guest agent runs in it" in early.stderr) == (125, True)
        run.wait_text("VM-LAUNCH-GUEST-AGENT")
        run.wait_text(vm.GUEST_UP)

        [status] = json.loads(ask(run, "status", "--format", "json").stdout)
        assert (status["phase"], status["stage"] in ("os", "agent"), status["qemu"]["capabilities"]) == ("running", True, "0" * 16)
        assert (status["nics"][0]["address"], status["nics"][0]["address_by"] in ("ipxe", "other", "agent")) == ("10.0.2.15", True)
        assert ask(run, "health", environment={"HEALTH_STAGE": "os"}).returncode == 0

        talk_to_the_agent(run)
        for name in ("one.png", "two.png"):  # the second one must not hang on behind the first
            result = ask(run, "screenshot", tmp_path / name)
            assert (result.returncode, picture(tmp_path / name)) == (0, (720, 400)), result.stderr
        assert abs((tmp_path / "one.png").stat().st_size - (tmp_path / "two.png").stat().st_size) < 2000

        stopped = ask(run, "stop")
        assert (stopped.returncode, stopped.stdout) == (0, f"{run.name}: stopped by `vm-launch stop` (exit code 0)\n")
        assert run.wait_exit() == 0
        assert vm.POWER_BUTTON in run.text()


def let_in(port, password):
    """Does a VNC server let a viewer in that knows this password? RFC 6143, 7.1.2 and 7.2.2: a challenge, enciphered with a key
    whose bytes have their bits the other way round."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as viewer, viewer.makefile("rwb", buffering=0) as server:
        assert server.read(12) == b"RFB 003.008\n"
        server.write(b"RFB 003.008\n")
        types = server.read(server.read(1)[0])
        if password is None:
            return 1 in types
        assert list(types) == [2]  # VNC authentication, and nothing else
        server.write(b"\x02")
        challenge = recv_exactly(server, 16)
        key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode().ljust(8, b"\0"))
        cipher = ("openssl", "enc", "-des-ecb", "-provider", "legacy", "-provider", "default", "-nopad", "-K", key.hex())
        server.write(subprocess.run(cipher, input=challenge, stdout=subprocess.PIPE, check=True).stdout)
        return recv_exactly(server, 4) == bytes(4)


def recv_exactly(server, count):
    data = b""
    while len(data) < count:
        piece = server.read(count - len(data))
        assert piece, "the VNC server ended"
        data += piece
    return data


@pytest.mark.parametrize("given", [None, "s3cret", "none"])
def test_a_screen_asks_for_its_password(boot, given):
    words = ("--vnc-password", given) if given else ()
    port = vm.free_port()
    with boot("--ipxe", "--bootfile", "http://192.0.2.1/x", "--graphics", "vnc", "--vnc-port", str(port), *words, *vm.SMALL, capture=False) as run:
        run.wait_text("SeaBIOS")
        [status] = json.loads(ask(run, "status", "--format", "json").stdout)
        password = status["vnc"]["password"]
        if given == "none":
            assert password is None
            assert let_in(port, None)
        else:
            assert given in (None, password) and len(password) == (8 if given is None else 6)
            assert let_in(port, password)
            assert not let_in(port, "wrong")
            assert password not in run.text()
            assert f"password {password}" in ask(run, "status").stdout
        assert ask(run, "stop").returncode == 0


def talk_to_the_agent(run):
    """The agent answers once its port is open, which it may not be in the very moment in which it was started."""
    name = run._wait(lambda: (r := ask(run, "exec", "--", "uname", "-a")).returncode == 0 and r, 60, "an answer of the agent")
    assert name.stdout.startswith("Linux ") and name.stderr == ""
    failed = ask(run, "exec", "--", "sh", "-c", "echo seen; echo wrong >&2; exit 42")
    assert (failed.returncode, failed.stdout, failed.stderr) == (42, "seen\n", "wrong\n")
    assert ask(run, "exec", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9
    missing = ask(run, "exec", "--", "/no/such/program")
    assert (missing.returncode, "No such file or directory" in missing.stderr) == (125, True)
    large = ask(run, "exec", "--", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert large.stdout == "x" * 3000000


def test_a_vm_is_reset_by_its_button(boot, netboot):
    netboot.script(words="vml.stay")
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:
        run.wait_text("SeaBIOS")
        run.wait_text("option ROM", "own")
        assert ask(run, "reset").returncode == 0
        run.wait_text("the guest rebooted", "own")
        run.stop()
