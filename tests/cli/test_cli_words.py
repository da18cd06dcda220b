"""What vm-launch prints without starting anything, and how it refuses what it cannot do."""

import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import tempfile

import pytest

import boot_files
from launch import BOOT, FAKE, ROOT, environment, launch


UEFI = (*BOOT, "--firmware", "uefi")


def table_of_exit_codes():
    text = launch("help", "settings").stdout
    return re.findall(r"^\| (\S+) \| (.+) \|$", text.split("## Exit codes")[1], re.MULTILINE)[1:]


def fails_with(result, code, *words):
    assert result.returncode == code, result.stderr
    for word in words:
        assert word in result.stderr
    return result


# -- help and version


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",), ("--nonsense", "--help")])
def test_help_goes_to_standard_output(arguments):
    result = launch(*arguments)
    assert result.returncode == 0
    assert result.stdout.startswith("Network-boots a virtual machine")
    assert "--ipxe" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("name,has", [("stop", "--stop-timeout"), ("status", "--format FORMAT"), ("exec", "125 when"), ("init", "boot.ipxe"),
                                      ("rom", "--ipxe-rom"), ("plan", "--boot-order LIST"), ("run", "--boot-order LIST")])
def test_each_subcommand_has_help_of_its_own(name, has):
    result = launch(name, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"Usage: vm-launch {name} ")
    assert has in result.stdout
    assert "](" not in result.stdout
    assert result.stderr == ""
    assert launch("help", name).stdout == result.stdout


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(flag):
    result = launch(flag)
    assert result.returncode == 0
    assert re.fullmatch(r"vm-launch \d+\.\d+\.\d+\n", result.stdout)
    assert result.stderr == ""


def test_unknown_topic_of_help():
    fails_with(launch("help", "nonsense"), 2, "unknown topic 'nonsense'", "topics: man, settings, control, schema, events-table, or a subcommand's name")


@pytest.mark.parametrize(("topic", "file"), [("man", "docs/vm-launch.1"), ("settings", "docs/SETTINGS.md"), ("schema", "docs/config.schema.json")])
def test_documents_are_what_the_program_prints(topic, file):
    result = launch("help", topic)
    assert result.returncode == 0
    assert result.stdout == (ROOT / file).read_text(), f"make it anew: vm-launch help {topic} > {file}"


# -- refusals


@pytest.mark.parametrize(("words", "fault", "hint"), [
    (("stop", "--name", "web"), "'stop' does not take --name", "the VM is named without it: vm-launch stop NAME"),
    (("status", "--ipxe"), "'status' does not take --ipxe", "see vm-launch status --help"),
    (("ls", "--no-fast-boot"), "'ls' does not take --no-fast-boot", ""),
    (("init", "--memory", "2G"), "'init' does not take --memory", ""),
    (("help", "stop", "extra"), "help takes one topic", "vm-launch help stop"),
    (("help", "--disk", "x"), "'help' does not take --disk", ""),
    (("health", "--console-raw"), "'health' does not take --console-raw", ""),
    (("console", "--config", "x"), "'console' does not take --config", ""),
    (("stop", "--user", "me"), "'stop' does not take --user", ""),
    (("run", "--follow"), "'run' does not take --follow", ""),
    (("ls", "--stage", "os"), "'ls' does not take --stage", ""),
    (("status", "--follow=maybe"), "--follow: invalid value 'maybe' (expected on or off)", ""),
    (("wait", "--stge", "os"), "unknown option --stge", "did you mean --stage?"),
    (("wait", "--name", "web"), "'wait' does not take --name", "the VM is named without it: vm-launch wait NAME"),
    (("stop", "--", "x"), "'stop' takes nothing after --", ""),
    (("ls", "web"), "unexpected argument 'web'", "see vm-launch ls --help"),
    (("stop", "web", "-l", "debian"), "unknown option -l", "see vm-launch stop --help"),
    (("ssh", "web", "-l", "debian"), "unknown option -l", "ssh's own options go after --"),
    (("stop", "web", "--ipx"), "unknown option --ipx", "see vm-launch stop --help"),
    (("ls", "--json"), "unknown option --json", "see vm-launch ls --help"),
    (("--config", "/dev/null", "plan"), "unexpected argument 'plan'", "a subcommand goes first: vm-launch plan …"),
    (("plan", "--ipxe", "--until", "agent", "--no-guest-agent"), "--until: the boot cannot come to that", "leave one of them out"),
])
def test_a_flag_that_means_nothing_is_refused(words, fault, hint):
    fails_with(launch(*words), 2, fault, hint)


