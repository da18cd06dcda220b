"""A guest that says nothing is not a dead one: a stop presses its power button, and its data is on its disk afterwards.
The guest's kernel is quiet and has its console elsewhere, no NIC is opened, no agent runs: the disk alone tells of it."""

import select
import signal
import subprocess
import time

import pytest

import vm

READY = b"VM-LAUNCH-GUEST-READY"
SAVED = b"VM-LAUNCH-GUEST-SAVED"
FILLED = b"VM-LAUNCH-GUEST-FILLED"
SIZE = 64 << 20


def quiet_script(words=""):
    return f"#!ipxe\nkernel vmlinuz initrd=initrd.gz quiet console=tty0 no_timer_check vml.quiet {words}\ninitrd initrd.gz\nboot\n"


def blank(path, size=SIZE):
    with open(path, "wb") as disk:
        disk.truncate(size)
    path.chmod(0o666)  # QEMU runs as a user without rights
    return path


def said(disk, sector=0):
    with open(disk, "rb") as file:
        file.seek(sector * 512)
        return file.read(512).split(b"\n")[0]


def wait_for_disk(run, disk, text, sector=0, seconds=vm.BOOT_DEADLINE):
    """The guest tells nobody but its disk, and a file has no event that says what is in it."""
    end = time.monotonic() + seconds
    while said(disk, sector) != text:
        assert run.process.poll() is None, f"vm-launch ended with {run.process.returncode} before {text}"
        assert time.monotonic() < end, f"not within {seconds} s: {text} on the disk"
        select.select([], [], [], 0.05)


def assert_silent(run):
    assert "operating system" not in run.text("own").replace("no operating system", "")
    assert "Linux version" not in run.text()


MACHINES = {
    "bios": (),
    "bios-e1000": ("--nic-model", "e1000"),
    "bios-pc": ("--machine", "pc"),
    "uefi": ("--firmware", "uefi"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_silent_guest_is_told_to_power_off(boot, netboot, tmp_path, machine):
    disk = blank(tmp_path / "disk.raw")
    (netboot.path / "boot.ipxe").write_text(quiet_script())
    flags = ("--disk", disk, "--boot-order", "network", "--stop-timeout", "60", *MACHINES[machine])
    with boot("--ipxe", "--netboot-dir", netboot.path, *flags, *vm.SMALL) as run:
        wait_for_disk(run, disk, READY)
        assert_silent(run)
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0
        assert "pressing the guest's power button" in run.text("own")
    assert said(disk, 1) == SAVED


def test_a_silent_guest_on_arm_too(boot, tmp_path):
    arm = vm.made_assets("--arm64") / "arm64"
    folder = tmp_path / "netboot"
    folder.mkdir()
    netboot = vm.Netboot(folder, arm)
    (netboot.path / "boot.ipxe").write_text(quiet_script())
    disk = blank(tmp_path / "disk.raw")
    flags = ("--arch", "aarch64", "--ipxe-rom", arm / "ipxe-arm64.efi", "--disk", disk, "--boot-order", "network")
    with boot("--ipxe", "--netboot-dir", folder, *flags, "--stop-timeout", "60", *vm.SMALL) as run:
        wait_for_disk(run, disk, READY)
        assert_silent(run)
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0
    assert said(disk, 1) == SAVED


def test_a_silent_guest_that_hears_no_button_was_forced_and_it_is_told_so(boot, netboot, tmp_path):
    disk = blank(tmp_path / "disk.raw")
    (netboot.path / "boot.ipxe").write_text(quiet_script("vml.deaf"))
    flags = ("--disk", disk, "--boot-order", "network", "--stop-timeout", "2")
    with boot("--ipxe", "--netboot-dir", netboot.path, *flags, *vm.SMALL) as run:
        wait_for_disk(run, disk, READY)
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 128 + signal.SIGTERM
        assert "forced to stop" in run.text("own")


def test_the_end_of_the_time_for_a_boot_does_not_cut_the_power_either(boot, netboot, tmp_path):
    """--boot-timeout ends a run whose guest works in silence: 15, and the data is there."""
    disk = blank(tmp_path / "disk.raw")
    (netboot.path / "boot.ipxe").write_text(quiet_script())
    flags = ("--disk", disk, "--boot-order", "network", "--stop-timeout", "60", "--boot-timeout", "40")
    with boot("--ipxe", "--netboot-dir", netboot.path, *flags, *vm.SMALL) as run:
        wait_for_disk(run, disk, READY, seconds=40)
        assert run.wait_exit() == 15
    assert said(disk, 1) == SAVED


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_ipxe_is_known_to_be_no_operating_system(boot, netboot, tmp_path, firmware):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho WAITING\nprompt\n")
    flags = ("--firmware", firmware, "--disk", blank(tmp_path / "disk.raw"), "--boot-order", "network")
    with boot("--ipxe", "--netboot-dir", netboot.path, *flags, "--stop-timeout", "500", *vm.SMALL) as run:
        run.wait_text("WAITING")
        run.signal(signal.SIGTERM)
        assert run.wait_exit(vm.END_DEADLINE) == 0
        assert "stopping (no operating system runs)" in run.text("own")


# -- a disk whose file system is full


@pytest.fixture
def small_home(tmp_path):
    """A file system with room for the beginning of a disk only."""
    home = tmp_path / "small"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "vml-test", home], check=True)
    yield home
    subprocess.run(["umount", home], check=True)


