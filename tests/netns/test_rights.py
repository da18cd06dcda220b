"""Who may do what once a VM runs, as the kernel tells it."""

import json
import os
import pathlib
import pwd
import re
import signal
import subprocess

import pytest

import lab as labs
import vm

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)


OWN_USERS = range(61184, 65520)  # of which each VM has one


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.split() for key, value in (line.split(":", 1) for line in lines)}


@pytest.fixture
def running(lab, boot):
    net = lab("bridge")
    with boot(net, *BRIDGE) as run:
        run.wait_text("machine: QEMU built", "own")
        yield run


def test_qemu_has_no_rights(running):
    pid = running.qemu()
    status = status_of(pid)
    own = status["Uid"][0]
    assert int(own) in OWN_USERS
    assert status["Uid"] == status["Gid"] == [own] * 4
    assert status["Groups"] == []
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name][0], 16) == 0, name
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]
    assert os.getsid(pid) == pid


def test_qemu_has_no_descriptor_but_those_it_was_given(running):
    folder = pathlib.Path(f"/proc/{running.qemu()}/fd")
    targets = {int(entry.name): os.readlink(entry) for entry in folder.iterdir()}
    words = pathlib.Path(f"/proc/{running.qemu()}/cmdline").read_text().split("\0")
    lists = re.findall(r"(?:\b(?:vhost)?fds?=|/proc/self/fd/|/dev/fdset/)([\d:]+)", "\n".join(words))
    named = {int(number) for numbers in lists for number in numbers.split(":")}
    assert named == set(range(3, 3 + len(named)))
    assert "/dev/net/tun" in {targets[number] for number in named if number in targets}
    own = [target for number, target in targets.items() if number not in named]
    assert all(target.startswith(("/dev/null", "pipe:", "anon_inode:")) for target in own), own


NOTHING = {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0, "NoNewPrivs": 1, "Seccomp": 2}


def rights_of(pid):
    status = status_of(pid)
    return {name: int(status[name][0], 16) for name in NOTHING}


def test_vm_launch_is_the_vms_user_and_may_do_nothing_else(running):
    own = status_of(running.qemu())["Uid"]
    status = status_of(running.process.pid)
    assert (status["Uid"], status["Gid"], status["Groups"]) == (own, own, [])
    assert rights_of(running.process.pid) == NOTHING


def keeper_of(pid):
    """It gives itself its name, and locks itself down."""
    found = []

    def is_ready():
        found[:] = subprocess.run(["pgrep", "-P", str(pid), "-x", "vm-launch-files"], capture_output=True, text=True, check=False).stdout.split()
        return bool(found) and status_of(found[0])["Seccomp"] == ["2"]

    labs.wait_until(is_ready, vm.END_DEADLINE, "the process that keeps its files")
    [keeper] = map(int, found)
    return keeper


def test_the_process_that_keeps_roots_files_sees_nothing_else(running, tmp_path):
    """It has the socket to its vm-launch, that process itself, /dev/null, and what it keeps for this VM: no report, no folder."""
    keeper = keeper_of(running.process.pid)
    assert status_of(keeper)["Uid"] == ["0"] * 4
    assert rights_of(keeper) == NOTHING
    opened = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{keeper}/fd").iterdir()]
    kinds = [target.split(":")[0] for target in opened]
    kept = [target for target in opened if target.startswith("/run/systemd/dynamic-uid/")]
    assert sorted(kinds) == sorted(["/dev/null"] * 3 + ["anon_inode", "socket"] + kept), opened
    running.stop()
    assert vm.wait_for_end(keeper, 10)


def test_of_a_killed_one_the_keeper_takes_away_what_is_left(running):
    keeper = keeper_of(running.process.pid)
    socket = pathlib.Path("/run/vm-launch") / f"{running.name}.sock"
    assert socket.exists()
    running.signal(signal.SIGKILL)
    assert vm.wait_for_end(keeper, 30)
    assert not socket.exists() and not socket.with_suffix(".lock").exists()


def test_no_other_process_of_the_vms_user_may_trace_it(running):
    """QEMU is the same user, and in a domain of its own besides."""
    uid = status_of(running.qemu())["Uid"][0]
    read = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "cat", f"/proc/{running.process.pid}/environ"]
    assert subprocess.run(read, capture_output=True, check=False).returncode != 0