def test_every_subcommand_takes_the_flags_that_its_help_lists():
    for name in re.findall(r"^  vm-launch ([a-z-]+)(?: |$)", launch("--help").stdout, re.MULTILINE):
        text = launch(name, "--help").stdout
        for flag in re.findall(r"^  (--[a-z-]+)", text.split("\nOptions:\n")[-1], re.MULTILINE):
            if flag in ("--help", "--version"):
                continue
            told = launch(name, "--no-such-flag", flag, "x").stderr
            assert "--no-such-flag" in told, (name, flag, told)
            assert f"does not take {flag}" not in told and f"unknown option {flag}" not in told, (name, flag, told)
        assert f"For example: vm-launch {name}" in text


@pytest.mark.parametrize("strange", [{"ARCH": "x86"}, {"VM_LAUNCH_CONFIG": "/nowhere"}, {"CPUS": "x", "NETWORK2_MODE": "nonsense"}])
def test_what_is_meant_for_a_start_is_no_affair_of_a_subcommand_that_uses_none_of_it(strange):
    for words in (("help", "man"), ("completion", "bash"), ("ls",), ("status",)):
        assert launch(*words, env=environment(**strange)).returncode != 2, words
    fails_with(launch("plan", env=environment(**strange)), 2, next(iter(strange)))
    fails_with(launch("health", env=environment(HEALTH_STAGE="nonsense")), 2, "$HEALTH_STAGE: invalid value 'nonsense'")


