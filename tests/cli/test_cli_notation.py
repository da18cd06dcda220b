"""Who sets variables is told of variables, who gives flags of flags, at every moment of a run."""

import json

import pytest

from launch import BOOT, environment, launch

BOOT_VARIABLES = {"IPXE_ENABLE": "1", "ACCEL": "tcg", "NETBOOT_FILE": "http://192.0.2.1/boot.ipxe"}


def told_by_variables(scenario="poweroff", words=(), prefix=(), **more):
    return launch(*words, env=environment(scenario, **BOOT_VARIABLES, **more), prefix=prefix).stderr


def test_a_hint_of_a_boot_that_failed():
    assert "--boot-once network" in launch(*BOOT, scenario="network-loop").stderr
    told = told_by_variables("network-loop")
    assert "BOOT_ONCE=network" in told
    assert "--boot-once" not in told


def test_the_report_hints_as_the_log_does(tmp_path):
    report = tmp_path / "boot.json"
    told_by_variables("network-loop", BOOT_REPORT=str(report))
    assert "BOOT_ONCE=network" in json.loads(report.read_text())["verdict"]["hint"]
    launch(*BOOT, "--report", report, scenario="network-loop")
    assert "--boot-once network" in json.loads(report.read_text())["verdict"]["hint"]


def test_one_flag_among_variables_means_flags():
    told = launch("--nic", "mode=nat", env=environment("network-loop", **BOOT_VARIABLES)).stderr
    assert "--boot-once network" in told


def test_a_note_before_the_start(tmp_path):
    (tmp_path / "d.raw").write_bytes(bytes(1 << 20))
    told = launch("--accel=tcg", "--disk", tmp_path / "d.raw", "--bridge=br0").stderr
    assert "--bridge has no effect without --network=bridge" in told
    told = launch(env=environment(ACCEL="tcg", DISK=str(tmp_path / "d.raw"), NETWORK_BRIDGE="br0")).stderr
    assert "$NETWORK_BRIDGE has no effect without NETWORK_MODE=bridge" in told


def test_a_report_that_cannot_be_written_names_its_setting(tmp_path):
    path = tmp_path / "none" / "boot.json"
    assert f"$BOOT_REPORT: cannot write the report {path}" in told_by_variables(BOOT_REPORT=str(path))
    assert f"--report: cannot write the report {path}" in launch(*BOOT, "--report", path).stderr


def test_a_default_that_is_at_fault_is_named_as_its_user_would():
    assert "error[3]: MEMORY (default): " in told_by_variables(prefix=("sh", "-c", 'ulimit -v 3000000; exec "$0" "$@"'))


def test_a_rom_that_is_not_there_names_its_setting():
    assert "$IPXE_ROM_PATH: cannot read the ROM /none.rom" in told_by_variables(IPXE_ROM_PATH="/none.rom")


@pytest.mark.parametrize(("name", "value", "hint"), [
    ("SSH_PORT", "127.0.0.1:2222", "PORT_FWD=127.0.0.1:2222:22"),
    ("PERSIST", "/data", "DATA_DIR=/data"),
    ("BOOT_FROM", "blank", "an empty disk is BLANK_DISK=1"),
    ("BLANK_DISK", "20G", "DISK_SIZE=20G"),
    ("SSH_PUBKEY", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "`ssh-keygen -i -f FILE`"),
    ("DISK", "~/disk.img", "write the path out"),
    ("NETBOOT_DIR", "$HOME/netboot", "write the path out"),
    ("DISK", "/a.img,/b.img", "DISK2, DISK3"),
    ("DISK", "https://h/disk.img", "fetches no files"),
    ("CLOUD_INIT_USER_DATA", "file:///u", "write the path alone"),
])
def test_a_value_that_is_refused(name, value, hint):
    told = told_by_variables(words=("plan",), **{name: value})
    assert f"${name}: " in told
    assert hint in told
    assert " --" not in told
