"""`vm-launch test`, with a fake QEMU: a matrix, a file of cases, what is written of them, and how it ends."""

import contextlib
import json
import os
import pathlib
import re
import signal
import time
import xml.etree.ElementTree as ElementTree

import pytest

from launch import BOOT, DEADLINE, Running, children, comm_of, end_children, environment, launch, reap_the_dead, wait_for_end
from test_cli_run import Terminal

# Small, so that two have room beside each other wherever there are two CPUs.
SMALL = (*BOOT, "--memory", "64M", "--cpus", "1")
UP = (*SMALL, "--until", "kernel")


def write(folder, text, name="boot.toml"):
    (folder / name).write_text(text)
    return folder / name


def results(result):
    return {each["name"]: each for each in json.loads(result.stdout)["results"]}


def test_a_matrix_and_what_is_written_of_it(tmp_path):
    out, junit = tmp_path / "out", tmp_path / "out.xml"
    result = launch("test", *UP, "--matrix", "nic-model=virtio,e1000", "--matrix", "reboot-limit=1,2", "-j", "2", "--report", out,
                    "--junit", junit, "--tap", tmp_path / "out.tap", scenario="os")
    assert result.returncode == 0, result.stdout + result.stderr
    names = [f"nic-model={model} reboot-limit={limit}" for model in ("virtio", "e1000") for limit in (1, 2)]
    lines = result.stdout.splitlines()
    assert sorted(re.findall(r"^ok       (\S+ \S+) .* exit 0 +kernel", result.stdout, re.M)) == sorted(names)
    assert lines[-1] == "4 VMs: 4 passed, 0 failed"
    document = json.loads((out / "results.json").read_text())
    assert [each["name"] for each in document["results"]] == names
    stems = [each["files"] for each in document["results"]]
    for stem in stems:
        report = json.loads((out / f"{stem}.json").read_text())
        assert report["exit_code"] == 0
        assert "fake firmware" in (out / f"{stem}.console.log").read_text()
        assert "starting" in (out / f"{stem}.log").read_text()
    reports = [json.loads((out / f"{stem}.json").read_text()) for stem in stems]
    assert len({report["name"] for report in reports}) == 4
    assert len({report["nics"][0]["mac"] for report in reports}) == 4
    assert [report["nics"][0]["model"] for report in reports] == ["virtio", "virtio", "e1000", "e1000"]
    page = (out / "index.html").read_text()
    assert page.count("<svg") == 4 and all(f'href="{stem}.html"' in page for stem in stems)
    assert not re.search(r"<script|<img|<link|url\(|src=", page)
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "0", "0")
    assert [case.get("name") for case in suite] == names
    assert [child.tag for child in suite[0]] == ["system-out", "system-err"]
    tap = (tmp_path / "out.tap").read_text()
    assert tap.startswith("TAP version 13\n1..4\n") and len(re.findall("^ok ", tap, re.M)) == 4


def test_without_a_matrix_it_is_one_vm_and_nothing_is_left(tmp_path):
    result = launch("test", *UP, "--format", "json", env=environment("os", TMPDIR=str(tmp_path)))
    assert result.returncode == 0, result.stderr
    assert list(results(result)) == ["test-1"]
    assert "ok       test-1" in result.stderr  # standard output is the document's
    assert not list(tmp_path.iterdir())


def test_a_combination_that_cannot_be_is_skipped(tmp_path):
    junit = tmp_path / "out.xml"
    result = launch("test", *UP, "--machine", "pc", "--matrix", "firmware=legacy,secure", "--junit", junit, scenario="os")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^skipped  firmware=secure +.*there is no Secure Boot on pc", result.stdout, re.M)
    assert result.stdout.endswith("2 VMs: 1 passed, 0 failed, 1 skipped\n")
    [skipped] = ElementTree.parse(junit).getroot().iter("skipped")
    assert "Secure Boot" in skipped.get("message")
    from junitparser import JUnitXml, Skipped  # as CI jobs merge and judge such files: its own count is the file's

    [suite] = list(JUnitXml.fromfile(str(junit)))
    said = (suite.tests, suite.failures, suite.errors, suite.skipped)
    suite.update_statistics()
    assert said == (suite.tests, suite.failures, suite.errors, suite.skipped) == (2, 0, 0, 1)
    assert [[type(outcome) for outcome in case.result] for case in suite] == [[], [Skipped]]


