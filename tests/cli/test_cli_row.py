"""The row below the console of a terminal: where it stands, when it gives way, and that nothing of it is left."""

import fcntl
import os
import re
import select
import shlex
import signal
import struct
import termios
import time

import pytest

from launch import BOOT, DEADLINE, command, wait_for_end
from test_cli_run import ROWS, Terminal

KEYS = " | Ctrl-] detaches"
ROW = re.compile(r"(✓ \w+ )*(▸ .* )?(\| )?\d+:\d\d \| (Ctrl-\] detaches|Enter attaches, Ctrl-C stops|Ctrl-C stops)")
WIPES = "\x1b[0m\x1b[J\x1b8"


class Screen(Terminal):
    """A terminal with a row, whose guest says again what is typed: so it can be told to write anything."""

    def __init__(self, *arguments, scenario="echo", **options):
        super().__init__(*BOOT, "--color", "never", *arguments, scenario=scenario, **{"TERM": "xterm", **options})

    def shown(self):
        return [row.rstrip() for row in self.view().display]

    def row(self):
        """Where it stands and what it says; nothing where there is none."""
        found = [(number, row) for number, row in enumerate(self.shown()) if ROW.fullmatch(row)]
        assert len(found) <= 1, found
        return found[0] if found else (None, "")

    def wait_until(self, is_right):
        until = time.monotonic() + DEADLINE
        while not is_right():
            assert time.monotonic() < until, "\n".join(self.shown())
            self.read_on()

    def read_on(self):
        if select.select([self.user], [], [], 0.1)[0]:
            self.seen += self.decoder.decode(os.read(self.user, 65536))

    def wait_for_row(self, ending=KEYS):
        self.wait_until(lambda: self.row()[1].endswith(ending))

    def wait_for_another_row(self):
        """It tells how many seconds went by."""
        before = self.seen.count("\x1bD\x1b[A")
        self.wait_until(lambda: self.seen.count("\x1bD\x1b[A") > before)

    def guest_writes(self, text, words):
        self.type(text.encode() + b"\r")
        self.wait_until(lambda: self.seen.count(words) >= 1)

    def stop(self, number=signal.SIGTERM, code=0):
        os.kill(self.pid, number)
        assert self.end() == code
        return self.nothing_is_left()

    def nothing_is_left(self):
        view = self.view()
        rows = self.lines()
        assert not any(ROW.fullmatch(row) for row in rows), "\n".join(rows)
        assert view.margins is None and view.cursor.x == 0 and not view.cursor.hidden and not self.shown()[view.cursor.y]
        assert self.mode() == self.before
        said = [row for row in rows if row]
        assert said[-1].startswith("vm-launch: ")
        return said


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_the_row_stands_below_what_flows_which_stays_whole(columns):
    with Screen(columns=columns) as screen:
        screen.wait_for_row()
        for number in range(60):
            screen.guest_writes(f"line {number:04}", f"you typed line {number:04}")
        screen.wait_until(lambda: screen.row()[0] == ROWS - 1)
        assert screen.shown()[-3:-1] == ["you typed line 0059", ""]
        cursor = screen.view().cursor
        assert (cursor.x, cursor.y) == (0, ROWS - 2)
        lines = [line for line in screen.stop() if line.startswith("you typed line")]
        assert lines == [f"you typed line {number:04}" for number in range(60)]


def test_every_key_arrives_though_the_row_is_drawn():
    with Screen() as screen:
        screen.wait_for_row()
        keys = "abcdefghijklmnopqrstuvwxyz" * 2
        for number, key in enumerate(keys):
            screen.type(key.encode())
            if number % 10 == 0:
                screen.wait_for_another_row()
        screen.wait_until(lambda: "".join(re.findall("you typed (.*)", "\n".join(screen.lines()))).replace(" ", "") == keys)
        screen.stop()


def test_the_row_tells_stages_and_how_to_leave():
    with Screen(scenario="no-offer") as screen:
        screen.wait_until(lambda: screen.row()[1].startswith("✓ firmware ✓ rom | 0:"))
        screen.wait_for_row()
        screen.type(b"\x1d")
        screen.wait_for_row(" | Enter attaches, Ctrl-C stops")
        screen.type(b"\r")
        screen.wait_for_row()
        screen.stop()


@pytest.mark.parametrize("drawing", ["\x1b[2J\x1b[5;10Hthe menu", "\x1b[3;9r\x1b[1;1Hthe menu", "\x1b[?1049hthe menu", "\x1b[20;1Hthe menu"])
def test_the_row_gives_way_to_a_guest_that_draws(drawing):
    with Screen() as screen:
        screen.wait_for_row()
        screen.guest_writes(drawing, "the menu")
        assert screen.row() == (None, "")
        assert any("the menu" in row for row in screen.shown())
        menu = screen.seen.rindex("the menu")
        time.sleep(1.5)  # nothing tells that nothing will come
        screen.read_on()
        assert "\x1bD\x1b[A" not in screen.seen[menu:]
        if "\x1b[2J" in drawing:
            screen.guest_writes("\x1b[2J\x1b[Hover", "over")
            screen.wait_for_row()
            assert screen.row()[0] < 5
        os.kill(screen.pid, signal.SIGTERM)
        assert screen.end() == 0
        assert screen.mode() == screen.before


