"""scripts/container both, with stand-ins for what makes images: what is asked of them. The image itself: tests/container."""

import shutil
import subprocess

import pytest

from launch import DEADLINE, ROOT

# Each writes down what it was asked for; no image is there before.
TOOLS = {
    "podman": 'case "$1 $2" in "image exists") exit 1 ;; "image inspect") ;; *) echo "podman $*" >>"$ASKED" ;; esac',
    "buildah": 'echo "buildah $*" >>"$ASKED"',
    "debootstrap": 'for tree; do :; done; mkdir -p "$tree/etc/dpkg/dpkg.cfg.d" "$tree/var"; for name in doc info lintian locale man; do '
    'mkdir -p "$tree/usr/share/$name"; done; echo "debootstrap $*" >>"$ASKED"',
    "dpkg": "echo amd64",
}


@pytest.fixture
def both(tmp_path):
    """both(flags): the script's result, and what it asked for, where the kernel's entry for aarch64 has these flags."""
    for name, body in TOOLS.items():
        path = tmp_path / "tools" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    for name in ("scripts/container", "scripts/lib/common.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    asked = tmp_path / "asked"

    def run(flags):
        (tmp_path / "binfmt").mkdir()
        if flags is not None:
            (tmp_path / "binfmt/qemu-aarch64").write_text(f"enabled\ninterpreter /usr/bin/qemu\nflags: {flags}\n")
        environment = {"PATH": f"{tmp_path}/tools:/usr/sbin:/usr/bin:/bin", "ASKED": str(asked), "HOME": str(tmp_path),
                       "VML_BINFMT_MISC": str(tmp_path / "binfmt")}  # fmt: skip
        result = subprocess.run([tmp_path / "scripts/container", "both"], env=environment, capture_output=True, text=True,
                                timeout=DEADLINE, check=False)  # fmt: skip
        return result, asked.read_text().splitlines() if asked.exists() else []

    return run


def test_both_images_are_made_and_joined(both):
    result, asked = both("POF")
    assert result.returncode == 0, result.stderr
    assert [line.split()[3] for line in asked if line.startswith("debootstrap")] == ["amd64", "arm64"]
    own, other = (line for line in asked if line.startswith("buildah bud"))
    assert "-t vm-launch:amd64 " in own and "TARGETARCH" not in own
    assert "-t vm-launch:arm64 " in other
    assert "--build-arg TARGETARCH=arm64 --build-arg SYSTEM_BASE=localhost/debian:trixie-slim-arm64 " in other
    assert asked[-1].endswith("localhost/vm-launch:both localhost/vm-launch:amd64 localhost/vm-launch:arm64")


@pytest.mark.parametrize("flags", [None, "PO"])
def test_a_machine_without_an_emulator_is_told_what_to_install(both, flags):
    """One that the kernel would look for in the image (no F) is none."""
    result, asked = both(flags)
    assert result.returncode == 1
    assert "cannot run programs of arm64" in result.stderr and "qemu-user-static" in result.stderr
    assert asked == []
