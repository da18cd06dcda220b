"""One fault at a time, on a real bridge: the exit code, what is said of it, and the next step that is named."""

import json
import re
import socket
import threading

import pytest

import lab as labs
import vm

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
KERNEL = f"http://{labs.SERVER}/vmlinuz"


def script(*lines):
    return "\n".join(["#!ipxe", f"echo {vm.SCRIPT_RAN}", *lines, ""])


def boots(kernel=KERNEL, initramfs=True, words=""):
    """A script that boots the test guest, with one thing changed."""
    lines = [f"kernel {kernel} initrd=initrd.gz console=ttyS0 no_timer_check {words}"]
    return script(*lines, *([f"initrd http://{labs.SERVER}/initrd.gz"] if initramfs else []), "boot")


class HalfServer(threading.Thread):
    """An HTTP server on port 8080 that announces 100,000 bytes, sends a tenth of them, and breaks off or falls silent."""

    def __init__(self, net, breaks_off):
        super().__init__(daemon=True)
        self.breaks_off = breaks_off
        self.socket = net.listen_tcp(8080)
        self.held = []
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 10000)
            if self.breaks_off:
                peer.shutdown(socket.SHUT_RDWR)
                peer.close()
            else:
                self.held.append(peer)


def verdict(run, report):
    """The exit code, and the report's verdict: it must be the same as what was printed."""
    code = run.wait_exit()
    told = json.loads(report.read_text())
    assert told["exit_code"] == code
    assert told["verdict"]["code"] == code
    assert told["verdict"]["what"] in run.text("own")
    return code, told["verdict"], told


@pytest.fixture
def fails(boot, tmp_path):
    """fails(net, *arguments): boots until the operating system should run, and gives exit code, verdict and report."""

    def run_it(net, *arguments, until="os", timeout=None):
        report = tmp_path / "boot.json"
        limits = ("--until", until, *(("--boot-timeout", str(timeout)) if timeout else ()))
        with boot(net, *BRIDGE, *limits, "--report", str(report), *arguments) as run:
            return verdict(run, report)

    return run_it


def test_no_dhcp_server(lab, fails):
    code, told, report = fails(lab("bridge"))
    assert code == 11
    assert "no DHCP server answered" in told["what"]
    assert re.search(r"iPXE sent \d DISCOVERs over net0", told["why"])
    assert "br0's other ports: up0" in told["why"]
    assert "nor did one answer vm-launch's own probe" in told["why"]
    assert report["boots"][0]["probe"]["offers"] == []
    assert "is the DHCP server behind a port of br0?" in told["hint"]
    assert report["boots"][0]["dhcp"][0]["client"] == "iPXE"


def test_no_port_on_the_bridge_is_seen(lab, fails):
    net = lab("bridge")
    net.ip("link", "set", "up0", "nomaster")
    code, told, _ = fails(net)
    assert code == 11
    assert "br0 has no port but the guest's own" in told["why"]


def test_a_server_that_names_no_file(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, boots(), bootfile=None))
    assert code == 12
    assert "named nothing to boot" in told["what"]
    assert "option 67" in told["why"]
    assert "dhcp-boot=" in told["hint"]


def test_a_file_that_is_not_there(lab, fails, assets):
    code, told, report = fails(lab("bridge").serve(assets, boots(), bootfile="nosuch.ipxe"))
    assert code == 13
    assert told["what"] == f"cannot fetch tftp://{labs.SERVER}/nosuch.ipxe"
    assert "the TFTP server has no such file" in told["why"]
    assert report["boots"][0]["fetches"][0]["fault"] == "not-found"


def test_tftp_closed(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, boots(), tftp=False))
    assert code == 13
    assert "nobody listens there" in told["why"]
    assert f"start the tftp server on {labs.SERVER}" in told["hint"]


@pytest.mark.parametrize(
    ("path", "words", "fault"),
    [("/nosuch", "404 Not Found", "not-found"), ("/broken", "500 Internal Server Error", "server-error"),
     ("/private", "403 Forbidden", "access-denied")],
)
def test_http_refuses(lab, fails, assets, path, words, fault):
    code, told, report = fails(lab("bridge").serve(assets, boots(f"http://{labs.SERVER}{path}")))
    assert code == 13
    assert told["what"] == f"cannot fetch http://{labs.SERVER}{path}"
    assert words in told["why"]
    assert report["boots"][0]["fetches"][-1]["fault"] == fault


def test_http_body_is_cut(lab, fails, assets):
    net = lab("bridge").serve(assets, boots(f"http://{labs.SERVER}:8080/vmlinuz"))
    HalfServer(net, breaks_off=True)
    code, told, _ = fails(net)
    assert code == 13
    assert "the server broke off after 10 kB of 100 kB" in told["why"]


def test_the_server_falls_silent_in_the_middle(lab, fails, assets):
    net = lab("bridge").serve(assets, boots(f"http://{labs.SERVER}:8080/vmlinuz"))
    HalfServer(net, breaks_off=False)
    code, told, _ = fails(net, timeout=40)
    assert code == 15
    assert "stalled" in told["what"]
    assert "10 kB of 100 kB came" in told["why"]
    assert "not at os within 40 s" in told["why"]


