"""`vm-launch plan`: what it prints boots by hand, and is what run does."""

import json
import re
import shutil
import subprocess

import pytest

import vm
from pasted import Pasted


def plan(netboot, form):
    done = vm.run("plan", "--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shell_command_boots_when_pasted(netboot):
    netboot.script()
    with Pasted(plan(netboot, "sh")) as shell:
        code, text = shell.wait_exit()
    assert code == 0, text
    assert vm.SCRIPT_RAN in text and vm.GUEST_UP in text


def commands_for_firmware(netboot, ipxes, network, client):
    netboot.script()
    shutil.copy(ipxes / "13/ipxe.efi", netboot.path)
    flags = ("--firmware", "uefi", "--pxe", client, "--network", network, "--netboot-dir", netboot.path, *vm.SMALL)
    done = vm.run("plan", *flags, "--format", "sh")
    assert done.returncode == 0, done.stderr
    subprocess.run(["sh", "-n"], input=done.stdout, text=True, timeout=60, check=True)
    return done.stdout


CHAINED = "dhcp && chain boot.ipxe"
BY_PXE = f"# by hand nobody offers iPXE anything: where it gets itself again, Ctrl-B and: {CHAINED}"
BY_HTTP = "# by hand nobody serves HTTP, by which this firmware boots: plan it with --pxe v4"
SEGMENT = "# by hand nobody serves the isolated segment: no DHCP, TFTP, HTTP or DNS"


@pytest.mark.parametrize(
    "network, client, missing",
    [("nat", "v4", BY_PXE), ("nat", "http4", BY_HTTP), ("isolated", "v4", SEGMENT), ("isolated", "http4", SEGMENT)],
)
def test_the_shells_commands_say_all_that_nobody_does_by_hand(netboot, ipxes, network, client, missing):
    """What vm-launch itself would do is told before the commands, and nothing else is."""
    served = [f"# what vm-launch would serve is all of {netboot.path}"] if network == "isolated" else []
    lines = commands_for_firmware(netboot, ipxes, network, client).splitlines()
    assert [line for line in lines if line.startswith("#")] == [missing, *served]
    assert lines[: 1 + len(served)] == [missing, *served]


def test_what_the_shells_commands_leave_to_be_typed_boots(netboot, ipxes):
    """The firmware gets iPXE by QEMU's TFTP; nobody offers that iPXE a script, and the words of the comment find it."""
    commands = commands_for_firmware(netboot, ipxes, "nat", "v4")
    with Pasted(commands, cwd=netboot.path.parent) as shell:
        shell.wait_text("Press Ctrl-B")
        assert vm.SCRIPT_RAN not in shell.shown
        shell.type("\x02")
        shell.wait_text("iPXE>")
        shell.type(CHAINED + "\r")
        shell.wait_text(vm.GUEST_UP)
        assert vm.SCRIPT_RAN in shell.shown


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