def test_what_every_vm_suffers_from_is_refused_before_anything_runs():
    result = launch("test", *UP, "--machine", "pc", "--firmware", "secure", "--matrix", "nic-model=virtio,e1000")
    assert result.returncode == 2
    assert "there is no Secure Boot on pc" in result.stderr and not result.stdout


def test_that_there_is_no_such_machine_comes_before_what_its_way_lacks(tmp_path):
    (tmp_path / "boot.ipxe").write_text("#!ipxe\n")
    (tmp_path / "undionly.kpxe").touch()
    result = launch("test", "--memory", "64M", "--cpus", "1", "--netboot-dir", tmp_path, "--matrix", "default", "--matrix",
                    "boot=bios-undionly,secure-shim", "--matrix", "nic-model=virtio", "--matrix", "offer=dhcp", "--format", "json")
    told = {name.split("arch=")[1].split(" ")[0]: (each["outcome"], each["reasons"][0])
            for name, each in results(result).items() if "bios-undionly" in name}
    assert set(told) == {"aarch64", "x86_64"}
    assert told["aarch64"][0] == "skipped" and "aarch64 has no legacy firmware" in told["aarch64"][1]
    assert told["x86_64"][0] == "failed" and "undionly.kpxe is empty" in told["x86_64"][1]


def test_every_fault_of_the_command_line_is_told(tmp_path):
    result = launch("test", *SMALL, "--matrix", "firmwre=uefi", "--matrix", "nic-model=e1001", "--events", "-")
    assert result.returncode == 2
    for words in ("unknown setting 'firmwre'", "did you mean firmware?", "'e1001'", "does not take --events"):
        assert words in result.stderr
    two = launch("test", *SMALL, write(tmp_path, '[[case]]\nname = "a"\n'), "b.toml")
    assert two.returncode == 2 and "name one file" in two.stderr
    result = launch("test", "--script", "-", "--matrix", "firmwre=uefi", "--matrix", "memory")
    for words in ("standard input", "unknown setting 'firmwre'", "'memory' names no values"):
        assert words in result.stderr
    assert launch("test", *SMALL, "-j", "0").returncode == 2
    assert "known" in launch("test", "--jbs", "3").stderr
    assert launch("run", "--matrix", "a=b").returncode == 2
    both = launch("test", *UP, "--tap", "-", "--format", "json")
    assert both.returncode == 2 and "one kind of result" in both.stderr


def test_a_file_of_cases(tmp_path):
    file = write(tmp_path, """
bootfile = "http://192.0.2.1/boot.ipxe"
ipxe = true
accel = "tcg"
landlock = false
boot-watch = false
memory = "64M"
cpus = 1

[[case]]
name = "is not found"
expect = {exit = 13, stage = "rom", console = "No such file.*2d12603b"}

[[case]]
name = "was to boot"

[[case]]
name = "was to say more"
expect = {exit = 13, stage = "os", console = "login:", bytes = 10, fetched = ["http://192.0.2.1/boot.ipxe"]}
""")
    result = launch("test", file, "--format", "json", scenario="not-found")
    assert result.returncode == 18, result.stderr
    told = results(result)
    assert told["is not found"]["outcome"] == "passed", told["is not found"]
    assert told["was to boot"]["outcome"] == "failed"
    [reason] = told["was to boot"]["reasons"]
    assert reason.startswith("exit code 13, expected 0: ")
    reasons = told["was to say more"]["reasons"]
    assert reasons[0].startswith("the stage os was not reached")
    assert reasons[1] == "no line of the console matches login:"
    assert all("not seen: the guest's packets could not be watched" in reason for reason in reasons[2:]) and len(reasons) == 4
    tap = launch("test", file, "--tap", "-", scenario="not-found")
    assert tap.returncode == 18
    assert re.findall(r"^(ok|not ok) \d+ - (.*)$", tap.stdout, re.M) == [
        ("ok", "is not found"), ("not ok", "was to boot"), ("not ok", "was to say more")]


