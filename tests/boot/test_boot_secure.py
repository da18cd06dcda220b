"""Secure Boot for real: keys enrolled, SMM, a TPM; signed loaders boot, unsigned ones are refused."""

import re
import shutil
import signal

import pytest

import media
import vm

UNSIGNED = "THE-UNSIGNED-PROGRAM-RAN"
GRUB_RAN = "GRUB-RAN-ITS-SCRIPT"
SECURE = ("--firmware", "secure", *vm.SMALL)

pytestmark = pytest.mark.slow


@pytest.fixture
def signed(installer, netboot):
    """Debian's signed shim and GRUB, a script for GRUB that boots Debian's signed kernel, and a program that nobody signed."""
    folder = netboot.path
    (folder / "debian-installer/amd64/grub").mkdir(parents=True)
    for name in ("bootnetx64.efi", "grubx64.efi"):
        shutil.copy(installer / name, folder)
    menu = f"echo {GRUB_RAN}\nlinux /vmlinuz console=ttyS0 no_timer_check\ninitrd /initrd.gz\nboot\n"
    (folder / "debian-installer/amd64/grub/grub.cfg").write_text(menu)
    (folder / "unsigned.efi").write_bytes(media.efi_program(UNSIGNED))
    return folder


def test_signed_loaders_boot_by_the_firmwares_pxe_and_unsigned_ones_are_refused(boot, signed, tmp_path):
    """The same VM twice, with its variables and its TPM kept: shim, GRUB and a kernel first, then a loader that nobody signed."""
    data = tmp_path / "data"
    data.mkdir()
    arguments = (*SECURE, "--boot-order", "network", "--pxe", "v4", "--netboot-dir", signed, "--data-dir", data)
    with boot(*arguments) as run:  # the folder's shim is known by its name
        run.wait_text("Start PXE")
        assert "swtpm" in {vm.name_of(pid) for pid in vm.processes_with(run.name.encode())}
        assert run.wait_exit() == 0
        assert GRUB_RAN in run.text() and vm.GUEST_UP in run.text()
    assert (data / run.name / "tpm.state").stat().st_size > 0
    again = boot(*arguments, "--bootfile", "unsigned.efi")
    again.name = run.name
    with again:
        assert again.wait_exit() == 14
        assert re.search("BdsDxe: failed to load .*: Access Denied", again.text())
        assert "Secure Boot refused what was to be booted" in again.text("own")
        assert UNSIGNED not in again.text()
        assert "swtpm ended" not in again.text("own")
        assert "UEFI HTTPv4" not in again.text()  # nobody waits for what the firmware would try next


def test_http_boot_of_a_signed_loader(boot, signed, web_of):
    """The firmware's own HTTP client fetches Debian's shim from vm-launch, which fetches GRUB from beside it, past files that are
    not there; an unsigned loader, of another server, is refused."""
    web = web_of(signed)
    arguments = (*SECURE, "--boot-order", "network", "--pxe", "http4")
    with boot(*arguments, "--netboot-dir", signed) as run:
        run.wait_text("Start HTTP Boot over IPv4")
        run.wait_text("grub>|Welcome to GRUB")
        assert "Start PXE" not in run.text()
        run.signal(signal.SIGTERM)
        run.wait_exit()
    with boot(*arguments, "--bootfile", f"{web}/unsigned.efi") as run:
        assert run.wait_exit() == 14
        assert "Secure Boot refused what was to be booted" in run.text("own")
        assert UNSIGNED not in run.text()


def test_ipxe_runs_and_what_it_loads_must_be_signed(boot, signed, ipxes):
    """OVMF runs the ROM, which nobody signed, and its script; of the programs that the script names, the one that
    nobody signed is refused and Debian's shim starts."""
    (signed / "boot.ipxe").write_text(
        "#!ipxe\necho SCRIPT-RAN\nchain unsigned.efi || echo REFUSED-UNSIGNED\nchain bootnetx64.efi\n"
    )
    rom = ipxes / "12/efi-virtio.rom"  # Debian 13's is a driver alone
    with boot(*SECURE, "--ipxe", "--ipxe-rom", rom, "--netboot-dir", signed) as run:
        run.wait_text("Fetching Netboot Image")  # shim's words
        text = run.text()
        assert text.index("SCRIPT-RAN") < text.index("REFUSED-UNSIGNED")
        assert UNSIGNED not in text
        assert "whatever iPXE starts must be signed" in run.text("own")


def test_ipxe_without_a_rom_that_boots_it_is_refused_before_the_start(signed, ipxes):
    """Debian 13's ROM is a driver alone, and iPXE's program, which could stand in for it, is signed by nobody."""
    (signed / "boot.ipxe").write_text("#!ipxe\n")
    for name in ("efi-virtio.rom", "ipxe.efi"):
        refused = vm.run(*SECURE, "--ipxe", "--ipxe-rom", ipxes / "13" / name, "--netboot-dir", signed)
        assert refused.returncode == 3, refused.stderr
        assert "machine: QEMU built" not in refused.stderr
        assert re.search("driver alone|not signed", refused.stderr)
        assert "hint:" in refused.stderr
