"""What people boot from a network besides a kernel by iPXE, from real servers: each must come up, and be told as it was.

Everything that waits here waits for long on purpose, as menus and slow servers do; nothing is judged by how long it took."""

import json
import shutil
import socket
import time

import pexpect
import pytest

import lab as labs
import media
import vm

DISK = "THE-DISK-BOOTED"
KERNEL_LINE = "console=ttyS0 no_timer_check"
WEB = f"http://{labs.SERVER}"
LINUX = f"kernel {WEB}/vmlinuz initrd=initrd.gz {KERNEL_LINE}\ninitrd {WEB}/initrd.gz\nboot\n"
BRIDGE = ("--network", "bridge", "--bridge", "br0", *vm.SMALL)
IPXE = ("--ipxe", *BRIDGE)
UEFI = ("--firmware", "uefi")
BOTH = pytest.mark.parametrize("firmware", ["legacy", "uefi"])

# dnsmasq: iPXE is told by its user class (option 77), as its own documentation has it.
IPXE_IS_KNOWN = "--dhcp-userclass=set:ipxe,iPXE"

PXELINUX = ("pxelinux.0", "ldlinux.c32", "menu.c32", "libutil.c32", "libcom32.c32")
PXELINUX_MENU = """serial 0 115200
ui menu.c32
timeout {tenths}
default {choice}
label linux
  kernel vmlinuz
  append initrd=initrd.gz {words}
label local
  localboot 0
"""

GRUB_MENU = """serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout={seconds}
set default=0
menuentry 'Linux of the network' {{
    linux (http,{server})/vmlinuz {words}
    initrd (http,{server})/initrd.gz
}}
menuentry 'nothing' {{ true }}
"""


def grub_menu(seconds):
    return GRUB_MENU.format(seconds=seconds, words=KERNEL_LINE, server=labs.SERVER)


@pytest.fixture(scope="session")
def payloads():
    return vm.made_assets("--payloads") / "payloads"


@pytest.fixture
def served(lab, assets, payloads):
    """served(script, *names, **options of Lab.serve): a lab with these payloads, the kernel and the initramfs by TFTP and HTTP."""

    def make(script, *names, **options):
        net = lab("bridge")
        provide(net, payloads, *names)
        provide(net, assets, "vmlinuz", "initrd.gz")
        return net.serve(assets, script, **options)

    return make


def provide(net, folder, *names):
    for place in ("tftp", "http"):
        for name in names:
            shutil.copy(folder / name, net.folder / place)


def write(net, name, text):
    path = net.folder / "tftp" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
def comes_up(boot, tmp_path):
    """comes_up(net, *arguments, until=…): boots to that stage, 0, without a verdict; gives the report and the run."""

    def run_it(net, *arguments, until="os", while_it_runs=lambda run: None):
        report = tmp_path / "boot.json"
        with boot(net, *arguments, "--until", until, "--report", str(report)) as run:
            while_it_runs(run)
            assert run.wait_exit() == 0
            told = json.loads(report.read_text())
            assert told["verdict"] is None
            assert told["exit_code"] == 0
            assert "error[" not in run.text("own")
            assert len(told["boots"]) == 1
        return told, run

    return run_it


def stages(told):
    return [mark["stage"] for mark in told["boots"][-1]["stages"] if mark["reached"]]


def urls(told):
    """The names of what was fetched, without questions for a file's size."""
    sizes = ("http-head", "http-range", "tftp-size")
    return [fetch["url"].rsplit("/", 1)[-1] for fetch in told["boots"][-1]["fetches"] if fetch["protocol"] not in sizes]


# -- boot programs with menus of their own

LONG = 45  # seconds
QUICK_AND_LONG = pytest.mark.parametrize("seconds", [3, pytest.param(LONG, marks=pytest.mark.slow)])


