"""The plugin in a pytest of its own, with the fake QEMU: the fixture, its options, what a failed test shows, and that nothing
stays behind, however pytest ends."""

import re
import signal

import pytest

from integration_support import PYTHON, ROOT, Place
import pytest_vm_launch
import vm

FAKE_INI = """[pytest]
vm_launch_options =
    ipxe=on
    accel=tcg
    bootfile=http://192.0.2.1/boot.ipxe
    no-landlock=on
"""


@pytest.fixture
def place(folder):
    with Place(folder, [ROOT / "tests/fake"]) as place:
        yield place.write(pytest_ini=FAKE_INI)


def run(place, *words, scenario="run", **more):
    return place.pytest("-p", "no:labgrid", "-p", "pytest_vm_launch", *words, QEMU_FAKE=scenario, **more)


def test_a_test_boots_and_what_it_leaves_is_ended(place):
    place.write(test_a_py="""
def test_a(vm_launch, tmp_path):
    vms = [vm_launch(), vm_launch(cpus=3, ipxe=True)]
    for vm in vms:
        vm.wait_stage("machine", 60)
        assert vm.report_file.parent == tmp_path
    assert vms[1].command_line.count("--ipxe") == 1  # its own in place of pytest.ini's
    assert " 3 CPUs" in vms[1].command("status").stdout
""")
    assert "1 passed" in run(place).stdout_text


def test_a_failed_test_shows_the_verdict_and_the_console(place):
    place.write(test_a_py="""
def test_a(vm_launch):
    vm = vm_launch(until="os")
    assert vm.wait(60) == 0
""")
    ended = run(place, scenario="not-found")
    assert ended.returncode == 1
    for words in ("assert 13 == 0", "- vm-launch vm-", "ended with 13", "\n| why: ", "--until=os", "- console of vm-", "http://ipxe.org/2d12603b"):
        assert words in ended.stdout_text, ended.stdout_text


def test_a_failed_test_shows_no_password(place):
    place.write(pytest_ini=f"{FAKE_INI}    vnc-password=hunter2\n", test_a_py="""
def test_a(vm_launch):
    vm = vm_launch(bootfile="http://me:hun" + "ter3@192.0.2.1/boot.ipxe")
    vm.wait_stage("machine", 60)
    assert vm.name == "shown"
""")
    text = run(place).stdout_text
    assert "runs, at the stage machine" in text and "--bootfile=http://***@192.0.2.1/boot.ipxe" in text, text
    assert "hunter" not in text


def test_a_failed_test_shows_what_still_runs_and_ends_it(place):
    place.write(test_a_py="""
import pytest

@pytest.fixture
def up(vm_launch):
    vm = vm_launch()
    vm.wait_console("process", 60)
    raise RuntimeError("the fixture fails")

def test_a(up):
    pass
""")
    ended = run(place)
    assert "1 error" in ended.stdout_text
    assert "runs, at the stage machine" in ended.stdout_text and "fake firmware" in ended.stdout_text


def test_what_a_guest_wrote_is_shown_without_its_control_characters(place):
    (place.folder / "console").write_bytes(b"\x1b[2Jbad \xe2\x80\xae guest\x07 \xff\r\n::error::x\r\n  ##[error]y\r\n")
    place.write(test_a_py="""
def test_a(vm_launch):
    vm = vm_launch(console_raw=True)
    vm.wait_console("y", 60)
    assert vm.stop() == "shown"
""")
    text = run(place, scenario="replay", QEMU_FAKE_CONSOLE=str(place.folder / "console")).stdout_text
    assert r"| \x1b[2Jbad \u202e guest\x07" in text, text
    assert "| ::error::x" in text and "##[" not in text  # commands to GitHub's runner
    assert not set(text) & set("\x1b\x07\u202e")


def test_a_module_shares_a_vm(place):
    place.write(test_a_py="""
import pytest

@pytest.fixture(scope="module")
def vm(vm_launch_module):
    return vm_launch_module()

def test_a(vm):
    vm.wait_stage("machine", 60)
    test_a.name = vm.name

def test_b(vm):
    assert (vm.name, vm.exit_code) == (test_a.name, None)
""")
    assert "2 passed" in run(place).stdout_text


def test_the_vms_stop_where_pytest_is_killed(place):
    place.write(test_a_py="""
def test_a(vm_launch):
    for keyboard in (False, True):
        vm_launch(keyboard=keyboard).wait_stage("machine", 60)
    print("UP", flush=True)
    vm_launch().wait_stage("os", 600)
""")
    process = place.start(PYTHON, "-m", "pytest", "-s", "-p", "no:labgrid", "-p", "pytest_vm_launch", QEMU_FAKE="run")
    try:
        assert any("UP" in line for line in process.stdout)
        running = place.processes()
        assert sum(vm.name_of(pid).startswith("qemu") for pid in running) >= 2
    finally:
        process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert all(vm.wait_for_end(pid, 60) for pid in running)


@pytest.mark.parametrize(("words", "ini", "starts"), [
    ([], "", "PATH"),
    ([], "vm_launch_binary = ./mine", "ini"),
    (["--vm-launch-binary", "./named"], "vm_launch_binary = ./mine", "option"),
])  # fmt: skip
def test_which_program_starts_the_vms(place, words, ini, starts):
    for name, where in (("bin/vm-launch", "PATH"), ("mine", "ini"), ("named", "option")):
        program = place.folder / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\necho vm-launch: error: by {where} >&2\nexit 2\n")
        program.chmod(0o755)
    place.write(pytest_ini=f"[pytest]\n{ini}\n", test_a_py="def test_a(vm_launch):\n    vm_launch().wait_stage('os', 60)\n")
    assert "BootFailed: before the stage os: vm-" in (text := run(place, *words).stdout_text)
    assert f"vm-launch: error: by {starts}" in text


def test_a_program_that_is_not_there_is_told(place):
    place.write(test_a_py="def test_a(vm_launch):\n    vm_launch()\n")
    text = run(place, "--vm-launch-binary", "/nowhere/vm-launch").stdout_text
    assert "there is no program /nowhere/vm-launch: --vm-launch-binary or vm_launch_binary names vm-launch" in text


def test_an_option_that_is_given_twice_is_a_list():
    class Config:
        def getini(self, _):
            return ["boot-timeout = 60", "nic=mac=1", "nic=mac=2"]

    assert pytest_vm_launch.options_of(Config()) == {"boot_timeout": "60", "nic": ["mac=1", "mac=2"]}


@pytest.mark.parametrize(("option", "told"), [
    ("ipxe", "'ipxe' is not NAME=VALUE"),
    *((f"{name}=on", f"{name} is for vm_launch() in a test") for name in ("name", "boot", "keyboard", "qemu", "folder", "environment")),
])  # fmt: skip
def test_an_option_that_is_none_for_all_is_refused(option, told):
    class Config:
        def getini(self, _):
            return [option]

    with pytest.raises(pytest.UsageError, match=re.escape(f"vm_launch_options: {told}")):
        pytest_vm_launch.options_of(Config())