def test_a_server_that_takes_the_request_and_never_answers(lab, boot, assets, tmp_path):
    url = f"http://{labs.SERVER}:8080/vmlinuz"
    net = lab("bridge").serve(assets, boots(url))
    net.listen_tcp(8080)  # the kernel takes connections and requests, and nobody reads them
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--until", "os", "--boot-timeout", "40", "--report", str(report)) as run:
        code, told, _ = verdict(run, report)
        waited = rf"waiting for {labs.SERVER}:8080, which took the request for {url} \d+ s ago and has not answered"
        assert len(re.findall(waited, run.text("own"))) == 1
    assert code == 15
    assert told["what"] == f"cannot fetch {url}: the server never answered"
    assert f"{labs.SERVER}:8080 took the request at" in told["why"]
    assert "asked for by boot.ipxe, line 3" in told["why"]


def test_a_size_that_is_asked_for_and_never_answered(lab, boot, assets):
    """iPXE asks for a SAN device's by HEAD, again every 15 s."""
    url = f"http://{labs.SERVER}:8080/disk.iso"
    net = lab("bridge").serve(assets, script(f"sanboot {url}"))
    net.listen_tcp(8080)
    with boot(net, *BRIDGE, "--until", "os") as run:
        run.wait_text(rf"fetch: {url}: given up after \d+ s without an answer", "own")
        run.stop()


def test_the_disk_of_a_san_boot_is_not_there(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, script(f"sanboot http://{labs.SERVER}/nosuch.iso")))
    assert code == 13
    assert told["what"] == f"cannot fetch http://{labs.SERVER}/nosuch.iso"
    assert "404 Not Found" in told["why"] and "asked for by boot.ipxe, line 3" in told["why"]


def test_nobody_listens_for_http(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, boots(f"http://{labs.SERVER}:81/vmlinuz")))
    assert code == 13
    assert "nobody listens there" in told["why"]


def test_a_name_that_is_unknown(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, boots("http://nosuch.example/vmlinuz"), dns=True))
    assert code == 13
    assert told["what"] == "DNS: nosuch.example not found"


def test_garbage_instead_of_a_kernel(lab, fails, assets):
    net = lab("bridge").serve(assets, boots())
    (net.folder / "http/vmlinuz").write_bytes(bytes(range(256)) * 1000)
    code, told, report = fails(net, "--firmware", "uefi")
    assert code == 14
    assert told["what"] == f"{KERNEL} cannot be booted"
    assert report["boots"][0]["ipxe_errors"][-1]["number"] == "2e008081"


def test_a_kernel_for_another_machine(lab, fails, assets):
    net = lab("bridge").serve(assets, boots())
    kernel = bytearray((net.folder / "http/vmlinuz").read_bytes()[:200000])
    kernel[:0x1000] = bytes(0x1000)
    kernel[0x38:0x3C] = b"ARM\x64"
    (net.folder / "http/vmlinuz").write_bytes(kernel)
    code, told, _ = fails(net, "--firmware", "uefi")
    assert code == 14
    assert told["what"] == f"{KERNEL} is for another machine"
    assert "an AArch64 Linux kernel, and the guest is x86_64" in told["why"]


def test_a_kernel_without_an_initramfs(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, boots(initramfs=False)))
    assert code == 20
    assert told["what"] == "the kernel found no root file system"
    assert "Unable to mount root fs" in told["why"]
    assert "add `initrd URL`" in told["hint"]


def test_a_script_that_ends(lab, fails, assets):
    code, told, _ = fails(lab("bridge").serve(assets, script()))
    assert code == 14
    assert "the iPXE script ended without booting anything" in told["what"]


def test_a_script_that_reboots_for_ever(lab, boot, assets, tmp_path):
    net = lab("bridge").serve(assets, script("reboot"))
    report = tmp_path / "boot.json"
    with boot(net, *BRIDGE, "--reboot-limit", "2", "--report", str(report)) as run:
        code, told, whole = verdict(run, report)
        assert code == 16
        assert "again and again" in told["what"]
        assert len(whole["boots"]) == 3


def test_a_rom_that_never_runs(lab, fails, assets):
    """Without a ROM BAR the firmware finds no ROM: nothing that is planned, nothing that a check sees."""
    code, told, _ = fails(lab("bridge").serve(assets, boots()), "--", "-global", "virtio-net-pci.rombar=0")
    assert code == 10
    assert "the iPXE ROM never ran" in told["what"]
    assert "vm-launch rom" in told["hint"]


def test_from_the_network_to_the_disk(lab, fails):
    """`network,hd`: the disk has its turn, but who waits for a network boot is told that it failed."""
    code, told, _ = fails(lab("bridge"), "--blank-disk", "--boot-order", "network,hd")
    assert code == 11


