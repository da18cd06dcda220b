"""Boots on an isolated segment: no server and no link of the host's, and vm-launch answers for all of them."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

import vm

ISOLATED = ("--network", "isolated")
NOBODY = 65534


def namespaces(pid):
    """The network namespaces that this process is in or holds open."""
    process = pathlib.Path("/proc") / str(pid)
    found = {os.readlink(process / "ns/net")}
    for fd in (process / "fd").iterdir():
        try:
            found.add(os.readlink(fd))
        except FileNotFoundError:
            pass  # closed meanwhile
    return {target for target in found if target.startswith("net:[")}


def held(namespace):
    """Whether any process is in it or holds it open."""
    for process in pathlib.Path("/proc").iterdir():
        try:
            if process.name.isdigit() and namespace in namespaces(process.name):
                return True
        except OSError:
            pass  # ended meanwhile
    return False


def links():
    return set(os.listdir("/sys/class/net"))


def test_ipxe_boots_from_the_segment_and_knows_names(boot, netboot):
    # Everything of a boot: an address, the script, a name, a kernel, its RAM disk.
    text = vm.guest_script().replace("initrd initrd.gz", "initrd http://boot.local/initrd.gz")
    (netboot.path / "boot.ipxe").write_text(text)
    before = links()
    with boot(*ISOLATED, "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:
        run.wait_text(vm.GUEST_UP)
        assert links() == before
        own = run.text("own")
        assert "198.18.1.2 offered by 198.18.1.1, file http://198.18.1.1/boot.ipxe" in own
        assert "http://boot.local/initrd.gz" in own
        run.stop()


def test_a_vendor_option_of_the_users_leads_no_client_astray(boot, netboot, ipxes):
    """PXE's servers, menu and prompt: what names the file there is no PXE server's offer (option 60), and goes by none of these."""
    shutil.copy(ipxes / "13/ipxe.efi", netboot.path)
    servers = "0807000101c6120109"  # of type 1: 198.18.1.9, which nobody is
    given = f"060104{servers}0907000104544553540a07ff43484f4f5345ff"
    (netboot.path / "boot.ipxe").write_text(f"#!ipxe\niseq ${{43:hexraw}} {given} && echo IPXE-HAS-IT\nsleep 600\n")
    flags = (*ISOLATED, "--firmware", "uefi", "--pxe", "v4", "--netboot-dir", netboot.path, "--dhcp-option", f"43=hex:{given}")
    with boot(*flags, *vm.SMALL, capture=False) as run:
        run.wait_text("IPXE-HAS-IT")
        assert "fetch: tftp://198.18.1.1/ipxe.efi" in run.text("own")
        run.stop()


def test_without_a_folder_there_is_an_address_and_nothing_to_boot(boot):
    with boot(*ISOLATED, "--ipxe", *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 12
        assert "198.18.1.2" in run.text("own")


def test_vms_share_a_segment_and_the_first_may_go(boot, tmp_path):
    """Each is served its own script, reaches the other's server, and a third one comes after the first has gone."""
    name = f"lab-{os.getpid()}"
    shared = (*ISOLATED, "--segment", name, "--ipxe", *vm.SMALL)

    def script(words):
        file = tmp_path / f"{words}.ipxe"
        file.write_text(f"#!ipxe\necho {words} ${{net0/ip}}\nsleep 600\n")
        return file

    def chained(server):
        file = tmp_path / "chained.ipxe"
        file.write_text(f"#!ipxe\necho THIRD ${{net0/ip}}\nchain http://{server}/SECOND.ipxe\n")
        return file

    with boot(*shared, "--script", script("FIRST"), capture=False) as first:
        first.wait_text("FIRST 198.18.1.2")
        with boot(*shared, "--script", script("SECOND"), capture=False) as second:
            second.wait_text("SECOND 198.18.2.2")
            own = os.readlink("/proc/self/ns/net")
            both = [namespaces(run.process.pid) - {own} for run in (first, second)]
            assert len(both[0]) == 1 and both[0] == both[1]
            first.stop()
            with boot(*shared, "--script", chained("198.18.2.1"), capture=False) as third:
                third.wait_text("THIRD 198.18.1.2")
                third.wait_text("SECOND 198.18.1.2")
                third.stop()
            second.stop()
    # Nobody has the name any more, nor the namespace.
    assert name not in pathlib.Path("/proc/net/unix").read_text()
    deadline = time.monotonic() + 60
    while held(*both[0]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_without_any_privilege(tmp_path, netboot):
    """In a mount namespace whose /dev/net/tun everybody may open, as on a desktop; here it may be root's alone."""
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho UNPRIVILEGED-SCRIPT ${net0/ip}\nsleep 600\n")
    private = tmp_path / "private"
    private.mkdir()
    os.chown(private, NOBODY, NOBODY)
    words = [vm.BINARY, "--name", "plain", *ISOLATED, "--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, "--until", "script"]
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *map(str, words)]
    inside = 'mkdir "$0/dev" && mknod -m 666 "$0/dev/tun" c 10 200 && mount --bind "$0/dev/tun" /dev/net/tun && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, tmp_path, *as_nobody],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=vm.BOOT_DEADLINE,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(private)},
    )
    assert done.returncode == 0, done.stderr
    assert "198.18.1.2" in done.stderr


def test_where_user_namespaces_are_refused_it_is_said_what_else_there_is(tmp_path):
    """In a user namespace that may have none below it."""
    refused = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", refused, "sh", vm.BINARY, *ISOLATED, "--ipxe", "--accel", "tcg"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 3, done.stderr
    assert "cannot make an isolated segment" in done.stderr
    assert "--network nat" in done.stderr
