"""What a run shows: colours, the summary at its end, and how much of the console, with a fake QEMU."""

import json
import os
import re
import resource
import signal
import subprocess

import pytest

from launch import BOOT, DEADLINE, ROOT, Running, command, environment, launch
from test_cli_run import Terminal

DIM_PREFIX = "\x1b[2mvm-launch: \x1b[22m"
MENU = ROOT / "tests/unit/data/console-seabios-ipxe-menu.bin"


# -- colours


def test_a_terminal_gets_colours():
    with Terminal(*BOOT, scenario="os,poweroff", TERM="xterm") as terminal:
        assert terminal.end() == 0
        assert f"{DIM_PREFIX}the guest powered off" in terminal.seen
        assert f"{DIM_PREFIX}\x1b[32m✓\x1b[39m reached kernel" in terminal.seen
    with Terminal(*BOOT, scenario="panic", TERM="xterm") as terminal:
        assert terminal.end() == 20
        assert f"{DIM_PREFIX}\x1b[1;31merror[20]:\x1b[0m the guest panicked" in terminal.seen


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ((), {"TERM": "xterm", "NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
        ((), {}),
        (("--color", "never"), {"TERM": "xterm"}),
        ((), {"TERM": "xterm", "COLOR": "never"}),
    ],
)
def test_a_terminal_whose_user_wants_none_gets_no_colours(words, variables):
    with Terminal(*BOOT, *words, scenario="poweroff", **variables) as terminal:
        assert terminal.end() == 0
        assert "vm-launch: the guest powered off" in terminal.seen
        assert "\x1b[2m" not in terminal.seen


def test_what_is_no_terminal_gets_colours_only_when_told_to():
    env = environment("panic", TERM="xterm")
    assert "\x1b" not in launch(*BOOT, env=env).stderr
    coloured = launch(*BOOT, "--color=always", env={**env, "NO_COLOR": "1"}).stderr
    assert coloured.startswith(DIM_PREFIX) and "\x1b[1;31merror[20]:\x1b[0m" in coloured
    assert "\x1b" not in launch(*BOOT, "--color=always", "--log-format=json", env=env).stderr


def test_every_subcommand_tells_its_faults_so():
    for words in (("stop", "nobody-is-called-so"), ("guest-exec", "--name", "nobody-is-called-so", "true")):
        assert "\x1b[1;31merror[" in launch(words[0], "--color", "always", *words[1:]).stderr
        assert "\x1b[1;31merror[" in launch(*words, env=environment(COLOR="always")).stderr


def test_variables_that_other_programs_have_too_are_passed_over():
    result = launch(*BOOT, env=environment(CONSOLE="/dev/console", COLOR="1"))
    assert result.returncode == 0
    assert "fake firmware" in result.stdout
    assert "warning: $CONSOLE=/dev/console is passed over" in result.stderr
    assert "warning: $COLOR=1 is passed over" in result.stderr
    assert launch(*BOOT, env=environment(CONSOLE="loud")).returncode == 2


# -- the end of a run


def summary(text):
    """The lines from the run's end on."""
    lines = text.splitlines()
    begins = [number for number, line in enumerate(lines) if re.search(r"error\[\d+\]: |: the guest powered off$", line)]
    return lines[begins[-1]:]


def test_a_run_that_went_well_says_how_far_it_came(tmp_path):
    report = tmp_path / "boot.json"
    end = summary(launch(*BOOT, "--report", report, scenario="os,poweroff").stderr)
    assert end[0] == "vm-launch: the guest powered off"
    assert re.fullmatch(rf"vm-launch: ✓ reached kernel in [\d.]+ m?s; report: {report}", end[1]), end
    assert len(end) <= 3
    assert json.loads(report.read_text())["exit_code"] == 0


def test_a_failure_says_what_the_console_said_last(tmp_path):
    report = tmp_path / "boot.json"
    result = launch(*BOOT, "--report", report, scenario="not-found")
    assert result.returncode == 13, result.stderr
    end = summary(result.stderr)
    assert len(end) <= 10
    assert end[0].startswith("vm-launch: error[13]: ")
    assert end[1].startswith("  why:  ") and end[2].startswith("  hint: ")
    at = next(number for number, line in enumerate(end) if line.startswith("  console: "))
    said = [line[len("  console: "):] for line in end[at:at + 5]]
    assert said[-2:] == ["No more network devices", "No bootable device."]
    assert said == json.loads(report.read_text())["boots"][-1]["console"][-5:]
    assert re.match(r"vm-launch: reached \w+ in [\d.]+ m?s; report: ", end[at + 5]), end


