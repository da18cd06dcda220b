"""What is given by itself, without a folder: a script, a kernel with its RAM disks, a word on the command line."""

import shutil
import subprocess

import pytest

import media
import vm

UP = ("--until", "os", "--boot-timeout", "150", *vm.SMALL)


def came_up(run):
    assert run.wait_exit() == 0
    assert "the guest came to os" in run.text("own")
    return run.text("own")


def test_a_script_alone_boots_with_what_lies_beside_it(boot, netboot):
    """And what it can do without, and a script that it chains, with what that one names."""
    (netboot.path / "my.ipxe").write_text("#!ipxe\nimgfetch --name n note.txt || echo NO-NOTE\nimgfree n ||\nchain more/next.ipxe\n")
    (netboot.path / "note.txt").write_text("note")
    (netboot.path / "secret").write_text("not asked for")
    (netboot.path / "more").mkdir()
    (netboot.path / "more/next.ipxe").write_text(vm.guest_script().replace("vmlinuz", "/vmlinuz").replace("initrd initrd", "initrd /initrd"))
    with boot(netboot.path / "my.ipxe", *UP) as run:
        came_up(run)
        assert "NO-NOTE" not in run.text()
        assert run.text("own").count("/note.txt") == 1


def test_a_file_that_nobody_named_is_not_served(boot, netboot):
    (netboot.path / "my.ipxe").write_text("#!ipxe\nset name secret\nimgfetch ${name}\n")
    (netboot.path / "secret").write_text("not asked for")
    with boot("--script", netboot.path / "my.ipxe", "--until", "kernel", *vm.SMALL) as run:
        assert run.wait_exit() == 13
        assert "404" in run.text("own")
        assert "--netboot-dir DIR serves all of a folder" in run.text("own")


def test_a_script_from_standard_input_and_its_folder(boot, netboot):
    script = subprocess.Popen(["echo", vm.guest_script()], stdout=subprocess.PIPE)
    with boot("--script", "-", "--netboot-dir", netboot.path, *UP, stdin=script.stdout) as run:
        assert "stdin.ipxe runs" in came_up(run)
    script.wait()


def test_a_script_in_a_variable(boot, netboot, web_of):
    web = web_of(netboot.path)
    script = vm.guest_script().replace("kernel ", f"kernel {web}/").replace("initrd initrd.gz", f"initrd {web}/initrd.gz")
    with boot(*UP, environment={"NETBOOT_SCRIPT": script}) as run:
        assert "script.ipxe runs" in came_up(run)


def test_a_script_that_was_edited_counts_from_the_next_reset_on(boot, netboot):
    """Reset at a prompt, with a connection to vm-launch that iPXE kept: it may take the same port again."""
    script = netboot.path / "my.ipxe"
    script.write_text("#!ipxe\necho THE-FIRST\nprompt --key x press x && kernel vmlinuz && initrd initrd.gz\n")
    with boot("--script", script, *UP) as run:
        run.wait_text("press x")
        (netboot.path / "new").write_text(vm.guest_script())
        (netboot.path / "new").rename(script)  # as editors do
        subprocess.run([vm.BINARY, "reset", run.name], check=True, env=run.full_environment())
        came_up(run)
        assert vm.SCRIPT_RAN in run.text()


def kernel(netboot, *initrds):
    words = [word for initrd in initrds for word in ("--initrd", initrd)]
    return ("--kernel", netboot.path / "vmlinuz", *words, "--append", "console=ttyS0 no_timer_check vml.marker=${buildarch}")


def padded(archive):
    return archive + bytes(-len(archive) % 4)


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_a_kernel_boots_by_a_script_that_vm_launch_writes(boot, netboot, tmp_path, firmware):
    """With two RAM disks, the second with a name that no URL takes as it is, and iPXE's variables on the command line."""
    first = tmp_path / "initrd.gz"
    first.write_bytes(padded((netboot.path / "initrd.gz").read_bytes()))
    second = tmp_path / "second one.cpio"
    second.write_bytes(media.second_ram_disk())
    with boot(*kernel(netboot, first, second), "--firmware", firmware, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert media.SECOND_RAM_DISK in run.text()
        line = run.wait_text(r"Command line: (.*)").group(1)
        assert "vml.marker=" in line and "${" not in line
        assert ("initrd=initrd0 initrd=initrd1" in line) == (firmware == "uefi")
        assert "/second_one.cpio: " in run.text("own")


def test_the_folder_of_init_boots_what_is_put_into_it(boot, netboot, tmp_path):
    made = subprocess.run([vm.BINARY, "init", tmp_path / "lab"], capture_output=True, text=True, check=True)
    assert f"Then: vm-launch {tmp_path}/lab" in made.stdout
    for name, given in (("vmlinuz", "vmlinuz"), ("initrd.gz", "initrd.img")):
        shutil.copy(netboot.path / name, tmp_path / "lab" / given)
    with boot(tmp_path / "lab", *UP) as run:
        came_up(run)
    again = subprocess.run([vm.BINARY, "init", tmp_path / "lab"], capture_output=True, text=True)
    assert again.returncode == 3
    assert "is there already" in again.stderr


def test_the_folder_of_init_says_what_is_missing(boot, tmp_path):
    subprocess.run([vm.BINARY, "init", tmp_path / "lab"], check=True, stdout=subprocess.DEVNULL)
    with boot(tmp_path / "lab", "--until", "kernel", *vm.SMALL) as run:
        assert run.wait_exit() == 13
        assert "kernel: vmlinuz is not in the folder" in run.text("own")
        assert "cannot fetch http://10.0.2.2:" in run.text("own")


def test_the_plan_for_a_shell_boots_without_vm_launch(netboot, tmp_path):
    """What vm-launch would serve becomes a folder for QEMU's TFTP server."""
    plan = vm.run("plan", "--format", "sh", "--accel", "tcg", *kernel(netboot, netboot.path / "initrd.gz"), *vm.SMALL)
    assert plan.returncode == 0, plan.stderr
    told = subprocess.run(["sh", "-c", plan.stdout], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=vm.BOOT_DEADLINE,
                          cwd=tmp_path)
    assert vm.GUEST_UP in told.stdout