@QUICK_AND_LONG
def test_pxelinux_with_a_menu(served, comes_up, seconds):
    """Its countdown is on the serial port, and nothing else happens."""
    net = served("", *PXELINUX, bootfile="pxelinux.0")
    menu = PXELINUX_MENU.format(tenths=10 * seconds, choice="linux", words=KERNEL_LINE)
    write(net, "pxelinux.cfg/default", menu)
    told, run = comes_up(net, *IPXE)
    assert "Automatic boot in" in run.text()
    assert "pxelinux.0" in urls(told)
    assert "script" not in stages(told)  # nobody ran an iPXE script


def test_pxelinux_that_gives_way_to_the_disk(served, comes_up):
    """`localboot 0`: the menu's entry for a machine that is installed already."""
    net = served("", *PXELINUX, bootfile="pxelinux.0")
    write(net, "pxelinux.cfg/default", PXELINUX_MENU.format(tenths=10, choice="local", words=KERNEL_LINE))
    with labs.private_folder() as folder:
        disk = media.write_disk(folder / "disk.img", DISK)
        disk.chmod(0o666)
        told, _ = comes_up(net, *IPXE, "--boot-order", "network,hd", "--disk", disk, until=f"console:{DISK}")
    assert not {"kernel", "os"} & set(stages(told))


SYSLINUX_EFI = ("syslinux.efi", "ldlinux.e64")
LABEL_LINUX = f"default linux\nlabel linux\n  kernel vmlinuz\n  append initrd=initrd.gz {KERNEL_LINE}\n"


def test_syslinux_efi_by_the_firmwares_own_pxe(served, comes_up):
    net = served("", *SYSLINUX_EFI, bootfile="syslinux.efi")
    write(net, "pxelinux.cfg/default", LABEL_LINUX)
    told, _ = comes_up(net, *BRIDGE, *UEFI, "--boot-order", "network")
    assert [name for name in urls(told) if name in SYSLINUX_EFI] == list(SYSLINUX_EFI)
    assert not {"rom", "script"} & set(stages(told))


def test_syslinux_efi_by_ipxe(served, boot):
    """It cannot: it takes the firmware's UDP of the NIC that it was loaded from, and that of iPXE has none. So it was with each
    iPXE of Debian 12 and 13, as ROM and as program, and with snponly.efi; nothing is seen on the wire."""
    net = served("", *SYSLINUX_EFI, bootfile="syslinux.efi")
    write(net, "pxelinux.cfg/default", LABEL_LINUX)
    with boot(net, *IPXE, *UEFI, "--until", "os") as run:
        assert run.wait_exit() == 14
        told = run.text("own").rsplit("error[", 1)[1]
        assert f"tftp://{labs.SERVER}/syslinux.efi did not boot" in told
        assert 'it says "Failed to load ldlinux.e64", and asked the network for nothing' in told
        assert "by the firmware's PXE (--no-ipxe --boot-order network)" in told


def test_syslinux_efi_without_its_other_half(served, boot):
    """Its last words have no newline, and the firmware goes on in the same line."""
    net = served("", "syslinux.efi", bootfile="syslinux.efi")
    with boot(net, *BRIDGE, *UEFI, "--boot-order", "network", "--until", "os") as run:
        assert run.wait_exit() == 13
        told = run.text("own").rsplit("error[", 1)[1]
        assert f"cannot fetch tftp://{labs.SERVER}/ldlinux.e64" in told
        assert 'the boot loader says "Failed to load ldlinux.e64"\n' in told


def press_enter(run):
    """As a user does it, on the VM's console, which is watched to the end of the run."""
    screen = pexpect.spawn(str(vm.BINARY), ["console", run.name], env=run.full_environment(), timeout=vm.BOOT_DEADLINE)
    screen.expect("Ctrl-] detaches")
    screen.send(b"\r")
    screen.expect(pexpect.EOF)
    screen.close()


def no_choice(run):
    """The menu's own time is up at once."""


