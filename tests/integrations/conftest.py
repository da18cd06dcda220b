"""Places for the integrations' tests."""

import pytest

from integration_support import BINARY, Place
import vm


@pytest.fixture(autouse=True, scope="session")
def binary():
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is missing: build it first, or name another in VML_BINARY")


@pytest.fixture
def folder():
    with vm.readable_folder("vml-integration-") as folder:
        yield folder


@pytest.fixture
def place(folder):
    with Place(folder) as place:
        yield place