def test_the_row_goes_for_good_when_an_operating_system_runs():
    with Screen() as screen:
        screen.wait_for_row()
        screen.guest_writes("iPXE initialising devices...ok", "ok")
        screen.type(b"[    1.0] Run /init as init process\r")
        screen.wait_until(lambda: "operating system: " in screen.seen and not screen.row()[1])
        at = len(screen.seen)
        screen.guest_writes("hello", "you typed hello")
        time.sleep(1.5)  # nothing tells that nothing will come
        screen.guest_writes("again", "you typed again")
        assert "\x1b" not in screen.seen[at:]
        os.kill(screen.pid, signal.SIGTERM)
        os.kill(screen.pid, signal.SIGTERM)
        screen.end()
        assert screen.mode() == screen.before


def test_the_row_follows_the_terminals_size():
    with Screen(columns=200) as screen:
        screen.wait_for_row()
        fcntl.ioctl(screen.terminal, termios.TIOCSWINSZ, struct.pack("4H", ROWS, 39, 0, 0))
        at = len(screen.seen)
        screen.wait_until(lambda: screen.seen.find(WIPES, at) >= 0)
        at = len(screen.seen)
        screen.guest_writes("narrow", "you typed narrow")
        assert KEYS not in screen.seen[at:]
        fcntl.ioctl(screen.terminal, termios.TIOCSWINSZ, struct.pack("4H", ROWS, 200, 0, 0))
        screen.wait_for_row()
        screen.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT], ids=lambda number: number.name)
def test_nothing_of_the_row_is_left_after_a_signal(number):
    with Screen() as screen:
        screen.wait_for_row()
        screen.stop(number)


@pytest.mark.parametrize("words", [(), ("--console", "quiet")], ids=["attached", "quiet"])
def test_a_stop_leaves_the_terminal_to_the_shell_and_the_row_comes_back(words):
    with Screen(shell=True, PS1="shell> ") as screen:
        screen.wait_for("shell> ")
        run = shlex.join(command(*BOOT, "--color", "never", *words))
        screen.type(f"{run}\r".encode())
        screen.wait_for_row(" | Ctrl-C stops" if words else KEYS)
        raw = screen.is_raw()
        assert raw == (not words)
        at = len(screen.seen)
        if words:
            screen.type(b"\x1a")
        else:  # that key is the guest's
            screen.type(b"\x1a\r")
            screen.wait_for("you typed ")
            os.kill(foreground(screen), signal.SIGTSTP)
        screen.wait_until(lambda: "shell> " in screen.seen[at:])
        assert not screen.row()[1]
        screen.type(b"echo WHO-HAS-$((40 + 2))\r")
        screen.wait_for("WHO-HAS-42")
        at = len(screen.seen)
        screen.type(b"fg\r")
        screen.wait_until(lambda: "\x1bD\x1b[A" in screen.seen[at:])
        screen.wait_for_row(" | Ctrl-C stops" if words else KEYS)
        assert screen.is_raw() == raw
        if not words:
            screen.guest_writes("still here", "you typed still here")
        os.kill(foreground(screen), signal.SIGTERM)
        screen.wait_until(lambda: "stopped by SIGTERM" in screen.seen and screen.seen.endswith("shell> "))
        assert not screen.row()[1]
        screen.type(b"exit\r")
        assert wait_for_end(screen.pid)


def foreground(screen):
    """The process that has the terminal."""
    return os.tcgetpgrp(screen.user)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("--console=raw",), {}),
        (("--console=plain",), {}),
        (("--log-format=json",), {}),
        (("--events=-",), {}),
        ((), {"TERM": "dumb"}),
        ((), {"TERM": ""}),
        ((), {"columns": 39}),
    ],
    ids=lambda value: str(value),
)
def test_where_there_is_no_row(words, options):
    with Screen(*words, **options) as screen:
        screen.wait_for("QEMU built the machine")
        time.sleep(1)  # nothing tells that nothing will come
        os.kill(screen.pid, signal.SIGTERM)
        assert screen.end() == 0
        assert "0:0" not in screen.seen and WIPES not in screen.seen


def test_a_terminal_without_a_keyboard_has_a_row_too():
    with Screen(standard_input=False) as screen:
        screen.wait_for_row(" | Ctrl-C stops")
        screen.stop()