def a_late_choice(run):
    """GRUB measures its clock against one millisecond of the machine's, and on a busy host an emulated CPU may sleep through
    many: its seconds may last for several of ours. So a long menu is ended by whoever reads it, after seconds of ours."""
    run.wait_text("executed automatically in")
    time.sleep(LONG)
    assert vm.GUEST_UP not in run.text()
    press_enter(run)


GRUB_MENUS = pytest.mark.parametrize(
    ("seconds", "choose"), [(3, no_choice), pytest.param(3600, a_late_choice, marks=pytest.mark.slow)], ids=["quick", "long"]
)


@GRUB_MENUS
def test_grubs_net_image_on_bios(served, comes_up, seconds, choose):
    net = served("", "grub.0", bootfile="grub.0")
    write(net, "grub/grub.cfg", grub_menu(seconds))
    told, run = comes_up(net, *IPXE, while_it_runs=choose)
    assert "executed automatically in" in run.text()
    assert "script" not in stages(told)


@GRUB_MENUS
def test_grub_by_the_firmwares_own_pxe(served, comes_up, seconds, choose):
    """No iPXE took part, and none is named."""
    net = served("", "grub.efi", bootfile="grub.efi")
    write(net, "grub/grub.cfg", grub_menu(seconds))
    told, run = comes_up(net, *BRIDGE, *UEFI, "--boot-order", "network", while_it_runs=choose)
    assert "executed automatically in" in run.text()
    assert not {"rom", "script"} & set(stages(told))
    assert told["boots"][0]["ipxe"] is None
    assert "iPXE" not in run.text("own").replace("not iPXE", "")


@BOTH
def test_grubs_prompt_on_two_terminals_that_are_one_port(served, boot, firmware):
    """The screen, which both firmwares show on the serial port, and the serial port itself."""
    name = "grub.0" if firmware == "legacy" else "grub.efi"
    net = served("", name, bootfile=name)
    write(net, "grub/grub.cfg", grub_menu(3).split("set timeout")[0])  # no entry, no menu
    who = IPXE if firmware == "legacy" else (*BRIDGE, *UEFI, "--boot-order", "network")
    with boot(net, *who, "--until", "os") as run:
        assert run.wait_exit() == 14
        assert 'the boot ended in GRUB\'s prompt, "grub>"' in run.text("own")


# -- iPXE that loads iPXE


def test_undionly_chain(served, comes_up):
    """The ROM's iPXE knows its NIC's chip; undionly's knows the firmware's interface alone, and boots."""
    script = f"#!ipxe\necho CHIP-IS ${{net0/chip}}\niseq ${{net0/chip}} undionly || chain undionly.kpxe\n{LINUX}"
    told, run = comes_up(served(script, "undionly.kpxe"), *IPXE)
    assert run.text().count("CHIP-IS") == 2
    assert urls(told).count("boot.ipxe") == 2


def test_snponly_by_the_firmwares_own_pxe(served, comes_up):
    options = (IPXE_IS_KNOWN, "--dhcp-boot=tag:ipxe,boot.ipxe", "--dhcp-boot=tag:!ipxe,snponly.efi")
    net = served(f"#!ipxe\necho {vm.SCRIPT_RAN}\n{LINUX}", "snponly.efi", bootfile=None, options=options)
    told, run = comes_up(net, *BRIDGE, *UEFI, "--boot-order", "network")
    assert vm.SCRIPT_RAN in run.text()
    assert urls(told)[:1] == ["snponly.efi"]
    assert [talk["client"] for talk in told["boots"][0]["dhcp"]] == ["firmware", "iPXE"]


def test_ipxe_as_a_kernel(served, comes_up):
    """ipxe.lkrn takes its initramfs for its script."""
    script = f"#!ipxe\nkernel {WEB}/ipxe.lkrn\ninitrd {WEB}/second.ipxe\nboot\n"
    net = served(script, "ipxe.lkrn")
    (net.folder / "http/second.ipxe").write_text(f"#!ipxe\necho {vm.SCRIPT_RAN}\ndhcp\n{LINUX}")
    _, run = comes_up(net, *IPXE)
    assert vm.SCRIPT_RAN in run.text()


