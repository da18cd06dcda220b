"""Places for the integrations' tests."""

import pathlib
import tempfile

import pytest

from integration_support import BINARY, Place


@pytest.fixture(autouse=True, scope="session")
def binary():
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is missing: build it first, or name another in VML_BINARY")


@pytest.fixture
def folder():
    """pytest's own is for its owner alone; QEMU runs as a user without rights."""
    with tempfile.TemporaryDirectory(prefix="vml-integration-") as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def place(folder):
    with Place(folder) as place:
        yield place