def test_health_does_not_pass_over_what_it_was_to_ask_for(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"health-stage": "agent"')
    for config in ("/nowhere", str(broken)):
        fails_with(launch("health", env=environment(VM_LAUNCH_CONFIG=config)), 2, "$VM_LAUNCH_CONFIG: ")


@pytest.mark.parametrize("words", [
    ("exec", "web", "uname", "-a"), ("exec", "web", "uname"), ("guest-exec", "--bad", "x"), ("guest-exec", "--wait=maybe", "true"),
])
def test_whatever_keeps_exec_from_running_has_one_exit_code(words):
    result = launch(*words)
    assert result.returncode == 125, result.stderr
    assert "vm-launch: error[125]: " in result.stderr


def test_faults_of_a_verb_as_json():
    result = launch("stop", "nobody-is-called-so", "--log-format", "json")
    assert result.returncode == 1
    assert json.loads(result.stderr)["message"] == "no running VM named nobody-is-called-so"


def test_unknown_subcommand():
    result = fails_with(launch("plna"), 2, "unknown subcommand 'plna'", "did you mean plan?")
    assert result.stdout == ""


@pytest.mark.parametrize("words,hint", [
    (("--blank-disk", "20G"), "did you mean --disk-size 20G?"),
])
def test_a_word_behind_a_boolean(words, hint):
    fails_with(launch("plan", *words), 2, f"unexpected argument '{words[-1]}'", hint)


def test_all_faults_come_at_once():
    result = launch("--ixpe", "--memory=lots", "--mac=x", env=environment(BOOT_ORDER="floppy"))
    fails_with(result, 2, "--ixpe", "did you mean --ipxe?", "--memory: invalid value 'lots'", "--mac: invalid MAC address 'x'", "$BOOT_ORDER: invalid value 'floppy'")
    assert result.stderr.count("vm-launch: error[2]: ") == 4


def test_faults_as_json_lines():
    result = launch("--ixpe", "--memory=lots", "--log-format=json")
    assert result.returncode == 2
    faults = [json.loads(line) for line in result.stderr.splitlines()]
    assert [fault["exit_code"] for fault in faults] == [2, 2]
    assert {"time", "level", "message", "why", "hint", "exit_code"} == set(faults[0])


def test_a_qemu_that_is_missing(tmp_path):
    result = launch(*BOOT, env=environment(PATH=str(tmp_path)))
    fails_with(result, 3, "qemu-system-x86_64 is not installed", "apt-get install qemu-system-x86")


def test_a_qemu_that_is_no_program(open_folder):
    fake = open_folder / "qemu-system-x86_64"
    fake.write_bytes(b"\0\1\2 no program")
    fake.chmod(0o755)
    result = launch(*BOOT, env=environment(PATH=str(open_folder)), may_leave_dead=True)
    fails_with(result, 4, f"cannot start {fake}", "Exec format error")


# -- the configuration file


def test_a_configuration_file(tmp_path):
    config = tmp_path / "vm.json"
    config.write_text(json.dumps({"ipxe": True, "bootfile": "http://h/x", "name": "filed"}))
    by_flag = launch("plan", "--config", config)
    by_variable = launch("plan", env=environment(VM_LAUNCH_CONFIG=str(config)))
    assert by_flag.returncode == 0
    assert "guest=filed" in by_flag.stdout
    assert by_flag.stdout == by_variable.stdout


def test_a_configuration_file_that_is_missing(tmp_path):
    fails_with(launch("plan", "--config", tmp_path / "none"), 2, "cannot read", "No such file or directory")


def test_a_configuration_file_that_is_a_folder(tmp_path):
    result = fails_with(launch("plan", "--config", tmp_path), 2, f"{tmp_path}", "Is a directory")
    assert "report it" not in result.stderr


# -- plan

PLAN = ("plan", *BOOT, "--name", "planned")


def test_a_plan_as_text():
    result = launch(*PLAN)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(FAKE / "qemu-system-x86_64")
    assert "  -name guest=planned" in lines
    assert "Boot order:" in lines
    assert result.stderr == ""
    assert result.stdout == launch(*PLAN, "--format=text").stdout


def test_a_plan_as_json():
    result = launch(*PLAN, "--format=json")
    assert result.returncode == 0
    plan = json.loads(result.stdout)
    assert plan["format"] == "vm-launch-plan"
    assert plan["program"] == str(FAKE / "qemu-system-x86_64")
    assert plan["boot_order"][0]["kind"] == "network"
    assert {"option": "-name", "value": "guest=planned", "reason": ""} in plan["arguments"]


def test_a_plan_as_a_shell_command():
    result = launch(*PLAN, "--format=sh", "--", "-device", "it's $HOME")
    assert result.returncode == 0
    words = shlex.split(result.stdout.replace("\\\n", ""))
    assert words[0] == str(FAKE / "qemu-system-x86_64")
    assert words[-2:] == ["-device", "it's $HOME"]
    assert "guest=planned" in words


def test_a_plan_does_not_depend_on_the_moment():
    assert launch(*PLAN).stdout == launch(*PLAN).stdout


def test_a_plan_starts_nothing(open_folder):
    mark = open_folder / "pid"
    assert launch(*PLAN, env=environment(QEMU_FAKE_PID=str(mark))).returncode == 0
    assert not mark.exists()


def test_format_that_does_not_fit():
    fails_with(launch("plan", "--format=yaml"), 2, "(expected text, json or sh)")
    fails_with(launch("rom", "x", "--format=sh"), 2, "(expected text or json)")


# -- rom

ROMS = sorted(pathlib.Path("/usr/lib/ipxe/qemu").glob("*.rom")) or sorted(pathlib.Path("/usr/share/qemu").glob("*.rom"))


@pytest.fixture
def rom():
    if not ROMS:
        pytest.skip("no ROM of ipxe-qemu is installed")
    return ROMS[0]


def test_every_installed_rom_is_read(rom):
    text = launch("rom", *ROMS)
    assert text.returncode == 0, text.stderr
    listed = launch("rom", *ROMS, "--format=json")
    assert listed.returncode == 0
    described = json.loads(listed.stdout)
    assert len(described) == len(ROMS)
    for path in ROMS:
        assert str(path) in text.stdout
        assert str(path) in listed.stdout


def test_a_rom_that_is_cut_off_is_told_of(rom, tmp_path):
    cut = tmp_path / "cut.rom"
    cut.write_bytes(rom.read_bytes()[:1000])
    result = launch("rom", cut)
    assert result.returncode == 0
    assert "image 1 is cut short" in result.stdout


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"this is no ROM"),
        lambda path: path.write_bytes(b"\x55"),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
    ],
    ids=["missing", "empty", "text", "one byte", "folder", "fifo"],
)
def test_what_is_no_rom(make, tmp_path):
    path = tmp_path / "x.rom"
    make(path)
    result = fails_with(launch("rom", path), 3, str(path))
    assert result.stdout.strip() == ""
    assert json.loads(launch("rom", path, "--format=json").stdout) == []


def test_good_roms_are_told_of_beside_bad_ones(rom, tmp_path):
    result = fails_with(launch("rom", tmp_path / "one", rom, tmp_path / "two"), 3, "one", "two")
    assert str(rom) in result.stdout
    assert result.stderr.count("vm-launch: error[3]: ") == 2


