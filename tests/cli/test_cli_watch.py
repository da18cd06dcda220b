"""What `vm-launch watch` refuses; what it sees is tested on links of a lab (tests/netns/test_watch.py)."""

import pytest

from launch import launch


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        ((), 2, "name one network interface", "vm-launch watch br0"),
        (("br0", "br1"), 2, "name one network interface", "vm-launch watch br0"),
        (("no-such-if",), 3, "there is no such network interface", ""),
        (("lo",), 3, "it is not an Ethernet interface", "a bridge, a NIC or a tap"),
        (("lo", "--until", "os"), 2, "--until os: frames do not show it", "kernel"),
        (("lo", "--until", "console:login"), 2, "frames do not show it", "one of rom, link"),
        (("lo", "--boot-timeout", "5"), 2, "--boot-timeout is the time for a stage", "--until STAGE"),
        (("lo", "--report", "x.pcapng"), 2, "watch writes no packets", ".json or .html"),
        (("lo", "--mac", "52:54"), 2, "52:54", ""),
        (("lo", "--memory", "1G"), 2, "--memory", "vm-launch watch --help"),
        (("lo", "--format", "sh"), 2, "--format", ""),
    ],
)
def test_what_is_refused(words, code, said, hint):
    run = launch("watch", *words)
    assert run.returncode == code, run.stderr
    assert said in run.stderr and hint in run.stderr
    assert run.stdout == ""


def test_variables_of_a_start_do_not_count():
    run = launch("watch", "lo", env={"UNTIL": "os", "BOOT_TIMEOUT": "5", "PATH": "/usr/bin:/bin"})
    assert run.returncode == 3
    assert "not an Ethernet interface" in run.stderr


def test_its_help_and_page():
    run = launch("watch", "--help")
    assert run.returncode == 0
    for flag in ("--mac", "--until", "--boot-timeout", "--report", "--format"):
        assert flag in run.stdout
