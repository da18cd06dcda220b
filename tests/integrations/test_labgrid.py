"""The labgrid driver, judged by labgrid's own pytest: eight real boots, one of which cannot work; the rest with the fake QEMU."""

import itertools
import json
import re

import pytest

from integration_support import FAKE_BOOT, ROOT, Place, need_labgrid

need_labgrid()

CELLS = [f"{firmware}-{nic}" for firmware, nic in itertools.product(("legacy", "uefi"), ("virtio", "e1000", "rtl8139", "e1000e"))]
PLANTED = "legacy-rtl8139"


def environment_of(boards):
    """labgrid's environment; YAML is a superset of JSON."""
    targets = {name: {"drivers": {"VMLaunchDriver": arguments, "VMLaunchStrategy": {}}} for name, arguments in boards.items()}
    images = {name: f"{name}.ipxe" for name in boards}
    return json.dumps({"targets": targets, "images": images, "imports": ["labgrid_vm_launch"]})


@pytest.fixture
def place(folder):
    with Place(folder, [ROOT / "tests/fake"]) as place:
        place.environment["PYTHONPATH"] = "integrations/pytest:integrations/labgrid"
        yield place


@pytest.fixture
def run_fake(place):
    """run_fake(scenario, test, **settings): a labgrid pytest over one board."""

    def run(scenario, test, **settings):
        board = {"options": {**FAKE_BOOT, **settings}}
        place.write(env_yaml=environment_of({"main": board}), test_a_py=test)
        return place.pytest("--lg-env", "env.yaml", QEMU_FAKE=scenario)

    return run


def test_eight_boards_boot_and_the_one_without_its_file_says_so(folder):
    with Place(folder) as place:
        place.environment["PYTHONPATH"] = "integrations/pytest:integrations/labgrid"
        boards = {}
        for name in CELLS:
            firmware, nic = name.split("-")
            options = {"firmware": firmware, "nic-model": nic, "memory": "256M", "cpus": 1, "accel": "tcg", "boot-timeout": 240}
            boards[name] = {"boot": name, "options": options}
            # Each script fetches another, as an installation does.
            (folder / f"{name}.ipxe").write_text(f"#!ipxe\nchain next.{name}\n")
            if name != PLANTED:
                (folder / f"next.{name}").write_text(f"#!ipxe\necho CAME-TO {name}\nsleep 60\n")
        place.write(env_yaml=environment_of(boards), test_boards_py=f"""
import pytest

@pytest.mark.parametrize("name", {CELLS})
def test_board(env, name):
    board = env.get_target(name).get_driver("VMLaunchDriver")
    board.on()
    try:
        board.wait_stage("script", 240)
        board.expect(f"CAME-TO {{name}}", timeout=240)
    finally:
        board.off()
        print("exit code of", name, board.machine.exit_code)
""")
        ended = place.pytest("-rA", "--lg-env", "env.yaml")
        for name in CELLS:
            state = "FAILED" if name == PLANTED else "PASSED"
            assert f"{state} test_boards.py::test_board[{name}]" in ended.stdout_text, ended.stdout_text
        assert "7 passed" in ended.stdout_text and "1 failed" in ended.stdout_text
        assert "404 Not Found" in ended.stdout_text and f"exit code of {PLANTED} 13" in ended.stdout_text


def test_power_reset_and_keys(run_fake):
    ended = run_fake("os,echo", """
def test_a(target):
    board = target.get_driver("VMLaunchDriver")
    assert target.get_driver("PowerProtocol") is board is target.get_driver("ResetProtocol")
    assert not board.get()
    board.on()
    first = board.machine
    board.on()
    assert board.machine is first and board.get()
    board.wait_stage("kernel", 60)
    console = target.get_driver("ConsoleProtocol")
    console.expect("fake firmware\\r\\n")
    console.sendline("one")
    console.expect("you typed one")
    board.cycle()
    assert board.machine is not first and board.machine.name == first.name
    board.wait_stage("kernel", 60)
    board.off()
    assert not board.get()
""")
    assert "1 passed" in ended.stdout_text, ended.stdout_text


def test_the_reset_button(run_fake):
    ended = run_fake("os", """
def test_a(strategy, target):
    strategy.transition("kernel")
    board = target.get_driver("VMLaunchDriver")
    board.reset()
    board.expect("fake reset")
    assert any(event.get("boot") == 2 for event in board.machine.events)
    strategy.transition("off")
    assert (board.get(), strategy.status) == (False, "off")
""")
    assert "1 passed" in ended.stdout_text, ended.stdout_text


def test_a_boot_that_failed_is_tried_again_and_a_state_that_is_none_starts_nothing(run_fake):
    ended = run_fake("not-found", """
import pytest
from labgrid.strategy import StrategyError
from pytest_vm_launch import BootFailed

def test_a(strategy, target):
    board = target.get_driver("VMLaunchDriver")
    with pytest.raises(StrategyError, match="no state 'kernal': there are off, machine, "):
        strategy.transition("kernal")
    assert board.machine is None
    runs = []
    for _ in range(2):
        with pytest.raises(BootFailed):
            strategy.transition("os")
        assert board.get()
        runs.append(board.machine)
    assert runs[0] is not runs[1]
""")
    assert "1 passed" in ended.stdout_text, ended.stdout_text


def test_it_reads_as_much_as_labgrid_wants(run_fake):
    """Labgrid 23.0 and newer call it with a third argument."""
    ended = run_fake("run", """
def test_a(target):
    board = target.get_driver("VMLaunchDriver")
    board.on()
    board.machine.wait_console("fake firmware", 60)
    parts = [board._read(size=1, timeout=60.0, max_size=3) for _ in range(4)]
    assert {len(part) for part in parts} == {3}
    text = b"".join(parts)
    text += board._read(size=1, timeout=60.0, max_size=None)
    assert text == board.machine.console.encode()[:len(text)] and len(text) > 12
""")
    assert "1 passed" in ended.stdout_text, ended.stdout_text


def test_what_labgrid_leaves_on_is_switched_off(run_fake):
    ended = run_fake("run", """
def test_a(strategy):
    strategy.transition("machine")
""")
    assert "1 passed" in ended.stdout_text, ended.stdout_text


CANNOT_BE = [
    ("run", "board.sendline('x')", "the VM was never switched on"),
    ("poweroff", "board.on(); board.expect('login: ')", "ended with 0"),
    ("run", "board.on(); board.expect('login: ', timeout=0.5)", "nothing on the console within"),
    ("not-found", "board.on(); board.wait_stage('os')", "BootFailed: before the stage os"),
]


def test_what_cannot_be_is_told(place):
    """By one pytest, as labgrid takes a second to start; each has a board of its own."""
    boards = [f"board{number}" for number in range(len(CANNOT_BE))]
    place.write(env_yaml=environment_of({board: {"options": FAKE_BOOT} for board in boards}), test_a_py="".join(f"""
def test_{board}(env, monkeypatch):
    monkeypatch.setenv("QEMU_FAKE", {scenario!r})
    board = env.get_target({board!r}).get_driver("VMLaunchDriver")
    {line}
""" for board, (scenario, line, _) in zip(boards, CANNOT_BE)))
    text = place.pytest("--lg-env", "env.yaml").stdout_text
    assert f"{len(boards)} failed" in text, text
    for board, told in zip(boards, (told for _, _, told in CANNOT_BE)):
        [failure] = re.findall(rf"^_+ test_{board} _+$.*?(?=^_+ test_|^=+ short)", text, re.MULTILINE | re.DOTALL)
        assert told in failure, failure
