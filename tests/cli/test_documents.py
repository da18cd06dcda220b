"""README.md and docs/: what is a command there runs as it stands, what is quoted there is what vm-launch says, and links lead
somewhere."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import boot_files
from launch import BINARY, DEADLINE, FAKE, ROOT, environment, launch

sys.path.insert(0, str(ROOT / "tests/boot"))
from documents import DOCUMENTS, blocks, first_unsaid, shell_blocks  # noqa: E402

# Blocks in other languages hold nothing that a shell runs.
LANGUAGES = {"sh", "console", "ipxe", "dockerfile", "json", "python", "toml", "yaml", "ini", "text", ""}
SYSTEM_UP = "Linux version 6.1.0-fake (x@y) #1\r\n[    0.100000] Run /init as init process\r\n"
SCRIPT = "#!ipxe\nkernel vmlinuz console=ttyS0 initrd=initrd.img\ninitrd initrd.img\nboot\n"
SHELL = shell_blocks()

# Those that need a real guest, root's package manager, a container or systemd: the test that runs them, or their like, with these.
ELSEWHERE = {
    "README.md: scripts/package && sudo apt-get install ./build/package/vm-launch_*.deb":
        "test_it_installs_upgrades_runs_and_leaves_nothing",
    "README.md: scripts/demo": "test_the_demo_is_quiet_where_nothing_is_wrong",
    "README.md: vm-launch doctor ./netboot": "test_the_recipe_for_a_ci_job",
    "README.md: vm-launch --name one --network isolated --segment lab --no-console ./netboot &": "test_the_recipe_for_a_lab",
    "README.md: vm-launch ./netboot >console.log": "test_what_the_readme_shows_of_a_boot",
    "README.md: vm-launch ./netboot --until os --report boot.html": "test_what_the_readme_shows_of_a_boot_that_stops",
    "README.md: docker build -t vm-launch .": "test_the_guides_bridge_line_boots",
    "containers.md: docker build -t vm-launch .": "test_a_vm_is_pid_1_healthy_reachable_and_stopped_within_dockers_ten_seconds",
    "packages.md: scripts/deps build && cmake --preset release && cmake --build --preset release --target vm-launch":
        "test_it_installs_upgrades_runs_and_leaves_nothing",
    "packages.md: mkdir -p -m 700 /etc/vm-launch": "test_the_unit_boots_from_a_bridge_is_stopped_and_starts_again",
    "packages.md: scripts/package": "test_packed_again_it_is_the_same",
    "packages.md: git checkout vVERSION && scripts/package && diff build/package/SHA256SUMS THOSE-OF-THE-RELEASE":
        "test_packed_again_it_is_the_same",
    "pytest.md: PYTHONPATH=integrations/pytest python3 -m pytest -p pytest_vm_launch test_netboot.py":
        "test_the_page_of_pytest_runs_without_an_installation",
    "pytest.md: python3 -m venv --system-site-packages venv": "test_the_page_of_pytest_runs_with_the_package_installed",
    "test.md: vm-launch test --matrix firmware=legacy,uefi --matrix nic-model=virtio,e1000 --junit out.xml --report out ./netboot":
        "test_a_matrix_and_what_is_written_of_it",
    "test.md: vm-launch test --matrix default --netboot-dir ./netboot --junit out.xml --report out": "test_every_way_runs_the_script",
    "test.md: vm-launch test boot.toml": "test_the_example_of_the_document",
    "watch.md: vm-launch watch br0": "test_until_a_stage",
    "labgrid.md: export PYTHONPATH=integrations/pytest:integrations/labgrid": "test_the_page_of_labgrid_runs",
}  # fmt: skip

# Those that run here, with the fake QEMU: its scenario, and what lies in the folder beside `netboot`.
HERE = {
    "README.md: vm-launch init netboot": {"scenario": "replay,poweroff", "files": ("vmlinuz", "initrd.img"), "netboot": None},
    "networks.md: vm-launch --netboot-dir ./netboot --network isolated": {"as_root": True},
    "networks.md: vm-launch --netboot-dir ./netboot --network bridge --bridge br0": {"as_root": True, "bridge": True},
    "explain.md: tcpdump -i eth0 -w boot.pcap": {"captured": "udhcpc-tftp.pcap"},
    "report-format.md: vm-launch ./netboot --report boot.html": {},
    "troubleshooting.md: vm-launch plan --ipxe --ipxe-rom /images/ipxe/custom.rom": {},
    "troubleshooting.md: vm-launch plan --ipxe --ipxe-rom e1000.rom": {"rom": "pxe-e1000.rom"},
    "troubleshooting.md: vm-launch plan --disk disk.raw --netboot-dir ./netboot": {"files": ("disk.raw",)},
    "troubleshooting.md: vm-launch --ipxe --disk disk.raw": {"files": ("disk.raw",), "scenario": "network-loop"},
    "troubleshooting.md: vm-launch plan --ipxe --network bridge --bridge br0": {"without_rights": True},
    "troubleshooting.md: vm-launch --ipxe": {"scenario": "no-file"},
}  # fmt: skip


class Place:
    """A folder in which a document's commands run, as somebody would who has `vm-launch` in the PATH."""

    def __init__(self, folder, scenario="replay,poweroff", files=(), netboot=SCRIPT, captured=None, without_rights=False, rom=None, **_):
        self.folder = folder
        self.prefix = []
        programs = folder / "programs"
        programs.mkdir()
        (programs / "vm-launch").symlink_to(BINARY)
        (programs / "python3").symlink_to("/usr/bin/python3")
        (folder / "console").write_text(SYSTEM_UP)
        if netboot:
            (folder / "netboot").mkdir()
            (folder / "netboot/boot.ipxe").write_text(netboot)
            (folder / "netboot/snponly.efi").write_bytes(boot_files.efi_program(b"iPXE snponly.efi"))  # Debian's is not everywhere
        for name in [*files, *(("netboot/vmlinuz", "netboot/initrd.img") if netboot else ())]:
            (folder / name).write_bytes(bytes(1 << 20))
        if captured:
            stand_in_for_tcpdump(programs, ROOT / "tests/captures" / captured)
        if rom:
            places = [pathlib.Path(place, rom) for place in ("/usr/lib/ipxe/qemu", "/usr/share/qemu")]
            shutil.copy(next(filter(pathlib.Path.exists, places)), folder / rom.removeprefix("pxe-"))
        if without_rights and os.geteuid() == 0:
            self.prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]
        # The fake reads the console's text out of a file that no QEMU would.
        self.environment = environment(scenario, QEMU_FAKE_CONSOLE=str(folder / "console"), LANDLOCK="off", PATH=f"{programs}:{FAKE}:/usr/bin:/bin")

    def run(self, script, *prefix):
        command = [*prefix, *self.prefix, "bash", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False)  # fmt: skip


