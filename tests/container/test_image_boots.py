"""Network boots inside the image, whose firmware, iPXE and QEMU are Debian 13's: every kind of firmware, a boot that works
and the ones that do not, each with its exit code, the stages that it reached and no other, and what is said of it."""

import dataclasses
import json
import re
import shutil

import pytest

import lab as labs
import media
import vm
from containers import Container, podman

SMALL = ("-e", "MEMORY=512", "-e", "CPUS=1")
BRIDGE = ("-e", "NETWORK_MODE=bridge", "-e", "NETWORK_BRIDGE=br0", "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun")
IPXE, FIRMWARE = "iPXE", "firmware"
INSTALLED = "VM-LAUNCH-GUEST-INSTALLED"
DISK = "THE-INSTALLED-DISK-BOOTED"

# What a boot by iPXE goes through from DHCP on, and what one by the firmware's PXE and GRUB does.
BY_IPXE = ["discover", "offer", "dhcp", "fetch", "script", "kernel", "os"]
BY_FIRMWARE = [stage for stage in BY_IPXE if stage != "script"]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of VM: its settings, whose DHCP client boots, and what the guest's console is called."""

    settings: dict
    client: str = IPXE
    console: str = "ttyS0"
    bootfile: str = "boot.ipxe"

    def words(self, **more):
        settings = {**self.settings, **more}
        return [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]

    def stages(self):
        return BY_IPXE if self.client == IPXE else BY_FIRMWARE


KINDS = {
    "bios": Kind({"IPXE_ENABLE": "1"}),
    "uefi": Kind({"IPXE_ENABLE": "1", "BOOT_MODE": "uefi"}),
    "secure": Kind({"BOOT_ORDER": "network", "BOOT_MODE": "secure"}, client=FIRMWARE, bootfile="shimx64.efi"),
    "aarch64": Kind({"IPXE_ENABLE": "1", "ARCH": "aarch64"}, console="ttyAMA0"),
}
EACH = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def payloads():
    return vm.made_assets("--payloads") / "payloads"


@pytest.fixture
def netboot_folder():
    """pytest's own folder is for its owner alone, and QEMU runs as another user."""
    with labs.private_folder() as folder:
        yield folder


@pytest.fixture
def files_of(assets, payloads):
    """files_of(kind): the folder with the kernel and the initramfs that a guest of this kind boots."""
    return lambda kind: vm.made_assets("--arm64") / "arm64" if "ARCH" in kind.settings else assets / "netboot"


def script(kind, base="", kernel="vmlinuz", initramfs=("initrd.gz",), words=""):
    """The kernel's line names each initramfs for EFI's iPXE of 2019, and each is fetched by a line of its own."""
    named = " ".join(f"initrd={name}" for name in initramfs)
    line = f"{base}{kernel} {named} console={kind.console} no_timer_check {words}"
    fetched = "".join(f"initrd {base}{name}\n" for name in initramfs)
    return f"#!ipxe\necho {vm.SCRIPT_RAN}\nkernel {line}\n{fetched}boot\n"


def grub_menu(kernel="vmlinuz", initramfs=("initrd.gz",), words=""):
    files = " ".join(f"/{name}" for name in initramfs)
    return f"linux /{kernel} console=ttyS0 no_timer_check {words}\ninitrd {files}\nboot\n"


@pytest.fixture
def fill(files_of, payloads):
    """fill(folder, kind, kernel): everything that is served to a guest of this kind; its kernel may have a name that is not
    there."""

    def make(folder, kind, **changes):
        for name in ("vmlinuz", "initrd.gz"):
            shutil.copy(files_of(kind) / name, folder)
        (folder / "boot.ipxe").write_text(script(kind, **changes))
        if kind.client == FIRMWARE:
            (folder / "grub").mkdir(exist_ok=True)
            (folder / "grub/grub.cfg").write_text(grub_menu(**changes))
            for name in ("shimx64.efi", "grubx64.efi"):
                shutil.copy(payloads / name, folder)
        return folder

    return make


@pytest.fixture
def ends(image, tmp_path):
    """ends(kind, *flags, network, **settings): runs the image to its end; the exit code, the report, and what was said."""
    out = tmp_path / "out"
    out.mkdir()

    def run_it(kind, *flags, network=("--network", "none"), **settings):
        words = kind.words(BOOT_REPORT="/out/boot.json", **{"UNTIL": "os", **settings})
        with Container(*words, *SMALL, *flags, "-v", f"{out}:/out", network=network) as container:
            code = container.wait()
        report = out / "boot.json"
        told = json.loads(report.read_text()) if report.exists() else None
        assert told is None or told["exit_code"] == code
        return code, told, container.text

    return run_it


@pytest.fixture
def on_bridge(lab):
    """on_bridge(): a lab, and the flags with which a container's VM is on its bridge."""

    def make():
        net = lab("bridge")
        return net, ("--network", f"ns:/run/netns/{net.vm}")

    return make