def test_what_the_console_said_last_commands_no_terminal(open_folder):
    (open_folder / "stream").write_bytes(b"one\r\n\x1b]0;title\x07two\x1b[2J\xc2\x9b31mthree\r\n")
    result = launch(*BOOT, env=environment("replay,panic", QEMU_FAKE_CONSOLE=str(open_folder / "stream")))
    assert "  console: " in result.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", result.stderr), repr(result.stderr)


def test_a_qemu_that_could_not_start_is_told_in_ten_lines():
    end = summary(launch(*BOOT, scenario="die-early").stderr)
    assert len(end) <= 10 and "  console: " not in "\n".join(end)
    assert end[-1].startswith("  hint: ")


@pytest.mark.parametrize(("scenario", "code"), [("os,poweroff", 0), ("not-found", 13), ("die-early", 4)])
def test_in_json_the_summary_is_in_the_line_of_the_end(scenario, code, tmp_path):
    result = launch(*BOOT, "--log-format=json", "--report", tmp_path / "boot.json", scenario=scenario)
    assert result.returncode == code
    *others, end = map(json.loads, result.stderr.splitlines())
    assert [line for line in others if line.get("event") == "end"] == []
    assert (end["event"], end["exit_code"]) == ("end", code)
    assert end["reports"] == [str(tmp_path / "boot.json")]
    assert end["reached"] == {0: "kernel", 4: None}.get(code, end["reached"])
    assert code == 4 or end["console"][0]
    assert {"reached_after", "boot", "fetched_bytes", "spent"} <= set(end)


def test_a_report_that_is_not_there_is_not_named(tmp_path):
    with Running(*BOOT, "--report", tmp_path / "sub.json", scenario="acpi") as run:
        run.wait_for("machine: QEMU")
        (tmp_path / "sub.json").mkdir()
        run.signal(signal.SIGTERM)
        assert run.end() == 5
        assert "error[5]: cannot write the report" in run.text["stderr"]
        assert "; report: " not in run.text["stderr"]
        assert "✓" not in run.text["stderr"]


def test_a_run_that_was_stopped_before_its_stage_has_not_gone_well():
    with Running(*BOOT, "--until", "agent", scenario="acpi") as run:
        run.wait_for("machine: QEMU")
        run.signal(signal.SIGTERM)
        assert run.end() == 0
        assert "stopped by SIGTERM" in run.text["stderr"]
        assert "✓" not in run.text["stderr"]


def test_in_json_the_end_is_told_at_every_level():
    for level in ("warning", "error"):
        result = launch(*BOOT, "--log-format=json", "--log-level", level)
        assert json.loads(result.stderr.splitlines()[-1])["event"] == "end"


# -- how much of the console is shown


@pytest.mark.parametrize("words", [("--console", "quiet"), ("--no-console",)])
def test_quiet_shows_nothing_and_still_looks(words):
    result = launch(*BOOT, *words, scenario="not-found")
    assert (result.returncode, result.stdout) == (13, "")
    assert "No bootable device." not in result.stderr and "  console: " not in result.stderr
    told = launch(*BOOT, *words, "--log-format=json", scenario="not-found").stderr
    assert json.loads(told.splitlines()[-1])["console"] == []


def test_quiet_leaves_the_terminal_alone():
    with Terminal(*BOOT, "--console", "quiet", scenario="run") as terminal:
        terminal.wait_for("machine: QEMU")
        assert terminal.mode() == terminal.before
        terminal.type(b"\x03")
        assert terminal.end() == 0
        assert "fake firmware" not in terminal.seen


def test_plain_is_text_on_a_terminal_too_and_its_keys_reach_the_guest():
    with Terminal(*BOOT, "--console=plain", scenario="replay,echo", console=str(MENU)) as terminal:
        terminal.wait_for("net0: 10.0.2.15")
        assert terminal.is_raw()
        terminal.type(b"hello\r")
        terminal.wait_for("you typed hello")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == 0
        assert "\x1b" not in terminal.seen
        assert terminal.mode() == terminal.before


def test_the_newer_name_wins_and_a_flag_over_a_variable():
    assert launch(*BOOT, "--console=plain", env=environment("poweroff", NO_CONSOLE="1")).stdout.startswith("fake firmware")
    assert launch(*BOOT, "--no-console", env=environment("poweroff", CONSOLE="raw")).stdout == ""
    refused = launch(*BOOT, "--console=plain", "--no-console")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--no-console and --console contradict each other" in refused.stderr
    assert launch(*BOOT, "--console=quiet", "--no-console").returncode == 0
    refused = launch("console", "--console", "quiet", "no-such-vm")
    assert refused.returncode == 2
    assert "--console: console shows the console" in refused.stderr
    refused = launch(*BOOT, "--console", "loud")
    assert refused.returncode == 2
    assert "--console: invalid value 'loud' (expected auto, quiet, plain or raw)" in refused.stderr


