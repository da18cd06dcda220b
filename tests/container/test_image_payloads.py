"""What people boot from a network besides a kernel by iPXE, inside the image: tests of tests/netns/test_payloads.py, with Debian 13's
firmware, iPXE and QEMU in place of this machine's. Those whose outcome hangs on the server, or on a program that is the same on
both, are not run again."""

import pytest

import lab as labs
import test_payloads as on_the_host
import vm
from containers import DOCKER_DEFAULTS, IMAGE, RUNTIME, podman
from lab_boot import LabBoot
from test_payloads import (  # noqa: F401: fixtures and tests are found by their names
    comes_up,
    linux_cd,
    payloads,
    served,
    test_memdisk_with_a_cd,
    test_proxydhcp_beside_plain_dhcp,
    test_sanboot_by_http,
    test_sanboot_by_iscsi,
    test_snponly_by_the_firmwares_own_pxe,
    test_undionly_chain,
)

pytestmark = pytest.mark.slow


class ImageBoot(LabBoot):
    """The image as a user runs it on a host with a bridge, with flags for settings; files have the same place inside and outside."""

    def command(self):
        program, *arguments = super(LabBoot, self).command()
        assert program == str(vm.BINARY)
        rights = ("--cap-add", "NET_ADMIN", "--device", "/dev/net/tun")
        folders = [word for folder in self.mounted for word in ("-v", f"{folder}:{folder}")]
        network = ("--network", f"ns:/run/netns/{self.lab.vm}")
        return ["podman", "run", "--rm", "--name", self.name, *RUNTIME, *DOCKER_DEFAULTS, *rights, *network, *folders, IMAGE, *arguments]

    def end(self):
        podman("rm", "-f", "-t", "0", self.name, check=False)
        return super().end()


@pytest.fixture(scope="session")
def assets():
    return vm.made_assets() / "netboot"


@pytest.fixture
def boot(image, tmp_path):
    """boot(lab, *arguments): a run of the image there, not started yet."""
    with labs.private_folder() as folder:

        def make(lab, *arguments, **options):
            made = ImageBoot(lab, folder, *arguments, **options)
            made.mounted = {tmp_path} | {word.parent for word in arguments if hasattr(word, "parent")}
            return made

        yield make


def test_pxelinux_with_a_menu(served, comes_up):
    on_the_host.test_pxelinux_with_a_menu(served, comes_up, 3)


def test_grubs_net_image_on_bios(served, comes_up):
    on_the_host.test_grubs_net_image_on_bios(served, comes_up, 3, on_the_host.no_choice)


def test_grub_by_the_firmwares_own_pxe(served, comes_up):
    on_the_host.test_grub_by_the_firmwares_own_pxe(served, comes_up, 3, on_the_host.no_choice)
