"""Disks: every bus on every firmware, formats that are told and never guessed, locks, and what is kept."""

import json
import subprocess

import pytest

import media
import vm

DISK, CD = "THE-DISK-BOOTED", "THE-CD-BOOTED"
FIRMWARES = {
    "legacy": (("--firmware", "legacy"), media.write_disk, media.write_cd),
    "uefi": (("--firmware", "uefi"), media.write_efi_disk, media.write_efi_cd),
    "aarch64": (
        ("--arch", "aarch64"),
        lambda path, marker: media.write_efi_disk(path, marker, "aa64"),
        lambda path, marker: media.write_efi_cd(path, marker, "aa64"),
    ),
}


def convert(path, image_format):
    other = path.with_suffix("." + image_format)
    subprocess.run(["qemu-img", "convert", "-O", image_format, path, other], check=True)
    return other


@pytest.mark.parametrize(
    ("firmware", "bus", "image_format"),
    [
        ("legacy", "virtio", "qcow2"),
        ("legacy", "scsi", "raw"),
        ("legacy", "nvme", "qcow2"),
        ("legacy", "sata", "raw"),
        ("uefi", "virtio", "raw"),
        ("uefi", "scsi", "qcow2"),
        ("uefi", "nvme", "raw"),
        ("uefi", "sata", "qcow2"),
        ("aarch64", "virtio", "qcow2"),
        ("aarch64", "scsi", "raw"),
        ("aarch64", "nvme", "raw"),
    ],
)
def test_every_bus_boots(boot, tmp_path, firmware, bus, image_format):
    """The image may be its owner's alone: it comes to QEMU, and its beginning to qemu-img, as a descriptor."""
    arguments, write_disk, _ = FIRMWARES[firmware]
    disk = convert(write_disk(tmp_path / "disk.made", DISK), image_format)
    disk.chmod(0o600)
    with boot(*arguments, "--disk", disk, "--disk-bus", bus, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


@pytest.mark.parametrize("firmware", ["uefi", "aarch64"])
def test_a_cd_on_uefi(boot, tmp_path, firmware):
    arguments, write_disk, write_cd = FIRMWARES[firmware]
    cd = write_cd(tmp_path / "cd.iso", CD)
    disk = write_disk(tmp_path / "disk.raw", DISK)
    with boot(*arguments, "--iso", cd, "--disk", disk, "--boot-order", "cdrom,hd", *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert CD in run.text() and DISK not in run.text()


@pytest.mark.parametrize("cache", ["writeback", "none", "unsafe"])
def test_every_cache_mode(boot, tmp_path, cache):
    disk = convert(media.write_disk(tmp_path / "second.raw", DISK), "qcow2")
    arguments = ("--disk", disk, "--blank-disk", "--disk-size", "1G", "--disk-cache", cache)
    with boot(*arguments, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


def test_several_disks_boot_in_turn(boot, tmp_path):
    """UEFI tries each disk. (SeaBIOS boots the first one only: for it hard disks are one entry of the order.)"""
    first = media.write_efi_disk(tmp_path / "first.raw", "THE-FIRST-GAVE-UP", then_next=True)
    second = convert(media.write_efi_disk(tmp_path / "second.raw", DISK), "qcow2")
    disks = ("--disk", first, "--disk", second, "--blank-disk", "--disk-size", "1G")
    with boot("--firmware", "uefi", *disks, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert run.text().index("THE-FIRST-GAVE-UP") < run.text().index(DISK)


def test_an_image_in_use_is_told_of_by_name(boot, tmp_path, netboot):
    netboot.script("boot.ipxe", words="vml.stay")
    disk = convert(media.write_disk(tmp_path / "disk.raw", DISK), "qcow2")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--disk", disk, *vm.SMALL) as holder:
        holder.wait_text(vm.SCRIPT_RAN)
        with boot("--disk", disk, *vm.SMALL, capture=False) as second:
            assert second.wait_exit() == 3
            assert f"{disk} is in use by another VM" in second.text("own")
            assert "QEMU built" not in second.text("own")
        holder.stop()


def test_an_image_that_names_another_file_is_believed_only_on_the_users_word(boot, tmp_path):
    base = media.write_disk(tmp_path / "base.raw", DISK)
    image = tmp_path / "image.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", image], check=True)
    refused = vm.run("--disk", image)
    assert refused.returncode == 3
    assert str(base) in refused.stderr and "--disk-format qcow2" in refused.stderr
    base.chmod(0o600)  # it comes to QEMU as a descriptor too
    with boot("--disk", image, "--disk-format", "qcow2", *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


def chain_of_three(folder):
    """An overlay, a middle one that names its base by a relative path, in a folder of its own, and the base."""
    low = folder / "low"
    low.mkdir()
    media.write_disk(low / "base.raw", DISK)
    create = ("qemu-img", "create", "-q", "-f", "qcow2", "-b")
    subprocess.run([*create, "base.raw", "-F", "raw", "middle.qcow2"], check=True, cwd=low)
    subprocess.run([*create, "low/middle.qcow2", "-F", "qcow2", "over.qcow2"], check=True, cwd=folder)
    return folder / "over.qcow2"


def test_a_chain_is_resolved_as_qemu_img_does(boot, tmp_path):
    """Also where its images are their owner's alone, and vm-launch starts somewhere else."""
    over = chain_of_three(tmp_path)
    for path in (over, tmp_path / "low", *(tmp_path / "low").iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    with boot("--disk", over, "--disk-format", "qcow2", *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


def test_an_image_with_its_data_in_another_file_boots(boot, tmp_path):
    media.write_disk(tmp_path / "disk.raw", DISK)
    convert_to = ("qemu-img", "convert", "-O", "qcow2", "-o", "data_file=data.raw", "disk.raw", "disk.qcow2")
    subprocess.run(convert_to, check=True, cwd=tmp_path)
    disk = ("--disk", tmp_path / "disk.qcow2", "--disk-format", "qcow2")
    with boot(*disk, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


def test_what_is_missing_in_a_chain_is_told_before_qemu_starts(tmp_path):
    over = chain_of_three(tmp_path)
    (tmp_path / "low/base.raw").unlink()
    refused = vm.run("--disk", over, "--disk-format", "qcow2")
    assert refused.returncode == 3
    assert f"cannot use {tmp_path}/low/middle.qcow2" in refused.stderr
    assert f"its backing file {tmp_path}/low/base.raw: No such file or directory" in refused.stderr
    assert "qemu-img rebase" in refused.stderr


def test_other_formats_are_refused_with_both_ways_out(tmp_path):
    vmdk = convert(media.write_disk(tmp_path / "disk.raw", DISK), "vmdk")
    refused = vm.run("--disk", vmdk)
    assert refused.returncode == 3
    assert "it is a vmdk image" in refused.stderr
    assert "--disk-format vmdk" in refused.stderr and "qemu-img convert" in refused.stderr


@pytest.mark.parametrize("image_format", ["vmdk", "vhdx", "vdi", "vpc"])
def test_a_format_that_is_named_is_used(boot, tmp_path, image_format):
    disk = convert(media.write_disk(tmp_path / "disk.raw", DISK), image_format)
    with boot("--disk", disk, "--disk-format", image_format, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("truncate -s 0 d.qcow2", "qemu-img create -f qcow2 {}/d.qcow2 20G"),
        ("truncate -s 1M d && gzip -c d > d.img.gz", "gzip -dc {0}/d.img.gz > {0}/d.img"),
        ("truncate -s 1M d && xz -c d > d.qcow2", "xz -dc {0}/d.qcow2 > {0}/d.qcow2.img"),
        ("truncate -s 1M d && tar -cf d.ova d", "tar -xvf {}/d.ova"),
        ("qemu-img create -q -f vmdk -o subformat=monolithicFlat d.vmdk 1M", "qemu-img convert -O qcow2 {}/d.vmdk"),
    ],
)
def test_what_is_no_disk_is_refused_with_the_command_that_mends_it(tmp_path, make, words):
    subprocess.run(make, shell=True, check=True, cwd=tmp_path)
    made = next(path for path in tmp_path.iterdir() if path.name in ("d.qcow2", "d.img.gz", "d.ova", "d.vmdk"))
    refused = vm.run("--disk", made)
    assert refused.returncode == 3
    assert words.format(tmp_path) in refused.stderr


def test_a_format_that_the_image_does_not_have_is_told_before_qemu_starts(tmp_path):
    raw = media.write_disk(tmp_path / "disk.raw", DISK)
    refused = vm.run("--disk", raw, "--disk-format", "qcow2")
    assert refused.returncode == 3
    assert "it is no qcow2 image" in refused.stderr


def test_the_variables_and_the_blank_disk_are_kept(boot, tmp_path):
    """One start makes them; the next finds the variables that the firmware wrote, and boots what was written to the
    disk in between."""
    data = tmp_path / "data"
    data.mkdir()
    arguments = ("--firmware", "uefi", "--blank-disk", "--disk-size", "1M", "--data-dir", data, *vm.SMALL)
    plan = json.loads(vm.run("plan", "--format", "json", *arguments).stdout)
    assert not list(data.iterdir()), "a plan makes nothing"
    template = next(fd["source"] for fd in plan["fds"] if fd["purpose"] == "nvram")

    with boot(*arguments, capture=False) as run:
        run.wait_text("BdsDxe|Shell")
    name = run.name
    folder = data / name
    assert folder.stat().st_mode & 0o777 == 0o700
    variables = (folder / "nvram.fd").read_bytes()
    with open(template, "rb") as file:
        assert variables != file.read(), "the firmware wrote its variables to the kept copy"
    disk = folder / "blank.raw"
    assert disk.read_bytes() == bytes(1 << 20)
    disk.write_bytes(media.efi_volume(DISK))
    again = boot(*arguments, capture=False)
    again.name = name
    with again as run:
        assert run.wait_exit() == 0
        assert DISK in run.text()
    with boot(*arguments, "--no-persist", capture=False) as run:
        run.wait_text("BdsDxe|Shell")
        assert DISK not in run.text()


def test_a_disk_that_an_older_vm_launch_kept_is_found_again(boot, tmp_path):
    """It was numbered by how many images came before it; one more must not make it forgotten. It grows when asked."""
    image = tmp_path / "empty.raw"
    image.write_bytes(bytes(1 << 20))
    arguments = ("--firmware", "uefi", "--disk", image, "--blank-disk", "--data-dir", tmp_path / "data", *vm.SMALL)
    run = boot(*arguments, "--disk-size", "64M", capture=False)
    folder = tmp_path / "data" / run.name
    folder.mkdir(parents=True)
    kept = folder / "disk0.raw"
    kept.write_bytes(media.efi_volume(DISK))
    size = kept.stat().st_size
    with run:
        assert run.wait_exit() == 0
        assert DISK in run.text()
        assert "disk0.raw, grows from" in run.text("own")
    assert kept.stat().st_size == 64 << 20 > size
    assert not list(folder.glob("disk1.raw")) and not (folder / "blank.raw").exists()
    smaller = vm.run("--name", run.name, *arguments, "--disk-size", "1M")
    assert smaller.returncode == 2
    assert "has 64M, 1M is asked for" in smaller.stderr
    assert kept.stat().st_size == 64 << 20
