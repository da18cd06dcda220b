"""What the tests of the packages share."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/container"))  # `from containers import …`
DEADLINE = 300


def run(*words, check=True, **options):
    return subprocess.run([*map(str, words)], check=check, capture_output=True, text=True, timeout=DEADLINE, **options)


class Packages:
    def __init__(self, folder):
        self.folder = folder
        [self.deb] = folder.glob("*.deb")
        [self.tarball] = folder.glob("*.tar.gz")
        [self.sbom] = folder.glob("*.spdx.json")
        self.sums = (folder / "SHA256SUMS").read_text()
