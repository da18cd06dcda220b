"""`vm-launch plan`: what it prints boots by hand, and is what run does."""

import json
import re
import shutil
import subprocess

import pytest

import vm


def plan(netboot, form):
    done = vm.run("plan", "--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shell_command_boots_when_pasted(netboot):
    netboot.script()
    command = plan(netboot, "sh")
    done = subprocess.run(
        ["sh"], input=command.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=vm.BOOT_DEADLINE
    )
    text = done.stdout.decode(errors="replace")
    assert done.returncode == 0, text
    assert vm.SCRIPT_RAN in text and vm.GUEST_UP in text


@pytest.mark.parametrize("network", ["nat", "isolated"])
@pytest.mark.parametrize("client", ["v4", "http4"])
def test_the_shells_commands_say_what_nobody_does_by_hand(netboot, ipxes, network, client):
    netboot.script()
    shutil.copy(ipxes / "13/ipxe.efi", netboot.path)
    flags = ("--firmware", "uefi", "--pxe", client, "--network", network, "--netboot-dir", netboot.path, *vm.SMALL)
    done = vm.run("plan", *flags, "--format", "sh")
    assert done.returncode == 0, done.stderr
    subprocess.run(["sh", "-n"], input=done.stdout, text=True, timeout=60, check=True)
    assert done.stdout.startswith("# by hand nobody ")


def test_json_says_what_is_started(boot, netboot):
    netboot.script()
    described = json.loads(plan(netboot, "json"))
    options = [argument["option"] for argument in described["arguments"]]
    assert described["program"].endswith("qemu-system-x86_64")
    assert "-device" in options and "-S" in options
    assert described["boot_order"][0]["kind"] == "network"


def test_the_plan_is_the_command_line_of_the_run(boot, netboot):
    """QEMU's own argv, as the kernel has it, against the plan of the same settings, but for the port that the kernel chose."""
    netboot.script()
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:
        run.wait_text(vm.FIRMWARE_TEXT)
        running = vm.command_line(run.qemu())
        planned = json.loads(vm.run("plan", *run.command()[1:], "--format", "json").stdout)
        run.stop()
    words = [planned["program"]]
    for argument in planned["arguments"]:
        words += [word for word in (argument["option"], argument["value"]) if word]
    assert [re.sub(r"(http://10\.0\.2\.2):\d+/", r"\1:{port}/", word) for word in running] == words
