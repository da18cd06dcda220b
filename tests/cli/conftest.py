"""What the tests of the command line need before they run."""

import os
import pathlib
import tempfile

import pytest

import launch


@pytest.fixture(autouse=True, scope="session")
def binary():
    if not launch.BINARY.exists():
        pytest.fail(f"{launch.BINARY} is missing: build it first, or name another in VML_BINARY")
    return launch.BINARY


@pytest.fixture(autouse=True, scope="session")
def no_orphan_unseen():
    launch.adopt_orphans()


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")


@pytest.fixture
def open_folder():
    """A folder that QEMU can use too when it runs without root's rights; pytest's own is its owner's alone."""
    with tempfile.TemporaryDirectory(prefix="vm-launch-cli-") as name:
        os.chmod(name, 0o777)
        yield pathlib.Path(name)
