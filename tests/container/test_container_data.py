"""Containers that Docker names at random, on one volume: their VM is one VM, and one at a time. Disks with each cache mode,
by the image's own QEMU."""

import pathlib
import re
import subprocess
import tempfile

import pytest

from containers import Container

DISK = ("-e", "MEMORY=128", "-e", "CPUS=1", "-e", "BLANK_DISK=1", "-e", "DISK_SIZE=1M", "-e", "BOOT_ORDER=hd")


@pytest.fixture
def data():
    with tempfile.TemporaryDirectory(prefix="vml-data-") as folder:
        yield pathlib.Path(folder)


def test_the_next_container_goes_on_with_what_the_last_one_kept(image, data):
    for _ in range(2):
        with Container(*DISK, "-v", f"{data}:/data", "-e", "BOOT_TIMEOUT=2") as container:
            assert container.wait() == 15
            assert "starting vm " in container.text
        assert [path.name for path in data.iterdir() if path.is_dir()] == ["vm"]
        assert [path.name for path in (data / "vm").iterdir()] == ["blank.raw"]


def test_two_containers_on_one_volume_are_refused_clearly(image, data):
    arguments = (*DISK, "-v", f"{data}:/data")
    with Container(*arguments) as first:
        first.wait_text("machine: QEMU built")
        with Container(*arguments) as second:
            assert second.wait() == 3
            assert "cannot use /data/vm" in second.text
            assert "another vm-launch keeps a VM in it that runs" in second.text
            assert "GUEST_NAME" in second.text


def mac_of(*words):
    with Container(*DISK, *words, command=("plan",)) as container:
        assert container.wait() == 0
        return re.search(r"\bmac=([0-9a-f:]+)", container.text).group(1)


def test_a_data_folder_keeps_the_addresses_and_a_random_name_does_not(image, data):
    with Container(*DISK, "-v", f"{data}:/data", "-e", "UNTIL=machine") as container:
        assert container.wait() == 0
    kept = [mac_of("-v", f"{data}:/data") for _ in range(2)]
    assert kept[0] == kept[1]
    assert mac_of() not in (kept[0], mac_of())
    assert mac_of("--hostname", "web") == mac_of("--hostname", "web")


# What QEMU takes of a set of descriptors changed with 9.1, so that the tests with this machine's QEMU do not show it.
@pytest.mark.parametrize("cache", ["writeback", "none", "unsafe", "writethrough", "directsync"])
def test_every_cache_mode(image, data, cache):
    data.chmod(0o755)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", data / "base.qcow2", "8M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", data / "over.qcow2"], check=True)
    images = ("-v", f"{data}:/images", "-e", "DISK=/images/over.qcow2", "-e", "DISK_FORMAT=qcow2")
    for more in (images, (*images, "-e", "DATA_DIR=/images")):
        with Container(*DISK, *more, "-e", f"DISK_CACHE={cache}", "-e", "UNTIL=machine") as container:
            assert container.wait() == 0
            assert "machine: QEMU built" in container.text