def test_until_ends_with_success(lab, boot, assets, tmp_path):
    net = lab("bridge").serve(assets, labs.http_script("vml.stay"))
    report = tmp_path / "boot.json"
    page = tmp_path / "boot.html"
    with boot(net, *BRIDGE, "--until", "console:VM-LAUNCH-GUEST-UP", "--report", f"{report},{page}") as run:
        assert run.wait_exit() == 0
    told = json.loads(report.read_text())
    assert told["verdict"] is None
    stages = [mark["stage"] for mark in told["boots"][0]["stages"]]
    wanted = ["machine", "firmware", "rom", "link", "discover", "offer", "dhcp", "fetch", "script", "kernel", "os"]
    assert [stage for stage in wanted if stage in stages] == wanted
    fetched = {fetch["url"].rsplit("/", 1)[-1]: fetch for fetch in told["boots"][0]["fetches"]}
    assert fetched["vmlinuz"]["content"] == "linux-x86"
    assert fetched["vmlinuz"]["bytes"] == (assets / "vmlinuz").stat().st_size
    assert fetched["initrd.gz"]["bytes"] == (assets / "initrd.gz").stat().st_size
    assert told["lost_frames"] == 0
    (probed,), talk = told["boots"][0]["probe"]["offers"], told["boots"][0]["dhcp"][0]
    assert probed["server"] == labs.SERVER and probed["address"] == talk["acknowledged"]["address"]
    assert all(fetch["began"] <= fetch["answered"] <= fetch["ended"] for fetch in fetched.values())
    assert told["versions"]["qemu"][0].isdigit() and told["boots"][0]["firmware"].startswith("SeaBIOS ")
    assert "VM-LAUNCH-GUEST-UP" in "".join(told["boots"][0]["console"])
    assert "<svg" in page.read_text() and "vm-launch's own probe" in page.read_text()


def test_until_dhcp_on_a_macvtap(lab, boot, assets):
    net = lab("direct").serve(assets, labs.http_script())
    with boot(net, "--ipxe", "--network", "direct", "--direct-dev", "up0", "--until", "dhcp", *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert re.search(r"DHCP: address 10\.77\.0\.\d+ from 10\.77\.0\.1, file boot\.ipxe", run.text("own"))
        assert vm.SCRIPT_RAN not in run.text()


SCRIPT_FAULTS = {
    "command": (["nosuch"], "uses a command that this iPXE does not have", "nosuch: command not found"),
    "label": (["goto nowhere"], "goes to a label that it does not have", "2d0280"),
    "condition": (["iseq 1 2"], "ended at a condition that is false", "460220"),
    "option": (["kernel --nosuch x"], "uses a command in a way that iPXE does not know", "--nosuch"),
    "nothing loaded": (["boot"], "boots before it has loaded anything", "No image selected"),
}


@pytest.mark.parametrize("lines, what, why", SCRIPT_FAULTS.values(), ids=SCRIPT_FAULTS)
def test_a_script_that_one_of_its_own_lines_ends(lab, fails, assets, lines, what, why):
    code, told, _ = fails(lab("bridge").serve(assets, script(*lines)))
    assert (code, told["what"]) == (14, f"the script boot.ipxe {what}")
    assert told["why"].startswith("boot.ipxe, line 3: ") and why in told["why"]


# The line, where it is asked for with the variable empty, and what is told of it.
UNSET = {
    "folder": ("kernel http://10.77.0.1/${dir}/nokernel", "http://10.77.0.1//nokernel", "nothing sets ${dir}"),
    "name": ("chain ${asset}.ipxe", "tftp://10.77.0.1/.ipxe", "${asset} is empty"),
    "server": ("kernel http://${server}/vmlinuz", "http:///vmlinuz", "nothing sets ${server}"),
}


@pytest.mark.parametrize("line, url, why", UNSET.values(), ids=UNSET)
def test_a_variable_that_is_not_set(lab, fails, assets, line, url, why):
    code, told, _ = fails(lab("bridge").serve(assets, script(line)))
    assert (code, told["what"]) == (13, f"cannot fetch {url}: a part of it is empty")
    assert told["why"].startswith(f"boot.ipxe, line 3: {why}; ")


def test_a_script_without_its_first_line(lab, fails, assets):
    net = lab("bridge").serve(assets, script("chain other.ipxe"))
    (net.folder / "tftp/other.ipxe").write_text("kernel vmlinuz\nboot\n")
    # iPXE's BIOS ROMs of 2019 start whatever is no script as a boot program, of which nothing is heard any more.
    code, told, _ = fails(net, timeout=60)
    assert (code, told["what"]) == (15, "tftp://10.77.0.1/other.ipxe is text but does not begin with #!ipxe")
    assert 'its first line is "kernel vmlinuz"' in told["why"]


def test_a_script_that_handles_all_of_these(lab, boot, assets):
    """The same lines, each with another way: the guest comes up."""
    handled = [f"{line} || echo handled" for lines, _, _ in SCRIPT_FAULTS.values() for line in lines]
    kernel = boots().splitlines()[2:]
    with boot(lab("bridge").serve(assets, script(*handled, *kernel)), *BRIDGE, "--until", "os") as run:
        assert run.wait_exit() == 0
        assert "error[" not in run.text("own")