# -- no operating system


@BOTH
def test_memtest(served, comes_up, firmware):
    """It begins like a kernel, and no Linux ever says so: the console is what there is to wait for. On UEFI it wants a screen."""
    name = "memtest86+x64." + ("bin" if firmware == "legacy" else "efi")
    script = f"#!ipxe\nkernel {WEB}/{name} console=ttyS0,115200\nboot\n"
    screen = ("--graphics", "vnc") if firmware == "uefi" else ()
    told, run = comes_up(served(script, name), *IPXE, *screen, "--firmware", firmware, until="console:Memtest86")
    assert name in urls(told)
    assert not {"kernel", "os"} & set(stages(told))


def test_memtest_is_no_operating_system(served, boot):
    """Who waits for one waits until the time is up."""
    net = served(f"#!ipxe\nkernel {WEB}/memtest86+x64.bin console=ttyS0,115200\nboot\n", "memtest86+x64.bin")
    with boot(net, *IPXE, "--until", "os", "--boot-timeout", "30") as run:
        assert run.wait_exit() == 15


def test_a_program_that_says_it_cannot_run(served, boot):
    """Without a screen, Memtest86+ gives up on UEFI, and hangs. A quiet kernel looks the same, so that only the time that the
    user gives it can end the run; then it is named."""
    net = served(f"#!ipxe\nkernel {WEB}/memtest86+x64.efi console=ttyS0,115200\nboot\n", "memtest86+x64.efi")
    with boot(net, *IPXE, *UEFI, "--until", "os", "--boot-timeout", "60") as run:
        run.wait_text(r"efi_setup\(\) failed")
        assert run.wait_exit() == 15
        assert "memtest86+x64.efi" in run.text("own").rsplit("error[", 1)[1]


# -- disks of the network


@pytest.fixture(scope="session")
def linux_cd(assets, payloads, tmp_path_factory):
    return media.write_linux_cd(tmp_path_factory.mktemp("cd") / "linux.iso", assets, payloads, KERNEL_LINE)


@BOTH
def test_sanboot_by_http(served, comes_up, linux_cd, firmware):
    """Hundreds of range requests of one file, while the console says nothing: they are one fetch."""
    net = served(f"#!ipxe\nsanboot {WEB}/linux.iso\n")
    provide(net, linux_cd.parent, "linux.iso")
    told, run = comes_up(net, *IPXE, "--firmware", firmware)
    assert urls(told).count("linux.iso") == 1
    assert len(net.requests()) > 50
    assert run.text("own").count("linux.iso") < 10


@BOTH
def test_sanboot_by_iscsi(served, comes_up, linux_cd, payloads, firmware):
    net = served(f"#!ipxe\nsanboot iscsi:{labs.SERVER}:::1:{labs.IQN}\n")
    net.serve_iscsi(payloads / "tgt", linux_cd)
    comes_up(net, *IPXE, "--firmware", firmware)


def test_an_iscsi_lun_that_is_not_there(served, boot, linux_cd, payloads):
    net = served(f"#!ipxe\nsanboot iscsi:{labs.SERVER}:::7:{labs.IQN}\n")
    net.serve_iscsi(payloads / "tgt", linux_cd)
    with boot(net, *IPXE, "--until", "os") as run:
        assert run.wait_exit() == 13
        told = run.text("own").rsplit("error[", 1)[1]
        assert f"cannot boot from the iSCSI target {labs.IQN} on {labs.SERVER}" in told and "LUN" in told
        assert "tcp://" not in told


def test_memdisk_with_a_cd(served, comes_up, linux_cd):
    net = served(f"#!ipxe\nkernel {WEB}/memdisk iso raw\ninitrd {WEB}/linux.iso\nboot\n", "memdisk")
    provide(net, linux_cd.parent, "linux.iso")
    told, run = comes_up(net, *IPXE)
    assert "MEMDISK" in run.text()
    assert urls(told)[-2:] == ["memdisk", "linux.iso"]


