"""What the container tests stand on: the image, the test guest's files, networks."""

import contextlib
import os

import pytest

from containers import built_image  # makes the next two importable

import lab as lab_module
import vm


@pytest.fixture(scope="session")
def image():
    return built_image()


@pytest.fixture(scope="session")
def assets():
    return vm.made_assets()


@pytest.fixture
def netboot(assets):
    """netboot(words, agent): a folder to mount, with the test guest and a script."""
    with contextlib.ExitStack() as stack:

        def make(words="", agent=False):
            path = stack.enter_context(vm.readable_folder("vml-container-"))
            made = vm.Netboot(path, assets / "netboot").script(words=words)
            if agent:
                (path / "agent.gz").write_bytes((assets / "agent/agent.gz").read_bytes())
                script = (path / "boot.ipxe").read_text()
                (path / "boot.ipxe").write_text(script.replace("\nboot", "\ninitrd agent.gz\nboot"))
            return made.path

        yield make


@pytest.fixture
def lab():
    with contextlib.ExitStack() as stack:
        yield lambda kind: stack.enter_context(lab_module.Lab(kind))