def test_a_driver_alone_is_told_with_what_boots_in_its_place(open_folder):
    """Debian 13's efi-*.rom: UEFI runs them, and its own PXE boots."""
    driver, whole = open_folder / "driver.rom", open_folder / "whole.rom"
    driver.write_bytes(boot_files.option_rom(boot_files.DRIVER))
    whole.write_bytes(boot_files.option_rom(boot_files.WHOLE))
    told = launch("rom", driver)
    assert told.returncode == 0, told.stderr
    text = " ".join(told.stdout.split())
    assert "x86_64 UEFI driver: image 1" in text
    assert "image 1 is iPXE's network driver alone: the firmware's own PXE boots on it" in text
    assert "the EFI program of the package ipxe (ipxe.efi) boots in its place" in text
    assert "x86_64 UEFI yes: image 1" in " ".join(launch("rom", whole).stdout.split())
    [described] = json.loads(launch("rom", driver, "--format=json").stdout)
    assert [where["role"] for where in described["runs_on"]] == [None, "driver", None]
    assert launch("plan", *UEFI, "--ipxe-rom", whole).returncode == 0
    refused = fails_with(launch("plan", *UEFI, "--ipxe-rom", driver), 3, "cannot boot iPXE from", "network driver alone")
    assert re.search(r"hint: leave --ipxe-rom out .*package ipxe\b", refused.stderr)


def test_ipxes_program_is_taken_under_uefi_and_refused_elsewhere(open_folder):
    program = open_folder / "ipxe.efi"
    program.write_bytes(boot_files.efi_program(b"ipxe.efi"))
    plan = launch("plan", *UEFI, "--ipxe-rom", program)
    assert plan.returncode == 0, plan.stderr
    assert "--ipxe-rom asks for this program, which stands in for the ROM" in plan.stdout
    hint = "--firmware uefi --ipxe-rom takes iPXE's program ipxe.efi in place of a ROM"
    fails_with(launch("plan", *BOOT, "--ipxe-rom", program), 3, "it is a PE program", hint)
    fails_with(launch("rom", program), 3, "it is a PE program", hint)
    arm = open_folder / "arm.efi"
    arm.write_bytes(boot_files.efi_program(b"ipxe.efi", machine=0xAA64))
    fails_with(launch("plan", *UEFI, "--ipxe-rom", arm), 3, "it is an EFI program for aarch64")


def test_snponly_is_refused_with_what_works(open_folder):
    """It drives the NIC that the firmware loaded it by: started by QEMU, it finds none."""
    program = open_folder / "snponly.efi"
    program.write_bytes(boot_files.efi_program(b"iPXE snponly.efi"))
    for subcommand in ((), ("plan",)):
        result = launch(*subcommand, *UEFI, "--ipxe-rom", program)
        fails_with(result, 3, "snponly.efi finds no NIC here", "give iPXE's ipxe.efi by --ipxe-rom")
        assert "qemu-system" not in result.stderr


def test_rom_needs_a_file():
    fails_with(launch("rom"), 2, "name at least one file")


# -- standard output that takes nothing


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), PLAN, ("help", "man")])
def test_a_full_disk_under_standard_output_is_a_failure(arguments):
    with open("/dev/full", "wb") as full:
        fails_with(launch(*arguments, stdout=full), 1, "cannot write to standard output", "No space left on device")


def test_standard_output_that_is_closed_is_a_failure():
    result = launch("--help", prefix=("sh", "-c", 'exec "$0" "$@" >&-'), stdout=None)
    fails_with(result, 1, "cannot write to standard output")


def test_a_plan_for_head():
    result = launch(*PLAN, prefix=("sh", "-c", '"$0" "$@" | head -n 1'))
    assert result.stdout == f"{FAKE}/qemu-system-x86_64\n"
    assert "please report" not in result.stderr


# -- exit codes

def report_on_a_full_disk():
    with tempfile.TemporaryDirectory() as folder:
        full = pathlib.Path(folder, "full.json")
        full.symlink_to("/dev/full")
        return launch(*BOOT, "--report", full, scenario="poweroff").returncode == 5