def stand_in_for_tcpdump(programs, capture):
    for name, script in (("tcpdump", f'cp "{capture}" "$4"'), ("ssh", f'cat "{capture}"')):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)


def test_every_block_of_commands_is_run_by_a_test():
    assert len(SHELL) > 15
    assert set(SHELL) == set(HERE) | set(ELSEWHERE)
    assert not set(HERE) & set(ELSEWHERE)


def test_every_block_says_what_it_is_and_none_is_only_indented():
    for block in blocks():
        assert block.language in LANGUAGES, block.name
        assert block.language != "" or not re.search(r"^[$#] |^vm-launch ", block.text, re.MULTILINE), block.name
    for path in DOCUMENTS:
        without_blocks = re.sub(r"^ *```.*?^ *```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"\n\n {4,}\S", without_blocks), path.name


def test_the_tests_that_run_the_others_are_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for block, test in ELSEWHERE.items():
        assert f"def {test}(" in tests, block


@pytest.mark.parametrize("name", [name for name in HERE if SHELL.get(name) and SHELL[name].language == "sh"])
def test_the_commands_run_as_they_stand(name, open_folder, request):
    how = HERE[name]
    prefix = ()
    if how.get("as_root"):
        request.getfixturevalue("as_root")
        bridge = "ip link add br0 type bridge && ip address add 192.0.2.1/24 dev br0 && ip link set br0 up; " if how.get("bridge") else ""
        prefix = ("unshare", "--net", "sh", "-ec", f'ip link set lo up; {bridge}exec "$@"', "sh")
    result = Place(open_folder, **how).run(f"set -euo pipefail\n{SHELL[name].text}", *prefix)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", [name for name in HERE if SHELL.get(name) and SHELL[name].language == "console"])
def test_transcripts_show_what_is_said(name, open_folder):
    place = Place(open_folder, **HERE[name])
    code = 0
    for command, shown in SHELL[name].commands():
        result = place.run(f"(exit {code})\n{command}")
        code = result.returncode
        missing = first_unsaid(shown, result.stdout.splitlines())
        assert missing is None, f"{command}\ndoes not say\n{missing}\nbut\n{result.stdout}"


def said_by_the_sources():
    """The sources' texts, each literal that goes over several lines in one piece, with … for what is put in."""
    files = [file for folder in ("launcher", "bootwatch", "netsetup", "rom", "base") for file in (ROOT / folder).rglob("*.[ch]*")]
    text = "\n".join(file.read_text() for file in files)
    return re.sub(r"\{[^{}\s]*\}", "…", re.sub(r'"\s*\n\s*"', "", text)).replace('\\"', '"')


def messages_of_the_table():
    table = (ROOT / "docs/troubleshooting.md").read_text().split("| what you see | what to do |")[1]
    return re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)


def test_messages_within_the_sentences_on_trouble_are_vm_launchs():
    text, sources = (ROOT / "docs/troubleshooting.md").read_text(), said_by_the_sources()
    for message in ("no iPXE ROM", "no DHCP server answered"):
        assert f"`{message}`" in text and message in sources, message


def test_messages_in_the_table_on_trouble_are_vm_launchs():
    sources = said_by_the_sources()
    messages = messages_of_the_table()
    assert len(messages) > 10
    for message in messages:
        for part in filter(None, map(str.strip, message.split("…"))):
            assert part in sources, f"{message}: nobody says {part!r}"


def flags_of_all():
    text = "".join(launch("help", page).stdout for page in ("settings", "man")).replace("\\-", "-")
    return set(re.findall(r"--[a-z][a-z0-9-]*", text)) | {"--help", "--version"}


def test_commands_within_sentences_have_flags_that_there_are():
    flags = flags_of_all()
    seen = 0
    for path in DOCUMENTS:
        for command in re.findall(r"`vm-launch ([^`]*)`", path.read_text()):
            own = re.split(r" -- | \| ", command)[0]
            seen += 1
            for flag in re.findall(r"(?:^|\s)(--[a-z][a-z0-9-]*)", own):
                assert flag in flags, f"{path.name}: vm-launch {command}"
    assert seen > 40


def anchors_of(path):
    """As GitHub makes them of the headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_are_there(document):
    for file, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", document.read_text()):
        target = (document.parent / file).resolve() if file else document
        assert target.exists(), f"{document.name} → {file}"
        if anchor:
            assert anchor in anchors_of(target), f"{document.name} → {file}#{anchor}"


def test_the_readme_is_short_and_has_a_picture_that_is_small():
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") <= 250
    [picture] = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert 10_000 < (ROOT / picture).stat().st_size <= 150 * 1024
