"""`vm-launch test` with real boots: the example of docs/test.md as it stands, and a script that boots all the same."""

import json
import re
import shlex
import subprocess

import vm

DOCUMENT = vm.ROOT / "docs/test.md"


def run_test(folder, *arguments):
    """In the folder, as a user would; with the results. A test whose time is over is killed, and its VMs stop with it."""
    result = subprocess.run([vm.BINARY, *arguments, "--report", "out"], cwd=folder, capture_output=True, text=True, timeout=600, check=False,
                            stdin=subprocess.DEVNULL)
    document = folder / "out/results.json"
    assert document.exists(), result.stdout + result.stderr
    return result, {each["name"]: each for each in json.loads(document.read_text())["results"]}


def test_the_example_of_the_document(netboot):
    """With a third case beside it: a script that is not the machine's own boots the system as well, and fails the test."""
    netboot.script()
    folder = netboot.path.parent
    text = DOCUMENT.read_text()
    [example] = re.findall(r"```toml\n(.*?)```", text, re.S)
    [line] = re.findall(r"^vm-launch (test boot\.toml)$", text, re.M)
    [script] = re.findall(r"```ipxe\n(#!ipxe\n.*?)```", text, re.S)
    (netboot.path / "per-machine.ipxe").write_text(script)
    other = '\n[[case]]\nname = "not its own"\nexpect = {fetched = ["*/per-machine.ipxe", {url = "*/boot.ipxe", by = "proxydhcp"}]}\n'
    (folder / "boot.toml").write_text(example + other)
    result, told = run_test(folder, *shlex.split(line))
    assert result.returncode == 18, result.stdout + result.stderr
    passed = {name: each["outcome"] for name, each in told.items()}
    assert passed == {"boots nic-model=virtio": "passed", "no script for this machine is a 13": "passed", "not its own": "failed"}, told
    own, by = told["not its own"]["reasons"]
    assert own.startswith("*/per-machine.ipxe was not fetched; fetched was ")
    assert "it was named by dhcp (10.0.2.2), not by proxydhcp" in by
    assert told["not its own"]["exit_code"] == 0
    page = (folder / "out/index.html").read_text()
    assert page.count("<svg") >= 3