EXIT_CODES = {
    "0": lambda: launch(*BOOT, scenario="poweroff").returncode == 0,
    "1": lambda: launch("--help", prefix=("sh", "-c", 'exec "$0" "$@" >&-'), stdout=None).returncode == 1,
    "2": lambda: launch("--memory=lots").returncode == 2,
    "3": lambda: launch(*BOOT, env=environment(PATH="/nowhere")).returncode == 3,
    "4": lambda: launch(*BOOT, scenario="die-early").returncode == 4,
    "5": report_on_a_full_disk,
    "10": lambda: launch(*BOOT, scenario="check-off").returncode == 10,
    "11": lambda: launch(*BOOT, scenario="no-offer").returncode == 11,
    "12": lambda: launch(*BOOT, "--no-boot-watch", scenario="no-file").returncode == 12,
    "13": lambda: launch(*BOOT, "--no-boot-watch", scenario="not-found").returncode == 13,
    "14": lambda: launch(*BOOT, "--no-boot-watch", scenario="no-program").returncode == 14,
    "15": lambda: launch(*BOOT, "--boot-timeout=1", scenario="run").returncode == 15,
    "16": lambda: launch(*BOOT, scenario="network-loop").returncode == 16,
    "17": lambda: launch("explain", ROOT / "tests/captures/laptop.pcap").returncode == 17,
    "18": lambda: launch("test", *BOOT, "--no-boot-watch", scenario="not-found").returncode == 18,
    "20": lambda: launch(*BOOT, scenario="panic").returncode == 20,
    "125": lambda: launch("exec", "nobody-is-called-so", "--", "true").returncode == 125,
    # test_cli_run.py: test_a_second_signal_forces, for each signal
    "128+n": lambda: True,
}


@pytest.mark.parametrize("code", EXIT_CODES)
def test_exit_code(code):
    assert EXIT_CODES[code]()


def test_the_table_of_exit_codes_has_every_code_and_no_other():
    assert [code for code, _ in table_of_exit_codes()] == list(EXIT_CODES)


def test_no_trace_in_the_environment_of_tests():
    """The fake is what runs: a QEMU of the host would make these tests mean nothing."""
    assert subprocess.run(
        ["sh", "-c", "command -v qemu-system-x86_64"], env=environment(), stdout=subprocess.PIPE, check=True
    ).stdout.decode().strip() == str(FAKE / "qemu-system-x86_64")


# -- ports of the host


@pytest.mark.parametrize("kind,flag", [("tcp", "--port-forward={}:80"), ("udp", "--port-forward=udp:{}:69"),
                                       ("tcp", "--ssh-port={}"), ("tcp", "--vnc-port={}")])
def test_a_port_that_is_taken_is_told_before_the_start_with_its_owner(kind, flag):
    with socket.socket(socket.AF_INET, {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[kind]) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        name = pathlib.Path("/proc/self/comm").read_text().strip()
        words = (flag.format(port), *(("--graphics=vnc",) if "vnc" in flag else ()))
        result = fails_with(launch(*BOOT, *words), 3, f"{flag.split('=')[0]}: QEMU cannot listen on {kind} port {port}")
        assert f"{name} (process {os.getpid()}) has it" in result.stderr
        assert launch("plan", *BOOT, *words).returncode == 0, "a plan does not depend on the moment"


def test_a_low_port_is_refused_where_qemu_may_not_have_it(as_root):
    if pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip() == "0":
        pytest.skip("this host lets everybody have low ports")
    fails_with(launch(*BOOT, "--port-forward=80:80"), 3, "QEMU cannot listen on tcp port 80", "1024")


def test_an_address_of_another_host_is_refused():
    fails_with(launch(*BOOT, "--port-forward=192.0.2.7:8080:80"), 3, "Cannot assign requested address")


def test_a_folder_to_boot_from_means_network_boot(open_folder):
    (open_folder / "boot.ipxe").write_text("#!ipxe\n")
    result = launch("plan", "--accel=tcg", env=environment(NETBOOT_DIR=str(open_folder)))
    assert result.returncode == 0, result.stderr
    assert "network (net0): $NETBOOT_DIR puts network first" in result.stdout


def test_doctor_speaks_to_who_sets_variables_in_variables():
    told = launch("doctor", env=environment(IPXE_ENABLE="1", NETWORK_BRIDGE="br9", GUEST_HOSTNAME="box")).stdout
    assert "$NETWORK_BRIDGE has no effect without NETWORK_MODE=bridge" in told
    assert "add CLOUD_INIT=1" in told
    refused = launch("doctor", env=environment(BOOT_MODE="secure", ARCH="aarch64", NETWORK_MODE="bridge")).stdout
    assert "NETWORK_BRIDGE=" in refused and "--bridge" not in refused
