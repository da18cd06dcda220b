"""The serial console on a terminal: raw while attached, left by Ctrl-], and restored however the run ends."""

import signal
import time

import pytest

import vm
from terminal import Terminal

CTRL_RIGHT_BRACKET = b"\x1d"


@pytest.fixture
def on_terminal(boot, tmp_path):
    def make(*arguments, **options):
        return Terminal(tmp_path, *arguments, **options)

    return make


@pytest.fixture
def waiting_in_ipxe(netboot):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho WAITING\nprompt --key 0x78 && echo KEY-CAME\nprompt\n")
    return netboot.path


def test_typed_text_reaches_the_guest_and_ctrl_bracket_detaches(on_terminal, netboot):
    netboot.script(words="vml.stay")
    with on_terminal("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait(vm.GUEST_UP)
        assert run.is_raw()
        run.screen.send(b'echo "GUEST"-"ECHOES"\r')
        run.wait("GUEST-ECHOES")
        run.screen.send(CTRL_RIGHT_BRACKET)
        run.wait("(?i)detached")
        run.assert_restored()
        assert run.process.poll() is None, "detaching must not end the VM"
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0
        run.assert_restored()


def test_firmware_gets_keys_too(on_terminal, waiting_in_ipxe):
    with on_terminal("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL) as run:
        # On the screen, not among the bytes: the row below may be drawn between two letters of a word.
        run.wait_view(lambda rows: any("WAITING" in row for row in rows))
        run.screen.send(b"x")
        run.wait_view(lambda rows: any("KEY-CAME" in row for row in rows))
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0


def test_ctrl_c_belongs_to_the_guest(on_terminal, netboot):
    netboot.script(words="vml.stay")
    with on_terminal("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait(vm.GUEST_UP)
        # cat would give the next line back as it was typed, with its quotes. A Ctrl-C that comes before cat has the terminal ends
        # nothing, so that more than one may be needed. The kernel writes lines of its own between ("eth0: link becomes ready").
        run.screen.send(b'echo "CAT"-"NEXT"; cat\r')
        run.wait("CAT-NEXT")
        run.type_until(b'\x03echo AFTER-"INTERRUPT"\r', "AFTER-INTERRUPT")
        assert run.is_raw(), "Ctrl-C must neither end vm-launch nor detach it"
        run.screen.send(b"exit\r")
        assert run.wait_exit() == 0
        run.assert_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_restored_after_a_signal(on_terminal, waiting_in_ipxe, number):
    with on_terminal("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL) as run:
        run.wait("WAITING")
        assert run.is_raw()
        run.signal(number)
        assert run.wait_exit() == 0
        run.assert_restored()


def test_restored_after_the_guest_powered_off(on_terminal, netboot):
    netboot.script()
    with on_terminal("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait(vm.GUEST_UP)
        assert run.wait_exit() == 0
        run.assert_restored()


@pytest.mark.parametrize("keyboard", [True, False], ids=["keyboard", "no-keyboard"])
@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_own_lines_stay_on_the_screen(on_terminal, netboot, firmware, size, keyboard):
    netboot.script()
    with on_terminal("--ipxe", "--firmware", firmware, "--netboot-dir", netboot.path, *vm.SMALL, size=size, keyboard=keyboard) as run:
        run.wait(vm.GUEST_UP)
        assert run.wait_exit() == 0
        said = run.assert_own_lines_are_whole()
        assert any("Ctrl-] detaches" in line for line in said) == keyboard
        run.assert_restored()
        run.assert_left_as_it_was()


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_a_menu_is_drawn_and_what_was_said_can_be_scrolled_back_to(on_terminal, netboot, firmware):
    (netboot.path / "boot.ipxe").write_text(
        "#!ipxe\nmenu The menu\nitem one First thing\nitem two Second thing\nchoose --default two picked && echo PICKED ${picked}\n"
        "prompt\n"
    )
    with on_terminal("--ipxe", "--firmware", firmware, "--netboot-dir", netboot.path, *vm.SMALL) as run:
        run.wait_view(lambda rows: [row.strip() for row in rows[1:5]] == ["The menu", "", "First thing", "Second thing"])
        run.screen.send(b"\r")
        run.wait("PICKED two")
        run.signal(signal.SIGTERM)
        assert run.wait_exit() == 0
        run.assert_own_lines_are_whole()
        run.assert_left_as_it_was()


def test_restored_after_an_error(on_terminal, waiting_in_ipxe):
    extra = ["-device", "no-such-device"]
    with on_terminal("--ipxe", "--netboot-dir", waiting_in_ipxe, *vm.SMALL, extra=extra) as run:
        run.wait("no-such-device")
        assert run.wait_exit() == 4
        run.assert_restored()


def test_no_console_leaves_the_terminal_alone(on_terminal, netboot):
    netboot.script()
    with on_terminal("--ipxe", "--netboot-dir", netboot.path, "--no-console", *vm.SMALL) as run:
        run.wait("vm-launch: ")
        run.assert_restored()
        assert run.wait_exit() == 0
        assert vm.GUEST_UP not in run.text()


def test_nothing_of_the_console_is_lost_while_vm_launch_cannot_run(boot, netboot):
    """As on a busy host: vm-launch is held while iPXE writes more than a socket usually takes of single bytes."""
    lines = [f"LINE-{number:03} {'x' * 40}" for number in range(100)]
    script = "\n".join(["#!ipxe", "echo BEGIN", "sleep 2", *(f"echo {line}" for line in lines), "echo THE-END", "sleep 60", ""])
    (netboot.path / "boot.ipxe").write_text(script)
    with boot("--ipxe", "--until", "console:THE-END", "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:
        run.wait_text("BEGIN")
        run.signal(signal.SIGSTOP)
        time.sleep(6)  # nothing tells how far the guest is meanwhile
        run.signal(signal.SIGCONT)
        assert run.wait_exit() == 0
        found = [line.strip() for line in run.text().splitlines() if line.startswith("LINE-")]
        assert found == lines
