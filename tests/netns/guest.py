"""A guest that is a network namespace: the programs of a real operating system on the link that vm-launch gave its QEMU.

The fake QEMU (tests/fake) lends the tap of its NIC, and what passes there goes to and from a tap in the namespace. So
vm-launch itself is the real one, and so are the clients; only the machine between them is not."""

import contextlib
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import threading

import lab as labs
import vm

FAKE = vm.ROOT / "tests/fake"
LINK = "eth0"
HEADER = 12  # of virtio, before each frame (netsetup/tap_device.cpp)
CLIENT_DEADLINE = 60

# <linux/if_tun.h>
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUNSETIFF, TUNGETIFF, TUNSETVNETHDRSZ = 0x400454CA, 0x800454D2, 0x400454D8


def new_tap(flags):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", LINK.encode(), flags))
    if flags & IFF_VNET_HDR:
        fcntl.ioctl(tap, TUNSETVNETHDRSZ, struct.pack("i", HEADER))
    return tap


class Lender:
    """Where the fake QEMU of one run hands its tap over. `path` is one that QEMU's user can reach."""

    def __init__(self, path):
        self.path = path
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(str(path))
        path.chmod(0o666)
        self.listening.listen()

    def environment(self):
        return {"PATH": f"{FAKE}:{os.environ['PATH']}", "QEMU_FAKE": "lent", "QEMU_FAKE_TAP": str(self.path)}

    def take(self, run):
        with self.listening:
            while not select.select([self.listening], [], [], 0.2)[0]:
                assert run.process.poll() is None, "vm-launch ended before its guest ran"
            with self.listening.accept()[0] as connection:
                _, (tap,), _, _ = socket.recv_fds(connection, 16, 1)
        return tap


class Guest:
    """Use as a context. `loses(frame, to_guest)` says which frames get lost on the way."""

    count = 0

    def __init__(self, tap, mac):
        Guest.count += 1
        self.namespace = f"vml-guest-{os.getpid()}-{Guest.count}"
        self.mac = mac
        self.lent = tap
        self.loses = lambda frame, to_guest: False
        self.failure = None  # of `loses`: raised at the context's end
        self.stopping, self.stop = os.pipe()
        self.thread = threading.Thread(target=self._carry, name=self.namespace)

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self.lent)
            labs.run("ip", "netns", "add", self.namespace)
            undo.callback(subprocess.run, ["ip", "netns", "del", self.namespace], capture_output=True)
            flags = struct.unpack("16xH22x", fcntl.ioctl(self.lent, TUNGETIFF, bytes(40)))[0]
            self.header = HEADER if flags & IFF_VNET_HDR else 0
            wanted = flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
            self.own = labs.in_namespace(self.namespace, lambda: new_tap(wanted))
            undo.callback(os.close, self.own)
            os.set_blocking(self.lent, False)
            self.thread.start()
            undo.callback(self._stop_carrying)
            self.ip("link", "set", LINK, "address", self.mac, "up")
            self.undo = undo.pop_all()
        return self

    def __exit__(self, *error):
        self.undo.close()
        if self.failure:
            raise self.failure from error[1]

    def _stop_carrying(self):
        os.close(self.stop)
        self.thread.join()
        os.close(self.stopping)

    def _carry(self):
        ways = {self.lent: (self.own, True), self.own: (self.lent, False)}
        while True:
            ready = select.select([*ways, self.stopping], [], [])[0]
            if self.stopping in ready:
                return
            for source in ready:
                self._pass_on(source, *ways[source])

    def _is_lost(self, frame, to_guest):
        try:
            return self.loses(frame, to_guest)
        except Exception as error:  # noqa: BLE001: whatever it is, it is the test's, and raised there
            self.failure = self.failure or error
            return True

    def _pass_on(self, source, target, to_guest):
        try:
            while True:
                frame = os.read(source, 65536)
                if not self._is_lost(frame[self.header :], to_guest):
                    os.write(target, frame)
        except OSError:
            pass  # nothing more for now; or a link that is down takes nothing

    # -- what runs in it

    def ip(self, *words):
        return labs.run("ip", "-n", self.namespace, *words)

    def inside(self, *words):
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def run(self, *words, **options):
        """A program to its end, whatever that is."""
        return subprocess.run(
            self.inside(*words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CLIENT_DEADLINE,
            **options,
        )


class GuestRun(vm.Boot):
    """A run of vm-launch whose guest is a namespace: `guest` is there as long as the run's context."""

    def __init__(self, folder, *arguments, mac, lab=None):
        Guest.count += 1
        self.lender = Lender(pathlib.Path(folder) / f"lender-{Guest.count}")
        words = ("--no-landlock", "--accel", "tcg", "--mac", mac, *arguments)
        super().__init__(folder, *words, capture=False, environment=self.lender.environment())
        self.lab, self.mac = lab, mac

    def command(self):
        return self.lab.inside(*super().command()) if self.lab else super().command()

    def __enter__(self):
        self.start()
        try:
            self.guest = Guest(self.lender.take(self), self.mac).__enter__()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, *error):
        try:
            if hasattr(self, "guest"):
                self.guest.__exit__(*error)
        finally:
            super().__exit__(*error)
