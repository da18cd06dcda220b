"""A network of the test's own: network namespaces, with a boot server that is real.

    vm  ── br0 (bridge) ── up0 ═══ srv0 ── srv      bridge: the VM's tap becomes a port of br0
    vm  ── up0 ═══ srv0 ── srv                      direct: the VM's macvtap sits on up0

`vm` is where vm-launch runs, `srv` where dnsmasq (DHCP, TFTP) and nginx (HTTP) answer. Everything ends with the lab."""

import contextlib
import ctypes
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

SERVER = "10.77.0.1"
SERVER6 = "fd77::1"
PROXY = "10.77.0.2"  # a second server, of ProxyDHCP
UPLINK_MAC = "02:00:00:00:00:10"  # below a tap's fe:…, else the bridge's address, its ports' lowest, would change with it
IQN = "iqn.2020-01.example:disk"
DEADLINE = 20


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options).stdout


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ }}
http {{
    access_log {folder}/http.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen {server}:80; {more} root {folder}/http;
        location /broken {{ return 500; }}
        location /private {{ return 403; }}
        location /moved/twice/ {{ rewrite ^/moved/twice/(.*) /moved/$1 redirect; }}
        location /moved/ {{ rewrite ^/moved/(.*) /$1 permanent; }}
        location /slow/ {{ alias {folder}/http/; limit_rate 30k; }}
    }}
}}
"""


def in_namespace(name, make):
    """What make() gives, called by a thread that is in the namespace."""
    made = []

    def inside():
        with open(f"/run/netns/{name}") as there:
            # CLONE_NEWNET; for this thread alone
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made.append(make())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    return made[0]


class Lab:
    """Use as a context. `kind` is bridge or direct."""

    count = 0

    def __init__(self, kind, bridge_options=()):
        Lab.count += 1
        tag = f"{os.getpid()}-{Lab.count}"
        self.vm, self.srv, self.proxy = f"vml-vm-{tag}", f"vml-srv-{tag}", f"vml-pxe-{tag}"
        self.kind = kind
        self.bridge_options = bridge_options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vml-lab-"))
        self.folder.chmod(0o755)
        self.services = []
        self.sockets = []
        self.has_ipv6 = False

    def __enter__(self):
        try:
            self._links()
            (self.folder / "tftp").mkdir()
            (self.folder / "http").mkdir()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for listening in self.sockets:
            listening.close()
        for service, end in self.services:
            service.send_signal(end)
            service.wait(DEADLINE)
        for name in (self.vm, self.srv, self.proxy):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _links(self):
        for name in (self.vm, self.srv):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run(*"ip link add up0 address".split(), UPLINK_MAC, "netns", self.vm, *"type veth peer name srv0 netns".split(), self.srv)
        if self.kind == "bridge":
            self.ip("link", "add", "br0", "type", "bridge", *self.bridge_options)
            self.ip("link", "set", "up0", "master", "br0")
            self.ip("link", "set", "br0", "up")
        self.ip("link", "set", "up0", "up")
        run("ip", "-n", self.srv, "link", "set", "srv0", "up")
        run("ip", "-n", self.srv, "addr", "add", f"{SERVER}/24", "dev", "srv0")

    def ip(self, *words):
        """iproute2 in the VM's namespace."""
        return run("ip", "-n", self.vm, *words)

    def inside(self, *words):
        """A command line that runs in the VM's namespace."""
        return ["ip", "netns", "exec", self.vm, *words]

    def with_ipv6(self):
        """The server has an address of the network fd77::/64 too."""
        run("ip", "-n", self.srv, "addr", "add", f"{SERVER6}/64", "dev", "srv0", "nodad")
        self.has_ipv6 = True
        return self

    def route(self, *options):
        """Debian's radvd: a real router's advertisements, of the network fd77::/64. `options` are lines of its
        interface's section."""
        run("ip", "netns", "exec", self.srv, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        prefix = f"prefix {SERVER6}/64 {{ AdvOnLink on; AdvAutonomous on; }};"
        (self.folder / "radvd.conf").write_text(
            "\n".join(["interface srv0 {", "AdvSendAdvert on;", *options, prefix, "};", ""])
        )
        self._service("radvd", "-n", "-m", "none", "-C", self.folder / "radvd.conf", "-p", self.folder / "radvd.pid")
        return self

    def serve(
        self, assets, script, bootfile="boot.ipxe", tftp=True, dns=False, router=False, dhcp4=True, kea=False, options=()
    ):  # fmt: skip
        """Starts dnsmasq and nginx: `script` by TFTP, kernel and initramfs by HTTP. With `dns`, a server that knows no
        name; with `router`, an IPv6 router that advertises itself; without `dhcp4` DHCPv6 alone, where the options say
        so; with `kea`, that is the DHCP server; `options` are dnsmasq's."""
        if router:
            self.with_ipv6()
        (self.folder / "tftp/boot.ipxe").write_text(script)
        for name in ("vmlinuz", "initrd.gz"):
            shutil.copy(assets / name, self.folder / "http" / name)
        (self.folder / "nginx.conf").write_text(self._nginx(f"listen [{SERVER6}]:80;" if self.has_ipv6 else ""))
        self._service("nginx", "-c", self.folder / "nginx.conf")
        self._service(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=srv0",
            "--bind-interfaces", *(["--dhcp-range=10.77.0.50,10.77.0.99,1h"] if dhcp4 and not kea else []),
            *(["--no-resolv", "--no-hosts", "--local=/example/"] if dns else ["--port=0"]),
            *([f"--dhcp-boot={bootfile}"] if bootfile else []),
            *(["--enable-ra", "--dhcp-range=fd77::,ra-only"] if router else []),
            *options,
            *(["--enable-tftp", f"--tftp-root={self.folder}/tftp"] if tftp else []),
            f"--pid-file={self.folder}/dnsmasq.pid", "--dhcp-authoritative",
            f"--dhcp-leasefile={self.folder}/leases", "--no-ping", f"--log-facility={self.folder}/dnsmasq.log",
            "--log-dhcp",
        )
        if kea:
            self._serve_kea(bootfile)
        self._wait_for_services({":67" if dhcp4 else ":547", ":80", *([":69"] if tftp else []), *([":53"] if dns else [])})
        return self

    def _serve_kea(self, bootfile):
        """A copy of the program: Debian's AppArmor profile lets the one in /usr/sbin read no configuration but its own."""
        program = self.folder / "kea-dhcp4"
        shutil.copy("/usr/sbin/kea-dhcp4", program)
        subnet = {"id": 1, "subnet": "10.77.0.0/24", "pools": [{"pool": "10.77.0.50-10.77.0.99"}], "next-server": SERVER}
        configuration = {
            "interfaces-config": {"interfaces": ["srv0"]},
            "lease-database": {"type": "memfile", "persist": False},
            "authoritative": True,
            "subnet4": [{**subnet, **({"boot-file-name": bootfile} if bootfile else {})}],
            "loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": "stdout"}]}],
        }
        (self.folder / "kea.json").write_text(json.dumps({"Dhcp4": configuration}))
        places = [f"{name}={self.folder}" for name in ("KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR")]
        self._service("env", *places, program, "-c", self.folder / "kea.json")

    def _nginx(self, more=""):
        return NGINX.format(folder=self.folder, server=SERVER, more=more)

    def serve_proxydhcp(self, bootfile):
        """A second server on the bridge, with a namespace of its own: it names a file to iPXE, and gives no address."""
        run("ip", "netns", "add", self.proxy)
        run("ip", "link", "add", "up1", "netns", self.vm, "type", "veth", "peer", "name", "srv0", "netns", self.proxy)
        self.ip("link", "set", "up1", "master", "br0", "up")
        run("ip", "-n", self.proxy, "link", "set", "srv0", "up")
        run("ip", "-n", self.proxy, "addr", "add", f"{PROXY}/24", "dev", "srv0")
        services = [f"--pxe-service=tag:ipxe,{arch},iPXE,{bootfile}" for arch in ("x86PC", "X86-64_EFI", "BC_EFI")]
        self._service(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=srv0",
            "--bind-interfaces", "--port=0", "--dhcp-range=10.77.0.0,proxy", "--dhcp-userclass=set:ipxe,iPXE", *services,
            f"--pid-file={self.folder}/proxy.pid", f"--dhcp-leasefile={self.folder}/proxy.leases",
            f"--log-facility={self.folder}/proxy.log", "--log-dhcp", namespace=self.proxy,
        )
        self._wait_for_services({":67", ":4011"}, self.proxy)

    def serve_web_on(self, port):
        """A second web server, with the same files."""
        text = self._nginx().replace(f"{SERVER}:80;", f"{SERVER}:{port};")
        (self.folder / "second.conf").write_text(text.replace("nginx.pid", "second.pid"))
        self._service("nginx", "-c", self.folder / "second.conf")
        self._wait_for_services({f":{port}"})

    def serve_iscsi(self, tgt, image):
        """The image as LUN 1 of the target IQN, by the tgtd in the folder `tgt`."""
        tools = ["env", f"LD_LIBRARY_PATH={tgt}", f"TGT_IPC_SOCKET={self.folder}/tgt.socket"]
        # It hears no SIGTERM while it has a target.
        self._service(*tools, tgt / "tgtd", "-f", "--iscsi", f"portal={SERVER}:3260", end=signal.SIGKILL)
        self._wait_for_services({":3260"})
        admin = ("ip", "netns", "exec", self.srv, *tools, tgt / "tgtadm", "--lld", "iscsi")
        run(*admin, "--op", "new", "--mode", "target", "--tid", "1", "-T", IQN)
        run(*admin, "--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", image)
        run(*admin, "--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")

    def listen_tcp(self, port):
        """A listening socket of ours in the server's namespace; it ends with the lab."""
        listening = in_namespace(self.srv, lambda: socket.create_server((SERVER, port)))
        self.sockets.append(listening)
        return listening

    def _service(self, *words, namespace=None, end=signal.SIGTERM):
        command = ["ip", "netns", "exec", namespace or self.srv, *map(str, words)]
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.services.append((started, end))

    def _wait_for_services(self, wanted, namespace=None):
        end = time.monotonic() + DEADLINE
        while wanted - {":" + word.rsplit(":", 1)[-1] for word in self._listening(namespace or self.srv)}:
            assert time.monotonic() < end, "the lab's services do not listen"
            assert all(service.poll() is None for service, _ in self.services), "a service of the lab ended"

    def _listening(self, namespace):
        lines = run("ip", "netns", "exec", namespace, "ss", "-Hlntu").splitlines()
        return [line.split()[4] for line in lines]

    def requests(self):
        """What was fetched by HTTP: (path, status)."""
        log = self.folder / "http.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(line.split('"')[1].split()[1], int(line.split('"')[2].split()[0])) for line in lines]

    def dhcp_log(self):
        log = self.folder / "dnsmasq.log"
        return log.read_text() if log.exists() else ""

    def links(self):
        """The links of the VM's namespace, as netlink has them: what must be the same before and after."""
        return sorted(
            (link["ifname"], link["ifindex"], link.get("master"), link["mtu"], link.get("address"), link.get("promiscuity"))
            for link in json.loads(self.ip("-json", "-details", "link"))
        )


def is_qemu(pid):
    """False also for a process that has ended meanwhile."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("qemu-system")
    except OSError:
        return False


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(condition, seconds, what):
    """For what the kernel does in its own time and tells nobody: the end of a network device or a namespace."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        select.select([], [], [], 0.01)


def http_script(words="", marker="VM-LAUNCH-SCRIPT-RAN", server=SERVER):
    return (
        f"#!ipxe\necho {marker}\nkernel http://{server}/vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check {words}\n"
        f"initrd http://{server}/initrd.gz\nboot\n"
    )


@contextlib.contextmanager
def private_folder():
    """A folder that QEMU's user can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vml-run-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