def stages(told):
    return [mark["stage"] for mark in told["boots"][-1]["stages"] if mark["reached"]]


def assert_came_up(kind, code, told, text):
    assert code == 0, text[-3000:]
    assert told["verdict"] is None
    assert [stage for stage in kind.stages() if stage in stages(told)] == kind.stages()
    assert "agent" not in stages(told)  # no qemu-ga runs in this guest, whatever else opened its port
    assert [talk["client"] for talk in told["boots"][0]["dhcp"]][-1] == kind.client
    assert bool(told["boots"][0]["ipxe"]) == (kind.client == IPXE)


def assert_failed(kind, seen, code, after, words):
    """It failed so, and nothing behind the stage where it did is claimed."""
    exit_code, told, text = seen
    assert exit_code == code, text[-3000:]
    assert re.search(words, told["verdict"]["what"] + told["verdict"]["why"]), told["verdict"]
    known = kind.stages()
    assert not set(known[known.index(after) + 1 :] + ["agent"]) & set(stages(told))
    assert after in stages(told)


# -- nat: no right is needed


@EACH
def test_a_boot_that_works(ends, fill, netboot_folder, kind):
    folder = fill(netboot_folder, kind)
    seen = ends(kind, "-v", f"{folder}:/netboot:ro", NETBOOT_DIR="/netboot", NETBOOT_FILE=kind.bootfile)
    assert_came_up(kind, *seen)
    if "ARCH" in kind.settings:  # OVMF does not say its version
        assert seen[1]["boots"][0]["firmware"].startswith("edk2 20")


def test_another_nic_by_ipxes_program(ends, fill, netboot_folder):
    """The program drives what UEFI drives: Debian 13's ROM for this NIC is a driver alone, too."""
    kind = KINDS["uefi"]
    folder = fill(netboot_folder, kind)
    seen = ends(kind, "-v", f"{folder}:/netboot:ro", NETBOOT_DIR="/netboot", NIC_MODEL="e1000")
    assert_came_up(kind, *seen)
    assert "iPXE initialising devices" in seen[2]
    assert ">>Start PXE" not in seen[2]


UNTIL = {"bios": "agent", "uefi": "os", "aarch64": "kernel"}


@pytest.mark.parametrize("name", UNTIL)
def test_a_kernel_that_is_not_there(ends, fill, netboot_folder, name):
    """Debian 13's edk2 opens the agent's port itself: that is no agent, no operating system, no kernel."""
    kind = KINDS[name]
    folder = fill(netboot_folder, kind, kernel="nosuch")
    seen = ends(kind, "-v", f"{folder}:/netboot:ro", NETBOOT_DIR="/netboot", UNTIL=UNTIL[name])
    assert_failed(kind, seen, 13, "script", "404|not found|no such file")
    assert "nosuch" in seen[1]["verdict"]["what"]


@EACH
def test_a_network_that_names_nothing_to_boot(ends, kind):
    """A firmware's PXE does not even take such an offer."""
    assert_failed(kind, ends(kind), 12, "dhcp" if kind.client == IPXE else "offer", "named nothing to boot")


def test_ipxe_is_refused_under_secure_boot(ends):
    """Debian 13's ROM is a driver alone, and iPXE's program is signed by nobody: before anything starts."""
    code, told, text = ends(KINDS["secure"], IPXE_ENABLE="1")
    assert code == 3, text
    assert told is None
    assert "machine: QEMU built" not in text
    assert re.search(r"(?i)sign", text)
    assert re.search(r"hint: .*(shim|BOOT_MODE=uefi|--firmware uefi|PXE)", text)


# -- a bridge, and real servers


@EACH
def test_a_boot_on_a_bridge(ends, on_bridge, fill, files_of, kind):
    """By iPXE's script and HTTP; under Secure Boot by shim and GRUB, of which Debian's signed one has TFTP alone."""
    net, network = on_bridge()
    if kind.client == FIRMWARE:
        fill(net.folder / "tftp", kind)
    net.serve(files_of(kind), script(kind, base=f"http://{labs.SERVER}/"), bootfile=kind.bootfile)
    assert_came_up(kind, *ends(kind, *BRIDGE, network=network))
    assert net.requests() == ([("/vmlinuz", 200), ("/initrd.gz", 200)] if kind.client == IPXE else [])
    assert ("user class: iPXE" in net.dhcp_log()) == (kind.client == IPXE)


SERVED = {"x86_64": Kind({"BOOT_MODE": "uefi"}), "aarch64": Kind({"ARCH": "aarch64"}, console="ttyAMA0")}


