"""UEFI's own clients load iPXE from vm-launch, and iPXE what vm-launch offers it: no --ipxe, no ROM, user-mode network."""

import json
import shutil

import pytest

import vm

IPXE, FIRMWARE = "iPXE", "firmware"
RAN = "THE-OFFERED-SCRIPT-RAN"
UEFI = ("--firmware", "uefi", "--no-ipxe", *vm.SMALL)
LAST = "y" * 178  # of 1200 bytes of options, the most that an offer to iPXE has room for


@pytest.fixture
def served(tmp_path):
    """served(FILE, NAME): a folder with a script and that iPXE program."""

    def make(program, name):
        folder = tmp_path / "served"
        folder.mkdir()
        shutil.copy(program, folder / name)
        script = f"#!ipxe\niseq ${{228:string}} {LAST} && set whole and-all ||\necho {RAN} ${{user-class}} ${{209:string}} ${{175.83:uint8}} ${{whole}}\n"
        (folder / "boot.ipxe").write_text(script + "sleep 600\n")
        return folder

    return make


def test_pxe_loads_ipxe_by_tftp_and_ipxe_the_script_by_http(boot, served, tmp_path):
    """iPXE of 2019, as snponly.efi; and what DHCP options it is given beside the script: as many as fit into a frame."""
    folder = served(vm.made_assets("--payloads") / "payloads/snponly.efi", "snponly.efi")
    report = tmp_path / "boot.json"
    options = ("--dhcp-option", "config-file=A-VALUE", "--dhcp-option", "175.83=u8:83")
    for code in range(224, 229):
        options += ("--dhcp-option", f"{code}={LAST if code == 228 else 'x' * 250}")
    with boot(*UEFI, "--netboot-dir", folder, *options, "--report", report) as run:
        run.wait_text(f"{RAN} .*A-VALUE 0x53 and-all")
        assert [packet.sender for packet in run.dhcp()][0] == FIRMWARE
        assert IPXE in {packet.sender for packet in run.dhcp()}
        assert "Start PXE over IPv4" in run.text() and "HTTP Boot" not in run.text()
        run.stop()
    boots = json.loads(report.read_text())["boots"][0]
    fetched = [fetch["url"] for fetch in boots["fetches"]]
    assert fetched[0] == "tftp://10.0.2.2/snponly.efi" and fetched[-1].endswith("/boot.ipxe"), fetched
    assert len([url for url in fetched if url.endswith("snponly.efi")]) <= 2, "iPXE got itself again"


def test_a_loader_that_goes_on_by_itself_gets_the_dhcp_options(boot, tmp_path, payloads):
    """SYSLINUX for UEFI reads its configuration's name out of what the firmware was answered."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name in ("syslinux.efi", "ldlinux.e64"):
        shutil.copy(payloads / name, folder)
    (folder / "mine.cfg").write_text("SAY THE-OPTIONS-FILE-WAS-READ\n")
    options = ("--bootfile", "syslinux.efi", "--dhcp-option", "config-file=mine.cfg")
    with boot(*UEFI, "--netboot-dir", folder, *options) as run:
        run.wait_file("mine.cfg")
        assert not any("pxelinux.cfg" in str(name) for name in run.fetched())
        run.stop()


def test_http_boot_loads_ipxe_and_all_else_by_http(boot, served, ipxes):
    """iPXE of 2025, which has its own driver for the NIC."""
    folder = served(ipxes / "13/ipxe.efi", "ipxe.efi")
    with boot(*UEFI, "--pxe", "http4", "--netboot-dir", folder) as run:
        run.wait_text(RAN)
        assert "Start HTTP Boot over IPv4" in run.text() and "Start PXE" not in run.text()
        assert not any("tftp" in str(url) for url in run.fetched())
        run.stop()