def test_the_faults_of_a_file_come_all_at_once(tmp_path):
    file = write(tmp_path, '{"memroy": "1G", "case": [{"expect": {"stag": "os"}}, {"firmware": "uefy"}]}', "boot.json")
    result = launch("test", file)
    assert result.returncode == 2
    for words in ("did you mean memory?", "did you mean stage?"):
        assert words in result.stderr
    result = launch("test", write(tmp_path, '{"case": [{"firmware": "uefy"}]}', "boot.json"))
    assert result.returncode == 2 and f"'firmware' in {file}, case 'case 1'" in result.stderr and "uefy" in result.stderr
    missing = launch("test", tmp_path / "none.toml")
    assert missing.returncode == 2 and "cannot read" in missing.stderr


def test_a_case_may_be_about_a_refusal(tmp_path):
    file = write(tmp_path, '[[case]]\nname = "refused"\nfirmware = "secure"\nmachine = "pc"\nexpect = {exit = 2}\n')
    result = launch("test", file)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    result = launch("test", *UP, "--report", tmp_path / "file")
    assert result.returncode == 3 and "--report" in result.stderr and not result.stdout
    result = launch("test", *UP, "--junit", tmp_path / "none/out.xml")
    assert result.returncode == 3 and "--junit" in result.stderr and not result.stdout


def consoles(folder):
    """The consoles of the VMs whose guests run."""
    return [path for path in folder.glob("*.console.log") if "fake firmware" in path.read_text()]


def wait_for_guests(folder, count):
    until = time.monotonic() + DEADLINE
    while len(consoles(folder)) < count:
        assert time.monotonic() < until, list(folder.iterdir())
        time.sleep(0.05)


THREE = ("--matrix", "reboot-limit=1,2,3")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_stops_all_of_them(tmp_path, number):
    with Running("test", *UP, *THREE, "-j", "1", "--report", tmp_path, "--junit", tmp_path / "out.xml", scenario="run") as run:
        wait_for_guests(tmp_path, 1)
        run.signal(number)
        assert run.end() == 128 + number
        text = run.text["stdout"]
    assert len(re.findall("^not run .*the test was stopped while it ran", text, re.M)) == 1, text
    assert len(re.findall("^not run .*the test was stopped before its turn", text, re.M)) == 2
    assert len(consoles(tmp_path)) == 1  # -j 1
    assert text.endswith("3 VMs: 0 passed, 0 failed, 3 not run\n")
    assert len(list(ElementTree.parse(tmp_path / "out.xml").getroot().iter("skipped"))) == 3