# -- --console-log


def test_every_byte_is_kept_whatever_is_shown(open_folder):
    for words in ((), ("--console=quiet",), ("--console=raw",)):
        log = open_folder / "console.log"
        log.write_text("of an earlier run")
        env = environment("replay,poweroff", QEMU_FAKE_CONSOLE=str(MENU))
        result = subprocess.run(
            command(*BOOT, *words, "--console-log", log), env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=True
        )
        kept = log.read_bytes()
        assert re.match(rb"fake firmware\r\nprocess \d+\r\n", kept)
        assert kept.endswith(MENU.read_bytes())
        assert b"no more of the console" not in result.stderr


def test_it_goes_on_over_resets(tmp_path):
    log = tmp_path / "console.log"
    assert launch(*BOOT, "--console-log", log, scenario="reboots").returncode == 0
    assert log.read_bytes().count(b"SeaBIOS (version fake)\r\n") == 2


def test_it_grows_while_the_guest_runs(tmp_path):
    with Running(*BOOT, "--console-log", tmp_path / "log", scenario="acpi") as run:
        run.wait_for("fake firmware", "stdout")
        assert (tmp_path / "log").read_bytes().startswith(b"fake firmware\r\n")
        run.signal(signal.SIGTERM)
        assert run.end() == 0


def test_one_that_cannot_be_is_refused_before_the_start(tmp_path):
    result = launch(*BOOT, "--console-log", tmp_path / "none" / "log")
    assert result.returncode == 3
    assert f"error[3]: --console-log: cannot write the console log {tmp_path}/none/log" in result.stderr
    assert result.stdout == ""
    os.mkfifo(tmp_path / "pipe")
    result = launch(*BOOT, "--console-log", tmp_path / "pipe")
    assert result.returncode == 3
    assert "nobody reads it yet" in result.stderr


def test_a_full_disk_ends_the_log_alone():
    result = launch(*BOOT, "--console-log", "/dev/full", scenario="os,poweroff")
    assert result.returncode == 0
    assert result.stderr.count("warning: no more of the console is kept (--console-log): No space left on device") == 1


def test_a_limit_of_file_sizes_ends_the_log_alone(tmp_path, open_folder):
    most = 2 << 20
    stream = open_folder / "stream"
    stream.write_bytes(b"a line of the guest's\r\n" * (3 * most // 24))
    result = launch(
        *BOOT, "--console=quiet", "--console-log", tmp_path / "log",
        env=environment("replay,os,poweroff", QEMU_FAKE_CONSOLE=str(stream)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("warning: no more of the console is kept (--console-log): File too large") == 1
    assert (tmp_path / "log").stat().st_size == most


@pytest.mark.parametrize("flag", ["--console-log", "--report", "--events"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_written_is_no_file_of_another_setting(flag, linked, tmp_path):
    config = tmp_path / "vm.json"
    config.write_text('{"cpus": 1}')
    named = config
    if linked:
        named = tmp_path / "other.json"
        named.symlink_to(config)
    result = launch(*BOOT, "--config", config, flag, named)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"error[2]: {flag}: cannot write to {named}" in result.stderr
    assert f"it is the same file as {config} of --config" in result.stderr
    assert config.read_text() == '{"cpus": 1}'


def test_the_console_log_takes_the_place_of_no_disk_and_of_no_other_output(tmp_path):
    disk = tmp_path / "d.raw"
    disk.write_bytes(b"\0" * 1024 * 1024)
    os.link(disk, tmp_path / "second-name")
    for name in ("d.raw", "second-name"):
        refused = launch(*BOOT, "--disk", disk, "--disk-format=raw", "--console-log", tmp_path / name)
        assert refused.returncode == 2, refused.stderr
        assert f"it is the same file as {disk} of --disk" in refused.stderr
    assert disk.stat().st_size == 1024 * 1024
    for flag, name in (("--report", "a.json"), ("--report", "b.json"), ("--events", "a.json")):
        refused = launch(*BOOT, flag, tmp_path / name, "--console-log", tmp_path / ("b.json.new" if name == "b.json" else name))
        assert refused.returncode == 2, refused.stderr
        assert f"of {flag}" in refused.stderr
    assert not (tmp_path / "a.json").exists()
    assert launch(*BOOT, "--events", "/dev/null", "--console-log", "/dev/null").returncode == 0
