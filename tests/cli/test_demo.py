"""scripts/demo, with stand-ins for all that it calls: what it says, and what it leaves out."""

import re
import shutil
import subprocess

import pexpect
import pytest

from launch import DEADLINE, ROOT

TOOLS = {
    "cmake": """case "$*" in
    *--build*) [ -z "$BUILDS" ] || cp "$BUILDS" build/release/; echo '[1/2] one'; echo '[2/2] two'; [ -z "$BUILD_FAILS" ] || { echo 'compiler: no'; exit 1; } ;;
    *) echo configured ;;
esac""",
}
PARTS = {
    "scripts/deps": "echo apt talks a lot",
    "scripts/assets": "echo downloads talk a lot; for dir; do :; done; mkdir -p $dir/netboot",
    "build/release/vm-launch": 'echo "booted with $*"; for word; do report=$word; done; echo page >"$report"; exit ${DEMO_CODE:-0}',
}


@pytest.fixture
def demo(tmp_path):
    """A copy of the script, with stand-ins for what it calls."""
    for name, script in {**{f"tools/{tool}": body for tool, body in TOOLS.items()}, **PARTS}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    for name in ("scripts/demo", "scripts/lib/common.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    environment = {"PATH": f"{tmp_path}/tools:/usr/bin:/bin"}

    def run(*words, **variables):
        return subprocess.run([tmp_path / "scripts/demo", *words], env={**environment, **variables},
                              capture_output=True, text=True, timeout=DEADLINE, check=False)  # fmt: skip

    run.folder = tmp_path
    run.on_a_terminal = lambda: pexpect.run(str(tmp_path / "scripts/demo"), env=environment, timeout=DEADLINE).decode()
    return run


def test_the_demo_is_quiet_where_nothing_is_wrong(demo):
    (demo.folder / "build/release/vm-launch").rename(demo.folder / "vm-launch")
    result = demo(BUILDS=str(demo.folder / "vm-launch"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"^building: about \d+ minutes on two cores$", result.stderr, re.MULTILINE)
    assert not re.search(r"talk|configured|\[1/2\]", result.stdout + result.stderr)
    assert result.stderr.splitlines()[-1] == f"The boot's report, for a browser: {demo.folder}/build/demo/boot.html"
    assert (demo.folder / "build/demo/boot.html").read_text() == "page\n"
    assert "booted with --ipxe --netboot-dir build/assets/netboot" in result.stdout
    assert "building" not in demo().stderr, "what is built takes no time again"


def test_on_a_terminal_the_builds_progress_has_one_line(demo):
    said = demo.on_a_terminal()
    [line] = [line for line in said.split("\r\n") if "steps" in line]
    assert re.findall(r"building: (\d of \d) steps", line) == ["1 of 2", "2 of 2"]
    assert "talk" not in said and "[1/2]" not in said


def test_the_demo_shows_what_a_build_said_that_failed(demo):
    result = demo(BUILD_FAILS="1")
    assert result.returncode == 1
    assert "compiler: no\nerror: the build failed\n" in result.stderr


def test_the_demo_ends_with_vm_launchs_exit_code_and_the_report(demo):
    result = demo(DEMO_CODE="13")
    assert result.returncode == 13
    assert "The demo ended with exit code 13" in result.stderr
    assert result.stderr.endswith("/build/demo/boot.html\n")


@pytest.mark.parametrize(("words", "code"), [(("--help",), 0), (("windows",), 2), (("debian-installer", "again"), 2)])
def test_the_demo_says_what_it_takes(demo, words, code):
    result = demo(*words)
    assert result.returncode == code
    assert (result.stderr if code else result.stdout).startswith("usage: scripts/demo [debian-installer]\n")
    assert not (demo.folder / "build/demo").exists()
