"""The Debian package on Debian 12 and 13: in the image that the container is based on, where nothing of QEMU is, and in the
container's own, which has all that it depends on."""

import subprocess

import pytest

from packing import ROOT
from containers import RUNTIME, built_image, need_root

DEADLINE = 300

# What dpkg itself writes; the rest of the file system has to be as it was.
LEFT_OUT = " ".join(f"! -path '{path}'" for path in ("/proc/*", "/sys/*", "/dev/*", "/var/lib/dpkg*", "/var/log/*", "/tmp/*"))
LIST = f"find / -xdev {LEFT_OUT} | sort"
# Docker's slim images leave out documents and man pages; here they are wanted.
DPKG = "dpkg --path-include='/usr/share/*'"


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def base(request):
    need_root()
    made = subprocess.run([ROOT / "scripts/container", "base", request.param], check=True, capture_output=True, text=True)
    return made.stdout.split()[-1]


@pytest.fixture(scope="module")
def image():
    return built_image()


def inside(image, packages, script, network="none"):
    """The script, with the package as /tmp/vm-launch.deb."""
    mount = ("-v", f"{packages.deb}:/tmp/vm-launch.deb:ro", "-e", "DEBIAN_FRONTEND=noninteractive")
    line = ["podman", "run", "--rm", "--network", network, *RUNTIME, *mount, "--entrypoint", "sh", image, "-euc", script]
    return subprocess.run(line, check=False, capture_output=True, text=True, timeout=DEADLINE)


def test_apt_has_what_it_depends_on(base, packages):
    result = inside(base, packages, "apt-get update -qq -o Acquire::Retries=5 >&2; apt-get install -s /tmp/vm-launch.deb", network="host")
    assert result.returncode == 0, result
    lines = result.stdout.splitlines()
    for name in ("qemu-system-x86", "ipxe-qemu", "seabios", "ovmf", "vm-launch"):
        assert any(line.startswith(f"Inst {name} ") for line in lines), name


def test_it_installs_upgrades_runs_and_leaves_nothing(base, packages):
    script = f"""
        {LIST} >/tmp/before
        {DPKG} --force-depends -i /tmp/vm-launch.deb
        {DPKG} --force-depends -i /tmp/vm-launch.deb
        echo; echo "verified: $(dpkg -V vm-launch)"
        vm-launch --version
        ls /usr/share/man/man1/vm-launch.1.gz /usr/share/bash-completion/completions/vm-launch
        code=0; vm-launch doctor || code=$?; echo "doctor: $code"
        dpkg -r --force-depends vm-launch
        dpkg -P vm-launch
        {LIST} >/tmp/after
        diff /tmp/before /tmp/after && echo "nothing is left"
    """
    result = inside(base, packages, script)
    said = result.stdout
    assert result.returncode == 0, result
    assert "\nverified: \n" in said and "\nnothing is left\n" in said
    assert "doctor: 3" in said and "apt-get install qemu-system-x86" in said + result.stderr


def test_it_plans_a_boot_where_its_dependencies_are(image, packages):
    script = f"""
        rm /usr/bin/vm-launch /usr/bin/guest-exec
        {DPKG} -i /tmp/vm-launch.deb
        vm-launch plan --ipxe --config /usr/share/doc/vm-launch/examples/nat.json
    """
    result = inside(image, packages, script)
    assert result.returncode == 0, result
    assert "qemu-system-x86_64" in result.stdout and "romfile=" in result.stdout