def make_room(home):
    subprocess.run(["mount", "-o", "remount,size=200m", home], check=True)


def control(run, *words):
    return subprocess.run([vm.BINARY, *words, run.name], capture_output=True, text=True, timeout=60)


def filling_guest(boot, netboot, home, *flags):
    disk = blank(home / "disk.raw")
    (netboot.path / "boot.ipxe").write_text(quiet_script("vml.fill"))
    flags = ("--disk", disk, "--boot-order", "network", "--stop-timeout", "60", *flags)
    return boot("--ipxe", "--netboot-dir", netboot.path, *flags, *vm.SMALL), disk


def test_a_guest_that_a_full_disk_paused_goes_on_by_itself(boot, netboot, small_home):
    run, disk = filling_guest(boot, netboot, small_home)
    with run:
        run.wait_text("the guest is paused: a disk could not be written, its file system on the host is full", "own")
        health = control(run, "health")
        assert health.returncode == 1
        assert "the guest is paused: a disk cannot be read or written" in health.stderr
        assert "paused" in control(run, "status").stdout
        refused = control(run, "resume")
        assert refused.returncode == 1 and "a disk still cannot be written" in refused.stderr
        make_room(small_home)
        run.wait_text("the guest goes on: its disk can be written again", "own")
        wait_for_disk(run, disk, FILLED, 2)
        assert control(run, "health").returncode == 0
        run.stop()
    assert said(disk, 1) == SAVED


def test_vm_launch_resume_lets_it_go_on(boot, netboot, small_home):
    run, disk = filling_guest(boot, netboot, small_home, "--on-io-error", "stop")
    with run:
        run.wait_text("`vm-launch resume` lets it go on", "own")
        make_room(small_home)
        assert control(run, "resume").returncode == 0
        wait_for_disk(run, disk, FILLED, 2)
        run.stop()


def test_a_reset_brings_a_paused_guest_back(boot, netboot, small_home):
    run, disk = filling_guest(boot, netboot, small_home, "--on-io-error", "stop")
    with run:
        run.wait_text("`vm-launch resume` lets it go on", "own")
        (netboot.path / "boot.ipxe").write_text("#!ipxe\necho WAITING\nprompt\n")
        assert control(run, "reset").returncode == 0
        run.wait_text("WAITING")
        assert control(run, "health").returncode == 0
        run.stop()


def test_a_stop_of_a_paused_guest_ends_in_time_and_is_told_as_what_it_was(boot, netboot, small_home):
    run, _ = filling_guest(boot, netboot, small_home, "--stop-timeout", "3")
    with run:
        run.wait_text("the guest is paused", "own")
        run.signal(signal.SIGTERM)
        assert run.wait_exit(vm.END_DEADLINE) == 128 + signal.SIGTERM


def test_room_that_is_made_during_a_stop_saves_the_data(boot, netboot, small_home):
    run, disk = filling_guest(boot, netboot, small_home, "--on-io-error", "stop")
    with run:
        run.wait_text("the guest is paused", "own")
        run.signal(signal.SIGTERM)
        run.wait_text("pressing the guest's power button", "own")
        make_room(small_home)
        assert run.wait_exit() == 0
    assert said(disk, 1) == SAVED
