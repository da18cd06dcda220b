"""`vm-launch watch` on links of a lab, where captures of other programs' boots are sent again."""

import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

import pytest

import lab as labs
import vm
from replay import TFTP, TFTP_MISSING, Sender, mac_text, tagged

DEADLINE = 60
ENVIRONMENT = {"PATH": os.environ["PATH"]}


# ARP of a host that does not boot, as long as Ethernet has it.
OF_ANOTHER = (b"\xff" * 6 + bytes.fromhex("020000000099 0806 0001080006040001 020000000099 c0000263 000000000000 c0000201")).ljust(1500, b"\0")


class Watch:
    """vm-launch watch in the lab's first namespace. Use as a context: it has begun to watch."""

    def __init__(self, lab, *arguments, link="up0"):
        self.command = lab.inside(vm.BINARY, "watch", link, *arguments)
        self.events = []
        self.rest = b""

    def __enter__(self):
        self.process = subprocess.Popen(
            [str(word) for word in self.command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
        )
        self.until(lambda event: event["event"] == "watching")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def read(self):
        """False at the end."""
        assert select.select([self.process.stdout], [], [], DEADLINE)[0], self.events[-5:]
        chunk = os.read(self.process.stdout.fileno(), 1 << 16)
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        self.events += [json.loads(line) for line in lines]
        return bool(chunk)

    def until(self, wanted):
        """The first event that is so."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if wanted(event):
                    return event
            seen = len(self.events)
            assert self.read(), self.process.stderr.read().decode()

    def ended(self, number=None):
        """(exit code, the last event, standard error)"""
        if number:
            self.process.send_signal(number)
        while self.read():
            pass
        return self.process.wait(DEADLINE), self.events[-1], self.process.stderr.read().decode()

    def of(self, kind, machine=None):
        return [event for event in self.events if event["event"] == kind and machine in (None, event.get("machine"))]


def verdict_of(machine):
    return lambda event: event["event"] == "verdict" and event["machine"] == mac_text(machine)


@pytest.mark.parametrize(("kind", "link"), [("direct", "up0"), ("bridge", "br0")])
def test_a_boot_is_told_as_it_happens(lab, kind, link):
    net = lab(kind)
    if kind == "bridge":
        labs.wait_until(lambda: "state forwarding" in net.ip("-details", "link", "show", "up0"), DEADLINE, "the bridge's port forwards")
    with Watch(net, link=link) as watch, Sender(net.srv, "srv0") as sender:
        sender.send(TFTP_MISSING.of(1, 0x100))
        told = watch.until(lambda event: event["event"] == "stage" and not event["reached"])
        assert (told["machine"], told["stage"], told["boot"]) == (mac_text(1), "fetch", 1)
        assert "vmlinuz" in told["detail"]
        sender.send(TFTP.of(1, 0x20000))
        verdict = watch.until(verdict_of(1))
        assert (verdict["code"], verdict["boot"], verdict["over"]) == (13, 1, True)
        assert watch.until(lambda event: event["event"] == "boot" and event["boot"] == 2)
        assert watch.until(lambda event: event["event"] == "stage" and event["boot"] == 2 and "pxelinux.0" in event["detail"])
        code, end, _ = watch.ended(signal.SIGTERM)
    assert code == 0
    assert (end["event"], end["exit_code"], end["machines"], end["under_way"]) == ("end", 0, 1, 1)
    stages = [event["stage"] for event in watch.of("stage") if event["boot"] == 1 and event["reached"]]
    assert stages[:4] == ["link", "discover", "offer", "dhcp"]
    assert [event["seq"] for event in watch.events] == list(range(1, len(watch.events) + 1))


def test_two_hundred_machines_at_once(lab):
    net = lab("direct")
    many = range(200)
    with Watch(net) as watch, Sender(net.srv, "srv0") as sender:
        for xid in (0x100, 0x20000):
            boots = [(TFTP, TFTP_MISSING)[number % 2].of(number, xid) for number in many]
            for step in range(max(map(len, boots))):
                sender.send(boot[step] for boot in boots if step < len(boot))
            if xid == 0x100:
                for number in many:
                    watch.until(lambda event, who=mac_text(number): event["event"] == "stage" and event["stage"] == "fetch" and event["machine"] == who)
        for number in many:
            watch.until(verdict_of(number))
        _, end, _ = watch.ended(signal.SIGTERM)
    assert end["machines"] == len(many)
    codes = {event["machine"]: event["code"] for event in watch.of("verdict")}
    assert codes == {mac_text(number): (0, 13)[number % 2] for number in many}
    assert not watch.of("lost")


def test_until_a_stage(lab):
    net = lab("direct")
    with Watch(net, "--until", "dhcp") as watch, Sender(net.srv, "srv0") as sender:
        sender.send(TFTP.of(3, 0x100)[:8])
        code, end, errors = watch.ended()
    assert code == 0, errors
    assert end["summary"].startswith(f"{mac_text(3)} reached 'dhcp'")


def test_until_a_boot_fails(lab):
    net = lab("direct")
    with Watch(net, "--until", "kernel", "--mac", mac_text(4)) as watch, Sender(net.srv, "srv0") as sender:
        sender.send(TFTP_MISSING.of(5, 0x100))
        sender.send(TFTP_MISSING.of(5, 0x20000))
        sender.send(TFTP_MISSING.of(4, 0x100))
        sender.send(TFTP_MISSING.of(4, 0x20000))
        code, _, errors = watch.ended()
    assert code == 13
    assert "vmlinuz" in errors
    assert {event["machine"] for event in watch.of("stage")} == {mac_text(4)}


def test_until_the_time_is_up(lab):
    with Watch(lab("direct"), "--until", "dhcp", "--boot-timeout", "1") as watch:
        code, end, errors = watch.ended()
    assert (code, end["exit_code"]) == (15, 15)
    assert "no machine has reached 'dhcp' within 1 s" in errors


def test_a_signal_before_the_stage(lab):
    with Watch(lab("direct"), "--until", "dhcp") as watch:
        assert watch.ended(signal.SIGTERM)[0] == 128 + signal.SIGTERM


def test_an_interface_that_goes_away_ends_it(lab):
    net = lab("direct")
    with Watch(net) as watch:
        net.ip("link", "set", "up0", "down")
        assert watch.until(lambda event: event["event"] == "link")["up"] is False
        net.ip("link", "set", "up0", "up")
        assert watch.until(lambda event: event["event"] == "link" and event["up"])
        net.ip("link", "del", "up0")
        code, end, errors = watch.ended()
    assert (code, end["exit_code"]) == (3, 3)
    assert "up0 was removed" in errors


def test_frames_are_seen_again_after_the_interface_was_down(lab):
    net = lab("direct")
    with Watch(net, "--until", "dhcp") as watch, Sender(net.srv, "srv0") as sender:
        net.ip("link", "set", "up0", "down")
        watch.until(lambda event: event["event"] == "link")
        net.ip("link", "set", "up0", "up")
        watch.until(lambda event: event["event"] == "link" and event["up"])
        labs.wait_until(lambda: "state UP" in net.ip("link", "show", "up0"), DEADLINE, "up0 is up")
        sender.send(TFTP.of(3, 0x100)[:8])
        assert watch.ended()[0] == 0


def test_a_boot_while_the_interface_was_down_is_uncertain(lab, tmp_path):
    net = lab("direct")
    report = tmp_path / "boots.json"
    with Watch(net, "--report", report) as watch, Sender(net.srv, "srv0") as sender:
        sender.send(TFTP_MISSING.of(8, 0x100))
        watch.until(lambda event: event["event"] == "stage" and not event["reached"])
        net.ip("link", "set", "up0", "down")
        watch.until(lambda event: event["event"] == "link")
        net.ip("link", "set", "up0", "up")
        watch.until(lambda event: event["event"] == "link" and event["up"])
        labs.wait_until(lambda: "state UP" in net.ip("link", "show", "up0"), DEADLINE, "up0 is up")
        sender.send(TFTP_MISSING.of(8, 0x20000))
        verdict = watch.until(verdict_of(8))
        watch.until(lambda event: event["event"] == "stage" and not event["reached"] and event["boot"] == 2)
        assert watch.ended(signal.SIGTERM)[0] == 0
    assert (verdict["code"], verdict["over"]) == (15, True)
    assert "vmlinuz" in verdict["why"]
    [machine] = json.loads(report.read_text())["machines"]
    assert [boot["exit_code"] for boot in machine["boots"]] == [15, 13]


def test_frames_that_were_lost_are_in_the_report(lab, tmp_path):
    net = lab("direct")
    report = tmp_path / "boots.json"
    with Watch(net, "--report", report) as watch, Sender(net.srv, "srv0") as sender:
        sender.send(TFTP_MISSING.of(9, 0x100))
        watch.until(lambda event: event["event"] == "stage" and not event["reached"])
        watch.process.send_signal(signal.SIGSTOP)
        for _ in range(40):  # more than the ring holds, 16 MiB
            sender.send([OF_ANOTHER] * 500)
        watch.process.send_signal(signal.SIGCONT)
        lost = watch.until(lambda event: event["event"] == "frames-lost")
        code, end, _ = watch.ended(signal.SIGTERM)
    assert code == 0 and lost["count"] > 0
    told = json.loads(report.read_text())
    assert told["frames"]["lost"] == end["frames_lost"] > 0
    assert [boot["exit_code"] for boot in told["machines"][0]["boots"]][0] == 15


def test_a_report_in_a_folder_of_another_user(lab, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    os.chown(folder, 1000, 1000)
    command = lab("direct").inside(vm.BINARY, "watch", "up0", "--report", folder / "boots.json")
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, timeout=DEADLINE, check=False)
    assert ran.returncode == 3 and ran.stdout == ""
    assert "cannot write the report" in ran.stderr
    assert list(folder.iterdir()) == []


def test_standard_output_that_is_full(lab):
    with open("/dev/full", "wb") as full:
        command = [str(word) for word in lab("direct").inside(vm.BINARY, "watch", "up0")]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, timeout=DEADLINE, check=False)
    assert ran.returncode == 3
    assert "cannot write standard output: No space left on device" in ran.stderr


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--until", "kernel"), 128 + signal.SIGPIPE)])
def test_standard_output_that_is_closed(lab, words, code):
    net = lab("direct")
    with Watch(net, *words) as watch, Sender(net.srv, "srv0") as sender:
        watch.process.stdout.close()
        sender.send(TFTP.of(1, 0x100))
        assert watch.process.wait(DEADLINE) == code
        watch.process.stdout = None


def test_nohup_holds(lab):
    net = lab("direct")
    ours = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        watch = Watch(net).__enter__()
    finally:
        signal.signal(signal.SIGHUP, ours)
    with contextlib.ExitStack() as stack, Sender(net.srv, "srv0") as sender:
        stack.push(watch.__exit__)
        watch.process.send_signal(signal.SIGHUP)
        sender.send(TFTP.of(1, 0x100))
        watch.until(lambda event: event["event"] == "stage" and event["stage"] == "dhcp")
        assert watch.ended(signal.SIGTERM)[1]["summary"].startswith("ended by SIGTERM")


def test_vlans_and_the_report(lab, tmp_path):
    net = lab("direct")
    report, page = tmp_path / "boots.json", tmp_path / "boots.html"
    with Watch(net, "--report", f"{report},{page}") as watch, Sender(net.srv, "srv0") as sender:
        sender.send(tagged(frame, 12) for frame in TFTP.of(6, 0x100))
        watch.until(lambda event: event["event"] == "stage" and event["stage"] == "fetch")
        assert watch.ended(signal.SIGINT)[0] == 0
    told = json.loads(report.read_text())
    [machine] = told["machines"]
    assert (told["file"], machine["mac"], machine["vlans"]) == ("up0", mac_text(6), [12])
    assert machine["boots"][0]["boots"][0]["fetches"][0]["url"].endswith("pxelinux.0")
    assert page.read_text().startswith("<!DOCTYPE html>")


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.split() for key, value in (line.split(":", 1) for line in lines)}


def test_it_keeps_no_rights(lab):
    with Watch(lab("direct")) as watch:
        status = status_of(watch.process.pid)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[name][0], 16) == 0, name
        assert status["NoNewPrivs"] == ["1"]
        assert "0" not in status["Uid"]


def test_without_the_right_to_watch(lab):
    net = lab("direct")
    command = net.inside("setpriv", "--bounding-set=-net_raw", "--inh-caps=-all", vm.BINARY, "watch", "up0")
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, timeout=DEADLINE, check=False)
    assert ran.returncode == 3
    assert "CAP_NET_RAW" in ran.stderr


def test_an_interface_that_is_down(lab):
    net = lab("direct")
    net.ip("link", "set", "up0", "down")
    ran = subprocess.run(
        [str(word) for word in net.inside(vm.BINARY, "watch", "up0")], capture_output=True, text=True, env=ENVIRONMENT, timeout=DEADLINE, check=False
    )
    assert ran.returncode == 3
    assert "it is down" in ran.stderr and "ip link set up0 up" in ran.stderr


def on_terminal(net, term, wanted):
    """What it writes to a terminal until that stands there."""
    ours, its = pty.openpty()
    command = [str(word) for word in net.inside("setsid", "--ctty", vm.BINARY, "watch", "up0")]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env={**ENVIRONMENT, "TERM": term}) as process:
        os.close(its)
        text = b""
        try:
            with Sender(net.srv, "srv0") as sender:
                sent = False
                end = time.monotonic() + DEADLINE
                while not re.search(wanted, text):
                    assert select.select([ours], [], [], max(0, end - time.monotonic()))[0], text
                    text += os.read(ours, 4096)
                    if not sent and b"watching" in text:
                        sender.send(TFTP_MISSING.of(7, 0x100))
                        sent = True
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                while chunk := os.read(ours, 4096):
                    text += chunk
            os.close(ours)
    return text.decode()


def test_a_terminal_gets_lines_and_a_table(lab):
    text = on_terminal(lab("direct"), "xterm", rb"MACHINE .*\r\n52:54:00:02:00:07 .*vmlinuz")
    assert re.search(r"52:54:00:02:00:07  DHCP +10\.9\.0\.7 offered by 192\.0\.2\.1", text)
    assert re.search(r"\x1b\[\d+A\r\x1b\[J", text)
    assert "1 under way, 0 ok, 0 failed" in text


def test_a_dumb_terminal_gets_lines(lab):
    text = on_terminal(lab("direct"), "dumb", rb"fetch .*vmlinuz")
    assert "\x1b" not in text and "MACHINE" not in text
