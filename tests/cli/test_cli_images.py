"""Images and kept data as people really have them: what is refused before QEMU starts, and the healthy neighbour that
is not."""

import os
import shutil
import subprocess

import pytest

from launch import environment, launch


def qemu_img(*arguments):
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A raw disk under several names, a base with overlays, and what is no image."""
    folder = tmp_path_factory.mktemp("images")
    raw = folder / "disk.img"
    raw.write_bytes(os.urandom(3 << 20))
    (folder / "symbolic.img").symlink_to("disk.img")
    (folder / "hard.img").hardlink_to(raw)
    (folder / "page.img").write_text("<!DOCTYPE html>\n<title>404</title>")
    (folder / "byte.img").write_text("x")
    qemu_img("create", "-q", "-f", "qcow2", folder / "base.qcow2", "1G")
    for name in ("over", "second"):
        qemu_img("create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", folder / f"{name}.qcow2")
    qemu_img("convert", "-O", "qcow2", raw, folder / "whole.qcow2")
    shutil.copy(folder / "whole.qcow2", folder / "cut.qcow2")
    os.truncate(folder / "cut.qcow2", 2 << 20)
    qemu_img("convert", "-O", "vpc", "-o", "subformat=fixed", raw, folder / "fixed.vhd")
    subprocess.run(["gzip", "-kf", folder / "whole.qcow2"], check=True)
    qemu_img("create", "-q", "-f", "qcow2", "-u", "-b", "whole.qcow2.gz", "-F", "raw", folder / "packed.qcow2", "1G")
    for name, under in {
        "nbd": "nbd://127.0.0.1:9/disk",
        "node": 'json:{"driver": "raw", "file": {"driver": "nbd", "server": {"type": "unix", "path": "/s"}}}',
        "fat": "fat:/etc",
        "file": "file:disk.img",
        "filenode": 'json:{"driver": "raw", "file": {"driver": "file", "filename": "disk.img"}}',
    }.items():
        qemu_img("create", "-q", "-f", "qcow2", "-u", "-b", under, "-F", "raw", folder / f"{name}.qcow2", "3M")
    qemu_img("create", "-q", "-f", "qcow2", "-u", "-b", "nbd.qcow2", "-F", "qcow2", folder / "two.qcow2", "3M")
    return folder


def plan(folder, *arguments, **variables):
    return launch("plan", *arguments, env=environment(**variables), cwd=folder)


REFUSED = {
    "disk.img disk.img": "it is the same file as disk.img of --disk",
    "disk.img symbolic.img": "it is the same file as disk.img of --disk",
    "hard.img disk.img": "it is the same file as hard.img of --disk",
    "page.img": "it is a text in HTML or XML",
    "byte.img": "it has 1 byte, less than one sector",
    "cut.qcow2": "it is cut off",
    "fixed.vhd": "--disk-format vpc",
    "over.qcow2 base.qcow2 qcow2": "over.qcow2 of --disk lies on it",
    "packed.qcow2 qcow2": "it is packed (gzip)",
    "nbd.qcow2 qcow2": "--disk: cannot use nbd.qcow2\n  why:  it lies on nbd://127.0.0.1:9/disk, which is no file or device of this host",
    "two.qcow2 qcow2": "nbd.qcow2 NEW.qcow2",
    "node.qcow2 qcow2": 'it lies on json:{"driver":',
    "fat.qcow2 qcow2": "it lies on fat:/etc",
    "disk.img vpc": "it is no vpc image",
    "disk.img over.qcow2": "say --disk-format auto,qcow2",
}
TAKEN = (
    "disk.img whole.qcow2",
    "fixed.vhd vpc",
    "fixed.vhd raw",
    "over.qcow2 second.qcow2 qcow2",
    "disk.img over.qcow2 auto,qcow2",
    "byte.img raw",
    "file.qcow2 qcow2",
    "filenode.qcow2 qcow2",
)


def arguments_of(line):
    words = line.split()
    disks = [f"--disk={word}" for word in words if "." in word]
    return [*disks, *(f"--disk-format={word}" for word in words if "." not in word)]


@pytest.mark.parametrize("line", REFUSED)
def test_refused(images, line):
    result = plan(images, *arguments_of(line))
    assert result.returncode == 3, result.stderr
    assert REFUSED[line] in result.stderr


@pytest.mark.parametrize("line", TAKEN)
def test_taken(images, line):
    result = plan(images, *arguments_of(line))
    assert result.returncode == 0, result.stderr
    assert "warning" not in result.stderr


def test_a_cd_that_is_a_disk_image_or_a_page(images):
    refused = plan(images, "--disk=disk.img", "--iso=base.qcow2")
    assert refused.returncode == 3
    assert "it is a qcow2 image" in refused.stderr
    refused = plan(images, DISK=str(images / "disk.img"), BOOT_ISO=str(images / "hard.img"))
    assert refused.returncode == 3
    assert f"$BOOT_ISO: cannot use {images}/hard.img" in refused.stderr
    assert f"{images}/disk.img of $DISK" in refused.stderr


def test_a_cd_as_a_disk_is_told_of(images, tmp_path):
    cd = bytearray(1 << 20)
    cd[32768:32774] = b"\x01CD001"
    (tmp_path / "bare.iso").write_bytes(cd)
    cd[510:512] = b"\x55\xaa"
    (tmp_path / "hybrid.iso").write_bytes(cd)
    told = plan(images, f"--disk={tmp_path}/bare.iso")
    assert told.returncode == 0
    assert f"--disk: {tmp_path}/bare.iso is a CD-ROM image, and no disk that boots: --iso PATH" in told.stdout
    assert "is a CD-ROM image" not in plan(images, f"--disk={tmp_path}/hybrid.iso").stdout
    assert "is a CD-ROM image" not in plan(images, "--disk=disk.img", f"--iso={tmp_path}/bare.iso").stdout


def test_hints_speak_of_each_disk_in_variables(images):
    disks = {"DISK": str(images / "disk.img"), "DISK2": str(images / "over.qcow2")}
    assert "DISK_FORMAT=auto,qcow2" in plan(images, **disks).stderr
    assert "DISK_FORMAT=raw,qcow2" in plan(images, **disks, DISK_FORMAT="qcow2").stderr
    assert plan(images, **disks, DISK_FORMAT="raw,qcow2").returncode == 0


def test_an_empty_disk_does_not_hide_the_one_with_data(tmp_path):
    kept = tmp_path / "vm"
    kept.mkdir()
    (kept / "disk0.raw").write_bytes(b"data" * 1024)
    (kept / "blank.raw").write_bytes(bytes(1 << 20))
    result = plan(tmp_path, "--blank-disk", f"--data-dir={tmp_path}", "--name=vm")
    assert result.returncode == 0, result.stderr
    assert f"{kept}/disk0.raw" in result.stdout
    assert "blank.raw beside it is empty" in result.stdout + result.stderr
    unused = plan(tmp_path, "--blank-disk", f"--data-dir={tmp_path}", "--name=vm", "--no-persist")
    assert f"what is kept in {kept} is not used" in unused.stdout + unused.stderr


@pytest.mark.parametrize("text", ["", "\x7fELF\n", "two words\n"])
def test_an_identity_that_is_garbage(tmp_path, text):
    (tmp_path / "identity").write_text(text)
    result = plan(tmp_path, "--blank-disk", f"--data-dir={tmp_path}")
    assert result.returncode == 3
    assert f"cannot use {tmp_path}/identity" in result.stderr