def test_memory_for_one_is_for_one(tmp_path):
    free = int(re.search(r"MemAvailable: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 10
    half = ("--memory", f"{free * 6 // 10}M")
    with Running("test", *UP, *half, *THREE, "-j", "3", "--report", tmp_path, scenario="run") as run:
        wait_for_guests(tmp_path, 1)
        run.signal(signal.SIGINT)
        assert run.end() == 130
        text = run.text["stdout"]
    assert len(re.findall("before its turn", text)) == 2, text


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two at a time need two CPUs")
def test_two_run_at_a_time_and_one_signal_ends_both(tmp_path):
    with Running("test", *UP, *THREE, "-j", "2", "--report", tmp_path, scenario="run") as run:
        wait_for_guests(tmp_path, 2)
        run.signal(signal.SIGINT)
        assert run.end() == 130
        text = run.text["stdout"]
    assert len(re.findall("while it ran", text)) == 2 and len(re.findall("before its turn", text)) == 1, text


def vms_of(pid):
    """The vm-launches that run the VMs of this test: its children, but for the guard."""
    found = [int(word) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()]
    return [child for child in found if comm_of(child) != "vm-launch-guard"]


def command_lines():
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                yield (entry / "cmdline").read_bytes()


def wait_until(is_so):
    until = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextlib.contextmanager
def killed_later(*arguments, **options):
    """A test that is to be killed, whose children become this process's."""
    before = children()
    with contextlib.ExitStack() as stack:
        run = Running(*arguments, **options)
        stack.callback(lambda: end_children(children() - before))
        stack.callback(run.process.stdout.close)
        stack.callback(run.process.stderr.close)
        yield run
        reap_the_dead(children() - before)
        assert not children() - before


def test_a_test_that_is_killed_leaves_no_vm(tmp_path):
    with killed_later("test", *UP, "--report", tmp_path, scenario="run") as run:
        wait_for_guests(tmp_path, 1)
        vms = vms_of(run.process.pid)
        assert vms
        run.process.kill()
        run.process.wait(DEADLINE)
        for pid in vms:
            assert wait_for_end(pid), "a VM outlived its test"


def test_a_test_that_is_killed_leaves_no_folder(tmp_path):
    before = children()
    with killed_later("test", *UP, env=environment("run", TMPDIR=str(tmp_path))) as run:
        wait_until(lambda: vms_of(run.process.pid))
        assert list(tmp_path.glob("vm-launch-test-*"))
        run.process.kill()
        run.process.wait(DEADLINE)

        def is_gone():
            reap_the_dead(pid for pid in children() - before if is_dead(pid))
            return not list(tmp_path.iterdir())

        wait_until(is_gone)


def is_dead(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_second_signal_forces_what_does_not_stop(tmp_path):
    with killed_later("test", *UP, "--report", tmp_path, scenario="run") as run:
        wait_for_guests(tmp_path, 1)
        [vm] = vms_of(run.process.pid)
        os.kill(vm, signal.SIGSTOP)
        run.signal(signal.SIGTERM)
        run.signal(signal.SIGINT)
        run.signal(signal.SIGHUP)
        assert run.process.wait(DEADLINE) in {128 + signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGHUP}


def test_who_reads_no_more_ends_nothing(tmp_path):
    with Running("test", *UP, "--matrix", "reboot-limit=1,2", "-j", "1", "--junit", tmp_path / "out.xml",
                 env=environment("os", TMPDIR=str(tmp_path))) as run:
        run.process.stdout.close()
        run.process.stderr.close()
        assert run.process.wait(DEADLINE) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.xml"]
    assert ElementTree.parse(tmp_path / "out.xml").getroot().get("tests") == "2"


def test_what_test_decides_by_itself_is_not_taken_from_elsewhere(tmp_path):
    for flag in (("--no-console",), ("--console", "quiet"), ("--console-raw",)):
        result = launch("test", *UP, *flag)
        assert result.returncode == 2 and f"test does not take {flag[0]}" in result.stderr
    elsewhere = {"EVENTS": str(tmp_path / "events"), "BOOT_REPORT": str(tmp_path / "a.json"), "CONSOLE": "quiet"}
    file = write(tmp_path, '[[case]]\nname = "a"\nexpect = {stage = "kernel", console = "fake firmware"}\n')
    result = launch("test", file, *BOOT, "--memory", "64M", env=environment("os", **elsewhere))
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(f"${name} is passed over" in result.stderr for name in elsewhere)
    assert [path.name for path in tmp_path.iterdir()] == ["boot.toml"]


def test_a_secret_is_on_no_command_line_and_in_no_result(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    file = write(tmp_path, """
bootfile = "http://user:w0rd@192.0.2.1/boot.ipxe"
[[case]]
vnc-password = "s3cr3t"
graphics = "vnc"
vnc-port = 5978
[[case]]
name = "of http://user:w0rd@192.0.2.1/"
matrix = {bootfile = ["http://user:w0rd@192.0.2.1/other.ipxe"]}
""")
    with Running("test", file, "--ipxe", "--accel", "tcg", "--no-landlock", "--memory", "64M", "--cpus", "1", "--report", out,
                 "--junit", tmp_path / "out.xml", "--tap", tmp_path / "out.tap", scenario="run") as run:
        wait_for_guests(out, 1)
        lines = list(command_lines())
        assert any(b"--name=test-1" in line and bytes(out) in line for line in lines)
        assert not [line for line in lines if b"s3cr3t" in line]
        assert not [line for line in lines if b"w0rd" in line and b"qemu-system" not in line]
        run.signal(signal.SIGTERM)
        assert run.end() == 143
        assert not re.search("s3cr3t|w0rd", run.text["stdout"] + run.text["stderr"])
    written = [*out.iterdir(), tmp_path / "out.xml", tmp_path / "out.tap"]
    assert len(written) >= 7
    assert not [path for path in written if re.search("s3cr3t|w0rd", path.name + path.read_text())]


def test_a_report_of_an_earlier_run_is_no_evidence(tmp_path):
    case = '[[case]]\nname = "a"\nexpect = {{stage = "kernel", exit = {}}}\n{}'
    good = launch("test", write(tmp_path, case.format(0, "")), *BOOT, "--memory", "64M", "--report", tmp_path / "out", scenario="os")
    assert good.returncode == 0, good.stdout + good.stderr
    refused = write(tmp_path, case.format(2, 'firmware = "secure"\nmachine = "pc"\n'))
    result = launch("test", refused, *BOOT, "--memory", "64M", "--report", tmp_path / "out")
    assert result.returncode == 18 and "the stage kernel was not reached" in result.stdout, result.stdout + result.stderr
    assert not list((tmp_path / "out").glob("01-a.html"))


def test_a_result_is_written_into_no_file_that_is_read(tmp_path):
    text = '[[case]]\nname = "a"\n'
    file = write(tmp_path, text)
    result = launch("test", file, *UP, "--junit", file)
    assert result.returncode == 2 and f"--junit: {file} is the file of the cases" in result.stderr
    assert file.read_text() == text
    result = launch("test", *UP, "--junit", tmp_path / "out", "--tap", tmp_path / "./out")
    assert result.returncode == 2 and "is --junit's" in result.stderr
    result = launch("test", *UP, "--report", tmp_path, "--tap", tmp_path / "index.html")
    assert result.returncode == 2 and "is a file of --report" in result.stderr


def test_an_earlier_result_stays_where_nothing_is_run(tmp_path):
    (tmp_path / "out.xml").write_text("earlier")
    wrong = write(tmp_path, '[[case]]\nfirmwre = "uefi"\n')
    assert launch("test", wrong, *UP, "--junit", tmp_path / "out.xml").returncode == 2
    assert (tmp_path / "out.xml").read_text() == "earlier"


def test_a_result_that_cannot_be_written_hides_no_other(tmp_path):
    result = launch("test", *UP, "--junit", "/dev/full", "--tap", tmp_path / "out.tap", scenario="os")
    assert result.returncode == 5 and "cannot write /dev/full" in result.stderr
    assert "\nok 1 - test-1\n" in (tmp_path / "out.tap").read_text()
    failed = launch("test", write(tmp_path, '[[case]]\nname = "a"\nexpect = {exit = 13}\n'), *UP, "--junit", "/dev/full", scenario="os")
    assert failed.returncode == 18 and "cannot write /dev/full" in failed.stderr


def test_a_folder_whose_name_has_a_comma_is_refused(tmp_path):
    result = launch("test", *UP, "--report", tmp_path / "a,b")
    assert result.returncode == 2 and "has a comma" in result.stderr and "--report" in result.stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / "c,d").mkdir()
    result = launch("test", *UP, env=environment("os", TMPDIR=str(tmp_path / "c,d")))
    assert result.returncode == 2 and "$TMPDIR" in result.stderr


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two at a time need two CPUs")
@pytest.mark.parametrize("shared", ["port", "screen", "disk"])
def test_vms_that_would_share_what_is_one_vms_alone_run_one_by_one(tmp_path, shared):
    (tmp_path / "disk.raw").write_bytes(bytes(1 << 20))
    flags = {"port": ("--ssh-port", "58022"), "screen": ("--graphics", "vnc", "--vnc-port", "5979"),
             "disk": ("--disk", tmp_path / "disk.raw")}[shared]
    out = tmp_path / "out"
    out.mkdir()
    with Running("test", *UP, *flags, *THREE, "-j", "2", "--report", out, scenario="run") as run:
        wait_for_guests(out, 1)
        run.signal(signal.SIGINT)
        assert run.end() == 130
        text = run.text["stdout"]
    assert len(re.findall("before its turn", text)) == 2, text


def test_on_a_terminal_what_runs_is_shown_until_it_ends():
    with Terminal("test", *UP, "--matrix", "reboot-limit=1,2", "-j", "1", scenario="os") as user:
        user.wait_for("2 VMs: 2 passed, 0 failed")
        assert "running  reboot-limit=1" in user.seen
        assert "waiting  1" in user.seen
        assert "\x1b[2A\x1b[J" in user.seen  # both lines give way
        assert user.seen.index("ok       reboot-limit=1") < user.seen.index("running  reboot-limit=2")


def test_a_case_that_contradicts_itself_is_no_combination(tmp_path):
    file = write(tmp_path, '[[case]]\nname = "wrong"\nfirmware = "secure"\nmachine = "pc"\n[[case]]\nname = "right"\n')
    result = launch("test", file, *UP, scenario="os")
    assert result.returncode == 18, result.stdout + result.stderr
    assert re.search(r"^FAILED   wrong.*\n +cannot start: .*there is no Secure Boot on pc", result.stdout, re.M)
    assert re.search(r"^ok       right", result.stdout, re.M)
