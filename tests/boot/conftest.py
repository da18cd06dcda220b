"""Fixtures of the boot tests: what is booted, and runs of vm-launch that leave nothing behind."""

import pathlib
import subprocess
import tempfile

import pytest

import vm


@pytest.fixture(scope="session")
def assets():
    """The folder with the test guest; made by scripts/assets once, and kept for the next run."""
    folder = vm.ROOT / "build/assets"
    subprocess.run([vm.ROOT / "scripts/assets", folder], check=True)
    return folder / "netboot"


@pytest.fixture
def tmp_path():
    """pytest's own is for its owner alone; QEMU runs as a user without rights, and must reach what it serves."""
    with tempfile.TemporaryDirectory(prefix="vml-boot-") as folder:
        path = pathlib.Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture
def netboot(assets, tmp_path):
    """A private folder with kernel and initramfs, and no script yet."""
    folder = tmp_path / "netboot"
    folder.mkdir()
    return vm.Netboot(folder, assets)


@pytest.fixture
def boot(tmp_path):
    """boot(*arguments, **options): a run of vm-launch, not started yet; see vm.Boot."""
    if not pathlib.Path(vm.BINARY).exists():
        pytest.fail(f"{vm.BINARY} is missing: build it first, or name another in VML_BINARY")

    def make(*arguments, **options):
        return vm.Boot(tmp_path, *arguments, **options)

    return make
