"""Room and rights: a data folder that is full, a file system without direct access, no folder for temporary files, and
a folder of root's alone."""

import contextlib
import subprocess

import pytest

import vm


@contextlib.contextmanager
def mounted(kind, options, folder):
    folder.mkdir()
    made = subprocess.run(["mount", "-t", kind, "-o", options, "none", folder], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"cannot mount: {made.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # a run that failed may still be in it


@pytest.mark.parametrize("room", ["64k", "560k"])
def test_a_full_data_folder_is_told_as_that_and_left_as_it_was(tmp_path, room):
    """Without room for the variables, and with just enough for them but not for what is to stand beside them."""
    with mounted("tmpfs", f"size={room}", tmp_path / "data") as data:
        if room != "64k":
            (data / "filler").write_bytes(bytes((int(room[:-1]) - 528) << 10))  # the variables have 528 KiB
        refused = vm.run("--name", "full", "--firmware", "uefi", "--blank-disk", "--data-dir", data)
        assert refused.returncode == 3
        assert "No space left on device" in refused.stderr and "nvram" in refused.stderr
        assert not [path for path in data.rglob("*") if path.is_file() and path.name not in ("filler", "identity")]


def test_a_file_system_without_direct_access_is_told_before_qemu_starts(tmp_path):
    with mounted("ramfs", "mode=755", tmp_path / "ram") as ram:
        disk = ram / "disk.raw"
        disk.write_bytes(bytes(1 << 20))
        for arguments in (("--disk", disk), ("--blank-disk", "--disk-size", "1M", "--data-dir", ram)):
            refused = vm.run("--name", "direct", *arguments, "--disk-cache", "none")
            assert refused.returncode == 3
            assert str(ram) in refused.stderr and "--disk-cache writeback" in refused.stderr
        assert not [path for path in ram.rglob("*") if path.is_file() and path not in (disk, ram / "identity")]


def test_a_seed_without_a_folder_for_temporary_files_is_told_with_the_folder(tmp_path):
    with mounted("tmpfs", "ro", tmp_path / "read-only") as folder:
        refused = vm.run("--blank-disk", "--ssh-pubkey", "ssh-ed25519 AAAA me", environment={"TMPDIR": str(folder)})
    assert refused.returncode == 3
    assert str(folder) in refused.stderr and "Read-only file system" in refused.stderr


def test_a_folder_of_roots_alone_is_served_by_http(boot, netboot):
    """QEMU's user cannot read it, so that there is no TFTP; iPXE gets all of it by HTTP."""
    netboot.script("boot.ipxe")
    netboot.path.chmod(0o700)
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text(vm.SCRIPT_RAN)
        run.wait_text(vm.GUEST_UP)
        assert "is served by HTTP alone, not by TFTP" in run.text("own")
    refused = vm.run("--netboot-dir", netboot.path, "--boot-order", "network")
    assert refused.returncode == 3
    assert "cannot read" in refused.stderr and "chmod" in refused.stderr
