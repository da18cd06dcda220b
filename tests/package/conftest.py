"""The packages, made once: on Debian 13 by scripts/container, as the image's build stage is there already. VML_PACKAGES names a folder
that scripts/package filled on this machine."""

import os
import pathlib
import subprocess

import pytest

from packing import ROOT, Packages, run  # makes the next one importable

from containers import need_root


@pytest.fixture(scope="session")
def packages():
    if folder := os.environ.get("VML_PACKAGES"):
        return Packages(pathlib.Path(folder).resolve())
    need_root()
    subprocess.run([ROOT / "scripts/container", "package"], check=True)
    return Packages(ROOT / "build/container/package")


@pytest.fixture(scope="session")
def deb_tree(packages, tmp_path_factory):
    """The Debian package, unpacked and not installed."""
    folder = tmp_path_factory.mktemp("deb")
    run("dpkg-deb", "-R", packages.deb, folder)
    return folder


@pytest.fixture(scope="session")
def tar_tree(packages, tmp_path_factory):
    """The tarball, unpacked as docs/packages.md has it: the prefix."""
    folder = tmp_path_factory.mktemp("tar")
    run("tar", "-C", folder, "--strip-components=1", "-xzf", packages.tarball)
    return folder
