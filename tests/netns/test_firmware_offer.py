"""UEFI's own clients on a bridge: the address comes from the network's DHCP server, the boot program from vm-launch on the guest's
own link, and iPXE after it gets the script. No --ipxe, no ROM."""

import contextlib
import json
import shutil
import subprocess

import pytest

import lab as labs
import pcap
import vm
from frames import Frames
from pasted import Pasted

HOST = "10.77.0.3"
OUR_MAC = bytes.fromhex("02564d4c5241")  # netserve/frame_bytes.h
BRIDGE = ("--no-ipxe", "--network", "bridge", "--bridge", "br0", "--log-level", "debug", *vm.SMALL)
RAN = "THE-OFFERED-SCRIPT-RAN"
THEIRS = "THE-NETWORKS-OWN-SCRIPT"
GRUB_RAN = "GRUB-RAN-ITS-SCRIPT"
TFTP, BOOT_SERVER = b"\x00\x45", b"\x0f\xab"


@pytest.fixture
def net(lab, assets):
    """net(…): a bridge on which the host has an address, and the network's own servers."""

    def make(**options):
        made = lab("bridge")
        made.ip("addr", "add", f"{HOST}/24", "dev", "br0")
        return made.serve(assets, f"#!ipxe\necho {THEIRS}\nshell\n", **options)

    return make


@pytest.fixture(scope="session")
def ipxes():
    return vm.made_assets("--ipxe") / "ipxe"


@pytest.fixture(scope="session")
def installer():
    return vm.made_assets("--debian-installer") / "debian-installer"


@pytest.fixture
def folder():
    with labs.private_folder() as path:
        (path / "boot.ipxe").write_text(f"#!ipxe\necho {RAN}\nsleep 600\n")
        yield path


def is_ours(frame):
    return frame[6:12] == OUR_MAC


def is_kept(frame):
    """What the guest sends to TFTP's port and to boot servers', and what a kernel says to it of closed ports."""
    if frame[12:14] != b"\x08\x00":
        return False
    unreachable = frame[23] == 1 and frame[34] == 3
    return unreachable or (frame[23] == 17 and (frame[36:38] in (TFTP, BOOT_SERVER)))