# -- servers that are late, slow or elsewhere


def wait_for_discovers(net, count):
    """Nobody answers; true after so many DISCOVERs (RFC 2131: a boot request begins with 1, port 67)."""

    def listen():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        listening.bind(("", 67))
        listening.settimeout(vm.BOOT_DEADLINE)
        return listening

    with labs.in_namespace(net.srv, listen) as listening:
        for _ in range(count):
            while listening.recv(4096)[:1] != b"\x01":
                pass


@BOTH
def test_a_dhcp_server_that_comes_late(lab, comes_up, assets, firmware):
    """iPXE asks four times in 10 s: the third request has no answer yet, the fourth has one."""
    net = lab("bridge")

    def then_serve(_):
        wait_for_discovers(net, 3)
        net.serve(assets, labs.http_script())

    told, _ = comes_up(net, *IPXE, "--firmware", firmware, "--probe", "off", while_it_runs=then_serve)
    assert told["boots"][0]["dhcp"][0]["discovers"] >= 4


@pytest.mark.slow
@BOTH
def test_a_server_at_30_kb_a_second(served, comes_up, firmware):
    """The initramfs takes 45 s, in which the console says nothing."""
    script = f"#!ipxe\nkernel {WEB}/vmlinuz initrd=initrd.gz {KERNEL_LINE}\ninitrd {WEB}/slow/initrd.gz\nboot\n"
    told, _ = comes_up(served(script), *IPXE, "--firmware", firmware)
    slow = next(fetch for fetch in told["boots"][0]["fetches"] if fetch["url"].endswith("/slow/initrd.gz"))
    assert slow["state"] == "done"
    assert slow["bytes_per_second"] < 40_000


@BOTH
def test_two_redirects(served, comes_up, firmware):
    script = f"#!ipxe\nkernel {WEB}/moved/twice/vmlinuz initrd=initrd.gz {KERNEL_LINE}\ninitrd {WEB}/initrd.gz\nboot\n"
    net = served(script)
    told, _ = comes_up(net, *IPXE, "--firmware", firmware)
    assert [status for path, status in net.requests() if "vmlinuz" in path] == [302, 301, 200]
    assert told["boots"][0]["fetches"][-2]["content"] == "linux-x86"


@BOTH
def test_proxydhcp_beside_plain_dhcp(served, comes_up, firmware):
    """One server gives addresses and knows nothing of booting, the other names the file alone."""
    net = served(labs.http_script(), bootfile=None, tftp=False)
    net.serve_proxydhcp(f"{WEB}/boot.ipxe")
    (net.folder / "http/boot.ipxe").write_text(labs.http_script())
    told, run = comes_up(net, *IPXE, "--firmware", firmware)
    assert vm.SCRIPT_RAN in run.text()
    offers = told["boots"][0]["dhcp"][0]["offers"]
    assert {offer["server"]: offer["proxy"] for offer in offers} == {labs.SERVER: False, labs.PROXY: True}


@pytest.mark.slow
@BOTH
def test_a_retry_loop_whose_server_comes_after_45_s(served, comes_up, firmware):
    """Nobody listens at first; the script tries again every 5 s, as one does that waits for its server."""
    script = f"#!ipxe\n:retry\nchain {WEB}:8080/late.ipxe || goto wait\n:wait\necho TRY-AGAIN\nsleep 5\ngoto retry\n"
    net = served(script)
    (net.folder / "http/late.ipxe").write_text(labs.http_script())

    def then_serve(run):
        run.wait_text(r"(?s)(TRY-AGAIN.*){9}")
        net.serve_web_on(8080)

    told, run = comes_up(net, *IPXE, "--firmware", firmware, while_it_runs=then_serve)
    assert vm.SCRIPT_RAN in run.text()
    assert "late.ipxe" in urls(told)
