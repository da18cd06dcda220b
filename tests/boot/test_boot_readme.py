"""The recipes of README.md with a real guest, as they stand, and its transcripts: what it shows of a boot is what is said of one."""

import os
import re
import signal
import subprocess

import pytest

import documents
import vm

SHOWN = documents.shell_blocks()


@pytest.fixture
def shell(netboot, tmp_path):
    """shell(script): what was said, where somebody types it who has vm-launch in the PATH and a folder to boot."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "vm-launch").symlink_to(vm.BINARY)
    small = {"MEMORY": "512M", "CPUS": "1", "TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    environment = {**small, "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin", vm.MARK: f"readme-{os.getpid()}"}

    def run(script):
        process = subprocess.Popen(["bash", "-c", script], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)  # fmt: skip
        try:
            said, _ = process.communicate(timeout=vm.BOOT_DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        assert not vm.processes_with(environment[vm.MARK].encode())
        return subprocess.CompletedProcess(script, process.returncode, said, None)

    run.folder = tmp_path
    return run


def commands_of(first):
    """The recipe that begins with it, ending where a command of it fails."""
    return "set -euo pipefail\n" + SHOWN[f"README.md: {first}"].text


def skeleton(line):
    """Without what is another one on each machine: times, sizes, speeds, ports, versions, where the folder lies, and what took longest."""
    line = re.sub(r"(where the time went: ).*", r"\1", line)
    line = re.sub(r", [\d.]+ [kM]B/s", "", re.sub(r"\[ *[\d.]+ s\]", "[]", line.rstrip()))
    return re.sub(r"\d[\w.+-]*", "0", re.sub(r"/\S*/netboot\b", "netboot", line))


def own_folder(netboot):
    """As `vm-launch init` makes it; the timer's check fails now and then on a busy host that emulates."""
    (netboot.path / "initrd.gz").rename(netboot.path / "initrd.img")
    subprocess.run([vm.BINARY, "init", netboot.path], check=True, stdout=subprocess.DEVNULL)
    script = netboot.path / "boot.ipxe"
    script.write_text(script.read_text().replace("console=${console}", "console=${console} no_timer_check"))


def check_transcript(first, shell):
    code = 0
    for command, shown in SHOWN[f"README.md: {first}"].commands():
        result = shell(f"(exit {code})\n{command}")
        code = result.returncode
        unsaid = documents.first_unsaid(map(skeleton, shown), map(skeleton, result.stdout.splitlines()))
        assert unsaid is None, f"{unsaid}\nis not in\n{result.stdout}"


def test_what_the_readme_shows_of_a_boot(shell, netboot):
    own_folder(netboot)
    check_transcript("vm-launch ./netboot >console.log", shell)


def test_what_the_readme_shows_of_a_boot_that_stops(shell, netboot):
    own_folder(netboot)
    (netboot.path / "initrd.img").unlink()
    check_transcript("vm-launch ./netboot --until os --report boot.html", shell)
    assert "cannot fetch" in (shell.folder / "boot.html").read_text()


def test_the_recipe_for_a_ci_job(shell, netboot):
    netboot.script()
    result = shell(commands_of("vm-launch doctor ./netboot"))
    assert result.returncode == 0, result.stdout
    assert all((shell.folder / f"boot.{kind}").stat().st_size > 1000 for kind in ("json", "html", "pcapng"))


def test_the_recipe_for_a_lab(shell, netboot):
    netboot.script(words="vml.stay")
    [recipe] = [block.text for block in SHOWN.values() if block.text.startswith("vm-launch --name one ")]
    result = shell(f"set -euo pipefail\n{recipe}\nwait")
    assert result.returncode == 0, result.stdout
    rows = re.findall(r"^(one|two) +running +os ", result.stdout, re.MULTILINE)
    assert rows == ["one", "two"], result.stdout