def test_status_reads_it_back(running):
    keeper = keeper_of(running.process.pid)
    result = subprocess.run(
        [vm.BINARY, "status", running.name, "--format", "json"], capture_output=True, text=True, check=True
    )
    (status,) = json.loads(result.stdout)
    assert status["name"] == running.name
    assert status["qemu"] == {
        "pid": running.qemu(), "uid": int(status_of(running.qemu())["Uid"][0]), "capabilities": "0" * 16,
        "no_new_privs": True, "seccomp": 2, "own_session": True,
    }
    del status["launcher"]["own_session"]  # as it was started
    assert status["launcher"] == {
        "pid": running.process.pid, "uid": status["qemu"]["uid"], "capabilities": "0" * 16, "no_new_privs": True, "seccomp": 2,
    }
    assert status["files"] == {
        "pid": keeper, "uid": 0, "capabilities": "0" * 16,
        "no_new_privs": True, "seccomp": 2, "own_session": True,
    }
    assert status["own_landlock"] > 0
    assert vm.run("status", "no-such-vm").returncode == 1


def test_another_user_and_one_that_is_not_there(lab, boot):
    net = lab("bridge")
    with boot(net, *BRIDGE, "--run-as", "daemon") as run:
        run.wait_text("machine: QEMU built", "own")
        assert status_of(run.qemu())["Uid"][0] == str(pwd.getpwnam("daemon").pw_uid)
        run.stop()
    refused = vm.run("plan", "--ipxe", "--run-as", "no-such-user")
    assert refused.returncode == 3
    assert "there is no user 'no-such-user'" in refused.stderr


def test_a_user_that_does_not_stand_in_etc_passwd(tmp_path):
    getent = tmp_path / "getent"
    getent.write_text("#!/bin/sh\n[ \"$*\" != 'passwd -- -far' ] || echo '-far:x:5005:5006:::/bin/sh'\n")
    getent.chmod(0o755)
    planned = [vm.BINARY, "plan", "--ipxe", "--run-as=-far"]
    script = 'mount --bind "$1" /usr/bin/getent && shift && exec "$@"'
    plan = subprocess.run(["unshare", "-m", "sh", "-c", script, "-", getent, *planned], capture_output=True, text=True, check=True)
    assert "QEMU runs as -far (uid 5005)" in plan.stdout


def test_files_that_only_root_can_read_are_passed_as_descriptors(lab, boot, assets, tmp_path):
    """tmp_path is below a folder that nobody but its owner may enter."""
    rom = tmp_path / "my.rom"
    source = next(path for path in (pathlib.Path("/usr/lib/ipxe/qemu/pxe-virtio.rom"),
                                    pathlib.Path("/usr/share/qemu/pxe-virtio.rom")) if path.exists())
    rom.write_bytes(source.read_bytes())
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20))
    for path in (rom, disk):
        path.chmod(0o600)
    tmp_path.chmod(0o700)
    net = lab("bridge")
    with boot(net, *BRIDGE, "--ipxe-rom", rom, "--disk", disk) as run:
        run.wait_text("option ROM: iPXE", "own")
        run.stop()


def test_a_folder_that_qemus_user_cannot_read_is_named(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "boot.ipxe").write_text("#!ipxe\n")
    by_http = vm.run("plan", "--ipxe", "--netboot-dir", tmp_path)
    assert by_http.returncode == 0
    assert re.search(r"QEMU's user 6\d{4} cannot read", by_http.stdout) and "by HTTP alone" in by_http.stdout
    assert str(tmp_path) in by_http.stdout
    # Without iPXE there is no HTTP.
    refused = vm.run("plan", "--boot-order", "network", "--netboot-dir", tmp_path)
    assert refused.returncode == 3
    assert re.search(r"QEMU's user 6\d{4} cannot read", refused.stderr)
    assert str(tmp_path) in refused.stderr
    assert vm.run("plan", "--ipxe", "--netboot-dir", tmp_path, "--run-as", "root").returncode == 0


def test_qemu_dies_with_vm_launch(running):
    pid = running.qemu()
    running.signal(signal.SIGKILL)
    assert vm.wait_for_end(pid, 10)