def is_discover(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == b"\x00\x43"


@contextlib.contextmanager
def watched(there):
    """Nothing that vm-launch answers, and nothing that it is asked, is seen on another port, by the host or by the servers."""
    there.ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    there.ip("link", "set", "other0", "master", "br0", "up")
    there.ip("link", "set", "other1", "up")
    places = [(there.srv, "srv0"), (there.vm, "other1"), (there.vm, "br0")]
    with contextlib.ExitStack() as stack:
        secret = [stack.enter_context(Frames(*place, lambda f: is_ours(f) or is_kept(f))) for place in places]
        searches = [stack.enter_context(Frames(*place, is_discover)) for place in places]
        yield
    assert all(frames.seen for frames in searches), "the guest's search was not seen outside: a watch is blind"
    assert [frames.seen for frames in secret] == [[], [], []]


def talk_of(report, client):
    return next(talk for talk in json.loads(report.read_text())["boots"][0]["dhcp"] if talk["client"] == client)


def fetched(report):
    return [fetch["url"] for fetch in json.loads(report.read_text())["boots"][0]["fetches"]]


@pytest.mark.slow
def test_pxe_goes_before_the_networks_own_file_and_nobody_else_sees_it(net, boot, folder, ipxes, tmp_path):
    there = net(bootfile="boot.ipxe")
    shutil.copy(ipxes / "13/ipxe.efi", folder / "ipxe.efi")
    report = tmp_path / "boot.json"
    with watched(there), boot(there, *BRIDGE, "--firmware", "uefi", "--netboot-dir", folder, "--report", report) as run:
        run.wait_text(RAN)
        assert THEIRS not in run.text() and "Start PXE over IPv4" in run.text()
        assert "the firmware takes vm-launch's file before the network's own (boot.ipxe, named by 10.77.0.1)" in run.text("own")
        run.stop()
    assert talk_of(report, "firmware")["own_offer"]["file"] == "ipxe.efi"
    assert talk_of(report, "iPXE")["own_offer"]["file"].endswith("/boot.ipxe")
    urls = fetched(report)
    assert urls[0] == f"tftp://{HOST}/ipxe.efi" and urls[-1].endswith("/boot.ipxe"), urls
    assert there.requests() == []


@pytest.mark.slow
def test_a_kernel_boots_by_the_firmwares_own_client(net, boot, folder, ipxes, assets, tmp_path):
    """By iPXE that the firmware loads; the firmware's offers have DHCP options too."""
    shutil.copy(ipxes / "13/ipxe.efi", folder / "ipxe.efi")
    kernel = ("--kernel", assets / "vmlinuz", "--initrd", assets / "initrd.gz", "--append", "console=ttyS0 no_timer_check")
    options = ("--dhcp-option", "config-file=A-VALUE", "--dhcp-option", "175.83=u8:83")
    reports = [tmp_path / f"boot.{kind}" for kind in ("json", "pcapng")]
    flags = ("--firmware", "uefi", "--netboot-dir", folder, *kernel, *options)
    with boot(net(), *BRIDGE, *flags, *(word for report in reports for word in ("--report", report))) as run:
        run.wait_text(vm.GUEST_UP)
        assert "Start PXE over IPv4" in run.text() and "tftp: ipxe.efi" in run.text("own")
        run.stop()
    assert [url.rsplit("/", 1)[-1] for url in fetched(reports[0])][-3:] == ["kernel.ipxe", "vmlinuz", "initrd.gz"]
    ours = [packet.frame for packet in pcap.read_pcapng(reports[1]).packets if is_ours(packet.frame)]
    offers = [offer for offer in map(pcap.parse_frame, ours) if isinstance(offer, pcap.Dhcp) and offer.kind == pcap.OFFER]
    assert {(offer.options[209], 175 in offer.options) for offer in offers} == {(b"A-VALUE", False), (b"A-VALUE", True)}


@pytest.mark.slow
def test_http_boot_goes_before_the_networks_own_file(net, boot, folder, ipxes):
    there = net()
    shutil.copy(ipxes / "13/ipxe.efi", folder / "ipxe.efi")
    flags = ("--firmware", "uefi", "--pxe", "http4", "--netboot-dir", folder)
    with watched(there), boot(there, *BRIDGE, *flags) as run:
        run.wait_text(RAN)
        assert "Start HTTP Boot over IPv4" in run.text() and "tftp" not in run.text("own")
        assert THEIRS not in run.text()
        run.stop()


@pytest.mark.slow
def test_secure_boot_gets_the_signed_chain(net, boot, folder, installer):
    """shim asks for GRUB where it came from itself."""
    (folder / "boot.ipxe").unlink()
    (folder / "debian-installer/amd64/grub").mkdir(parents=True)
    for name in ("bootnetx64.efi", "grubx64.efi"):
        shutil.copy(installer / name, folder)
    (folder / "debian-installer/amd64/grub/grub.cfg").write_text(f"echo {GRUB_RAN}\nhalt\n")
    there = net(bootfile="boot.ipxe", options=(f"--dhcp-boot=theirs,,{labs.SERVER}",))
    with boot(there, *BRIDGE, "--firmware", "secure", "--pxe", "v4", "--netboot-dir", folder) as run:
        run.wait_text("grub>|Welcome to GRUB|" + GRUB_RAN)
        assert "tftp: grubx64.efi" in run.text("own")
        run.stop()


@pytest.mark.slow
def test_arm_too(net, boot, folder):
    shutil.copy(vm.made_assets("--arm64") / "arm64/ipxe-arm64.efi", folder)
    with boot(net(bootfile=None), *BRIDGE, "--arch", "aarch64", "--netboot-dir", folder) as run:
        run.wait_text(RAN)
        assert "tftp: ipxe-arm64.efi" in run.text("own")
        run.stop()


def test_what_is_planned_is_said(net, folder, ipxes):
    shutil.copy(ipxes / "13/ipxe.efi", folder / "ipxe.efi")
    there = net()
    words = there.inside(str(vm.BINARY), "plan", *BRIDGE, "--firmware", "uefi", "--netboot-dir", str(folder))
    text = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=True).stdout
    assert f"tftp://{HOST}/ipxe.efi from vm-launch: a ProxyDHCP offer" in text
    assert f"UDP port 69 of {HOST}, or to 4011 of whomever" in text


def commands(there, *flags):
    """The shell's, of this plan."""
    words = there.inside(str(vm.BINARY), "plan", "--network", "bridge", "--bridge", "br0", *map(str, flags), *vm.SMALL, "--format", "sh")
    text = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=True).stdout
    subprocess.run(["sh", "-n"], input=text, text=True, timeout=60, check=True)
    return text


def test_the_plans_commands_boot_from_the_networks_own_servers(lab, assets, folder, ipxes):
    """A shell offers nobody anything: what the network's servers have to do in vm-launch's place stands in comments."""
    shutil.copy(ipxes / "13/ipxe.efi", folder / "ipxe.efi")
    there = lab("bridge").serve(assets, labs.http_script())
    there.ip("addr", "add", f"{HOST}/24", "dev", "br0")
    for client in ("v4", "http4"):
        text = commands(there, "--firmware", "uefi", "--pxe", client, "--netboot-dir", folder)
        assert "have to name ipxe.efi and serve it" in text and "have to name boot.ipxe and serve it" in text
    text = commands(there, "--ipxe", "--netboot-dir", folder)
    assert f"have to name boot.ipxe and serve it\n# what vm-launch would serve is all of {folder}\n" in text
    with Pasted(text, words=there.inside("sh"), cwd=folder) as shell:
        code, shown = shell.wait_exit()
    assert code == 0 and vm.SCRIPT_RAN in shown and vm.GUEST_UP in shown, shown
