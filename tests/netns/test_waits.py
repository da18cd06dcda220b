"""Boots that wait, or handle a fault, on a real bridge: each beside the one that really failed."""

import contextlib
import http.server
import json
import shutil
import socketserver
import threading

import pytest

import lab as labs
import vm

BRIDGE = ("--ipxe", "--network", "bridge", "--bridge", "br0", *vm.SMALL)
KERNEL = f"kernel http://{labs.SERVER}/vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check"
INITRD = f"initrd http://{labs.SERVER}/initrd.gz"


def script(*lines):
    return "\n".join(["#!ipxe", f"echo {vm.SCRIPT_RAN}", *lines, ""])


class Web(threading.Thread):
    """An HTTP server of the test's own on port 8080 of the lab's server: `answer(handler)` for every request."""

    def __init__(self, net, answer):
        super().__init__(daemon=True)
        listening = net.listen_tcp(8080)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                answer(self)

            def do_HEAD(self):
                answer(self)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

        self.server = Server((labs.SERVER, 8080), Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = listening
        self.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            self.server.serve_forever()


def in_chunks(handler, body, size=40):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    if handler.command == "GET":
        for at in range(0, len(body), size):
            part = body[at : at + size]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def ends(boot, tmp_path):
    """ends(net, *arguments): exit code, verdict and report of a run that waits for the operating system."""

    def run_it(net, *arguments, until="os"):
        report = tmp_path / "boot.json"
        with boot(net, *BRIDGE, "--until", until, "--report", str(report), *arguments) as run:
            code = run.wait_exit()
        told = json.loads(report.read_text())
        assert told["exit_code"] == code
        return code, told["verdict"], told["boots"][-1]

    return run_it


def test_a_chunked_script_is_a_script(lab, ends, assets):
    net = lab("bridge").serve(assets, script(f"chain http://{labs.SERVER}:8080/second"))
    second = script(KERNEL, INITRD, "boot").encode()
    Web(net, lambda handler: in_chunks(handler, second))
    code, _, boot = ends(net)
    assert code == 0
    assert [fetch["content"] for fetch in boot["fetches"][:2]] == ["ipxe-script", "ipxe-script"]


def test_a_script_that_is_missing_and_handled_leaves_for_the_disk(lab, boot, assets, tmp_path):
    """The disk has no system: who is not told of a failure waits for its deadline."""
    net = lab("bridge").serve(assets, script(f"chain http://{labs.SERVER}/mac.ipxe || exit"))
    with boot(net, *BRIDGE, "--blank-disk", "--boot-order", "network,hd", "--until", "console:Booting from Hard Disk") as run:
        assert run.wait_exit() == 0


def test_a_quiet_kernel_is_not_the_fault_of_an_optional_file(lab, ends, assets):
    net = lab("bridge").serve(
        assets,
        script(f"kernel http://{labs.SERVER}/vmlinuz initrd=initrd.gz quiet no_timer_check vml.stay", INITRD,
               f"imgfetch http://{labs.SERVER}/optional || echo none", "boot"),
    )
    code, told, _ = ends(net, "--boot-timeout", "30", until="agent")
    assert code == 15
    assert "optional" not in told["what"]


def test_the_shell_ends_the_run_where_nobody_types(lab, ends, assets):
    code, told, _ = ends(lab("bridge").serve(assets, script("shell")))
    assert code == 14
    assert told["what"] == "the boot ended in iPXE's shell"


# What is served, and what a boot loader without anything else comes to.
STUCK = {
    "grub-without-its-configuration": (["grub.0"], {}, 14, "GRUB's prompt", "grub.cfg"),
    "pxelinux-without-its-configuration": (
        ["pxelinux.0", "ldlinux.c32"], {}, 13, "pxelinux.cfg/default", "Unable to locate configuration file",
    ),
    "pxelinux-without-its-kernel": pytest.param(
        ["pxelinux.0", "ldlinux.c32"], {"pxelinux.cfg/default": "serial 0 115200\ndefault a\nlabel a\nkernel nosuch\n"}, 13, "/nosuch",
        "failed:", marks=pytest.mark.slow,  # it waits for a key: 120 s
    ),
}  # fmt: skip


@pytest.mark.parametrize(("programs", "files", "wanted", "what", "why"), STUCK.values(), ids=STUCK)
def test_a_boot_loader_that_waits_for_a_key(lab, ends, assets, programs, files, wanted, what, why):
    payloads = vm.made_assets("--payloads") / "payloads"
    net = lab("bridge").serve(assets, "", bootfile=programs[0])
    for name in programs:
        shutil.copy(payloads / name, net.folder / "tftp")
    for name, text in files.items():
        (net.folder / "tftp" / name).parent.mkdir(exist_ok=True)
        (net.folder / "tftp" / name).write_text(text)
    code, told, _ = ends(net)
    assert code == wanted
    assert what in told["what"]
    assert why in told["why"]


def test_a_dead_gateway_is_named(lab, ends, assets):
    net = lab("bridge").serve(assets, script("chain http://192.0.2.7/k"), options=("--dhcp-option=3,10.77.0.9",))
    code, told, _ = ends(net)
    assert code == 13
    assert told["what"] == "nobody answers for the gateway 10.77.0.9 (DHCP option 3)"


def test_a_dead_dns_server_is_named(lab, ends, assets):
    net = lab("bridge").serve(assets, script("chain http://boot.example/k"), options=("--dhcp-option=6,10.77.0.8",))
    code, told, _ = ends(net)
    assert code == 13
    assert told["what"] == "nobody answers for the DNS server 10.77.0.8 (DHCP option 6)"


def test_an_initramfs_that_is_too_large(lab, ends, assets):
    net = lab("bridge").serve(assets, script(KERNEL, INITRD, "boot"))
    with (net.folder / "http/initrd.gz").open("ab") as file:
        file.truncate(400 << 20)
    code, told, _ = ends(net, "--memory", "192")
    assert code == 13
    assert "does not fit into the guest's memory" in told["what"]
    assert "--memory" in told["hint"]


def test_a_port_of_its_own_is_named(lab, ends, assets):
    code, told, _ = ends(lab("bridge").serve(assets, script(f"chain http://{labs.SERVER}:8081/k")))
    assert code == 13
    assert told["what"] == f"cannot fetch http://{labs.SERVER}:8081/k"
    assert "port 8081" in told["hint"]


def test_an_ipv6_router_alone(lab, ends, assets):
    net = lab("bridge").serve(assets, script(), router=True, options=("--dhcp-ignore=tag:!known",))
    code, told, _ = ends(net)
    assert code == 11
    assert told["what"] == "no DHCPv4 server answered on a network with IPv6"
