"""Containers that Docker names at random, on one volume: their VM is one VM, and one at a time."""

import pathlib
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
