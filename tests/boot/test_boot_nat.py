"""The main job: one command boots a script, a kernel and an initramfs over QEMU's user-mode network."""

import os
import shutil

import pytest

import pcap
import vm


def assert_booted(run):
    assert run.wait_exit() == 0
    console = run.text("console")
    assert vm.SCRIPT_RAN in console
    assert "Linux version" in console
    assert vm.GUEST_UP in console
    assert any(message.kind == pcap.DISCOVER and message.sender == "iPXE" for message in run.dhcp())
    assert [name.rsplit("/", 1)[-1] for name in run.fetched() if name.endswith(("vmlinuz", "initrd.gz"))]


def test_script_kernel_and_userland(boot, netboot):
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, "--bootfile", "boot.ipxe", *vm.SMALL) as run:
        assert_booted(run)


def test_console_and_own_lines_do_not_mix(boot, netboot):
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        own = run.text("own")
        assert vm.GUEST_UP in run.text("console")
        assert vm.GUEST_UP not in own
        assert own.strip() and all(line.startswith("vm-launch:") for line in own.splitlines() if line)
        assert "vm-launch:" not in run.text("console")


def test_boot_ipxe_is_the_default_bootfile(boot, netboot):
    netboot.script(marker="THE-DEFAULT").script("other.ipxe", marker="THE-OTHER")
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text("THE-DEFAULT|THE-OTHER")
        assert "THE-OTHER" not in run.text()
        assert "boot.ipxe" in run.fetched()[0]
        run.stop()


def test_bootfile_names_another_script(boot, netboot):
    netboot.script(marker="THE-DEFAULT").script("other.ipxe", marker="THE-OTHER")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--bootfile", "other.ipxe", *vm.SMALL) as run:
        run.wait_text("THE-DEFAULT|THE-OTHER")
        assert "THE-DEFAULT" not in run.text()
        assert "other.ipxe" in run.fetched()[0]
        run.stop()


def test_the_environment_boots_as_the_flags_do(boot, netboot):
    netboot.script()
    settings = {"IPXE_ENABLE": "1", "NETBOOT_DIR": str(netboot.path), "MEMORY": "512M", "CPUS": "1"}
    with boot(environment=settings) as run:
        assert_booted(run)


def test_the_guest_has_the_mac_that_was_asked_for(boot, netboot):
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, "--mac", "52:54:00:ab:cd:ef", *vm.SMALL) as run:
        assert run.wait_dhcp().chaddr == "52:54:00:ab:cd:ef"
        run.wait_text(vm.GUEST_UP + r".*mac=52:54:00:ab:cd:ef")
        assert run.wait_exit() == 0


def test_a_guest_that_reboots_boots_again(boot, netboot):
    netboot.script(words="vml.reboot")
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_text(rf"(?s){vm.GUEST_UP}.*{vm.SCRIPT_RAN}")
        run.stop()


@pytest.mark.parametrize("words", [("--port-forward", "{}:80"), ("--graphics", "vnc", "--vnc-port", "{}")])
def test_a_port_that_is_taken_between_the_trial_and_qemus_start_is_named(tmp_path, words):
    """A QEMU that takes the port itself before it looks at its arguments."""
    port = vm.free_port()
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text(
        "#!/usr/bin/python3\nimport os, socket, sys\n"
        f"taken = socket.create_server(('127.0.0.1', {port}))\ntaken.set_inheritable(True)\n"
        f"os.execv({shutil.which('qemu-system-x86_64')!r}, sys.argv)\n"
    )
    qemu.chmod(0o755)
    ended = vm.run(
        "--name", "port", "--blank-disk", *(word.format(port) for word in words),
        environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert ended.returncode == 4, ended.stderr
    assert f"QEMU cannot listen on tcp port {port} of " in ended.stderr
    assert words[-2] in ended.stderr and "hint:" in ended.stderr