@pytest.mark.parametrize("arch", SERVED)
def test_what_is_served_on_a_bridge_to_edk2s_own_client(ends, on_bridge, fill, files_of, netboot_folder, arch):
    """The image's iPXE program by its PXE and vm-launch's TFTP, and the script by HTTP. Without --netboot-dir nothing boots."""
    kind = SERVED[arch]
    net, network = on_bridge()
    net.ip("addr", "add", "10.77.0.3/24", "dev", "br0")
    net.serve(files_of(kind), "#!ipxe\nshell\n", bootfile=None)
    folder = fill(netboot_folder, kind)
    seen = ends(kind, *BRIDGE, "-v", f"{folder}:/netboot:ro", network=network, NETBOOT_DIR="/netboot", PXE="v4")
    assert_came_up(kind, *seen)
    firmware = seen[1]["boots"][0]["dhcp"][0]
    assert firmware["client"] == FIRMWARE and firmware["own_offer"]["file"].endswith(".efi")
    assert net.requests() == []


@EACH
def test_a_file_that_the_bridges_server_does_not_have(ends, on_bridge, files_of, kind):
    net, network = on_bridge()
    missing = script(kind, base=f"http://{labs.SERVER}/", kernel="nosuch")
    net.serve(files_of(kind), missing, bootfile="boot.ipxe" if kind.client == IPXE else "nosuch.efi")
    seen = ends(kind, *BRIDGE, network=network)
    assert_failed(kind, seen, 13, "script" if kind.client == IPXE else "dhcp", "404|not found|no such file")
    assert "nosuch" in seen[1]["verdict"]["what"]


@EACH
def test_nobody_answers_on_the_bridge(ends, on_bridge, kind):
    _, network = on_bridge()
    seen = ends(kind, *BRIDGE, network=network)
    assert_failed(kind, seen, 11, "discover", "no DHCP server answered")
    assert f"{'iPXE' if kind.client == IPXE else 'firmware'}" in seen[1]["verdict"]["why"]


# -- an installation, and an agent that is one


INSTALLS = {
    "bios": (KINDS["bios"], lambda: media.boot_sector(DISK).ljust(4096, b"\0")),
    "uefi": (KINDS["uefi"], lambda: media.efi_volume(DISK)),
    "firmware": (Kind({"BOOT_MODE": "uefi"}, client=FIRMWARE, bootfile="shimx64.efi"), lambda: media.efi_volume(DISK)),
}


@pytest.mark.parametrize("name", INSTALLS)
def test_an_installation_and_then_the_disk(ends, fill, netboot_folder, name):
    """BOOT_ONCE=network: the installer's reboot comes up from the disk that it wrote."""
    kind, image_of = INSTALLS[name]
    folder = fill(netboot_folder, kind, initramfs=("disk.cpio", "initrd.gz"), words="vml.install")
    files = [("install", 0o40755, b""), ("install/disk.img", 0o100644, image_of())]
    (folder / "disk.cpio").write_bytes(media.cpio(files))
    served = {"NETBOOT_DIR": "/netboot", "NETBOOT_FILE": kind.bootfile}
    disk = {"BOOT_ONCE": "network", "BLANK_DISK": "1", "DISK_SIZE": "64M"}
    code, told, text = ends(kind, "-v", f"{folder}:/netboot:ro", UNTIL=f"console:{DISK}", **served, **disk)
    assert code == 0, text[-3000:]
    assert len(told["boots"]) == 2, "the network's boot and the disk's"
    assert text.index(INSTALLED) < text.index(DISK)
    assert text.count(INSTALLED) == 1


def test_an_agent_counts_when_it_answers(image, fill, netboot_folder, assets):
    """Under UEFI the firmware has the agent's port open from the start; `health` waits for the guest's own qemu-ga."""
    kind = KINDS["uefi"]
    folder = fill(netboot_folder, kind, initramfs=("initrd.gz", "agent.gz"), words="vml.stay")
    shutil.copy(assets / "agent/agent.gz", folder)
    words = kind.words(NETBOOT_DIR="/netboot", HEALTH_STAGE="agent")
    with Container(*words, *SMALL, "-v", f"{folder}:/netboot:ro") as container:
        container.wait_text(vm.SCRIPT_RAN)
        assert container.status()["stage"] not in ("os", "agent")
        assert container.exec("vm-launch", "health").returncode != 0
        container.wait_text("guest agent:")
        assert "VM-LAUNCH-GUEST-AGENT" in container.text
        done = container.exec("vm-launch", "exec", "--", "uname", "-m")
        assert (done.returncode, done.stdout) == (0, "x86_64\n")
        assert container.exec("vm-launch", "exec", "--", "sh", "-c", "exit 7").returncode == 7
        assert container.status()["stage"] == "agent"
        assert container.exec("vm-launch", "health").returncode == 0
        podman("stop", container.name)
        assert container.wait() == 0
        assert vm.POWER_BUTTON in container.text
