"""A capture of a boot, explained afterwards, shows what the run itself saw of it on the wire."""

import json
import os
import struct
import subprocess
import urllib.parse

import pcap
import vm


def stages(boot):
    """What the wire alone showed, without the times: who looks at it live sees it a moment later."""
    return [
        (stage["stage"], stage["detail"].split(" bytes in ")[0], stage["reached"])
        for stage in boot["stages"]
        if stage["stage"] in ("discover", "offer", "dhcp", "fetch", "script") and stage["proof"] == "wire"
    ]


def dumped(folder):
    """QEMU's options for a capture of all that passes, and its file, which a user without rights can write."""
    capture = folder / "boot.pcap"
    capture.touch()
    os.chmod(capture, 0o666)
    return capture, ["-object", f"filter-dump,id=dump0,netdev=net0,file={capture},maxlen=65536"]


def explained(capture):
    run = subprocess.run([vm.BINARY, "explain", capture, "--format", "json"], capture_output=True, text=True, timeout=60)
    return run.returncode, json.loads(run.stdout)


def test_a_capture_of_a_boot_tells_its_stages(boot, netboot, tmp_path):
    (netboot.path / "boot.ipxe").write_text("#!ipxe\nchain missing.ipxe\n")
    capture, options = dumped(tmp_path)
    report = tmp_path / "boot.json"
    packets = tmp_path / "boot.pcapng"
    with boot("--ipxe", "--netboot-dir", netboot.path, "--report", f"{report},{packets}", *vm.SMALL, extra=options, capture=False) as run:
        assert run.wait_exit() == 13
    code, told = explained(capture)
    [machine] = told["machines"]
    [explanation] = machine["boots"]
    live = json.loads(report.read_text())
    assert machine["mac"] == live["nics"][0]["mac"]
    assert code == 13
    assert ("script", "boot.ipxe runs", True) in stages(live["boots"][0])
    assert stages(live["boots"][0]) == stages(explanation["boots"][0])
    assert "missing.ipxe" in explanation["verdict"]["what"]
    urls = [[fetch["url"] for fetch in report["boots"][0]["fetches"]] for report in (live, explanation)]
    assert urls[0] == urls[1]
    check_packets(packets, live)


def check_packets(packets, live):
    """The run's own record of its packets: what it says of them, and what `explain` reads of it."""
    code, told = explained(packets)
    [machine] = told["machines"]
    [explanation] = machine["boots"]
    assert code == 13
    assert stages(live["boots"][0]) == stages(explanation["boots"][0])
    assert explanation["verdict"]["what"] == live["verdict"]["what"]
    fetches = [[(fetch["url"], fetch["state"]) for fetch in report["boots"][0]["fetches"]] for report in (live, explanation)]
    assert fetches[0] == fetches[1]
    assert told["run_end"].startswith(f"{live['summary']} (exit code 13)")
    assert len(explanation["boots"][0]["dhcp"][0]["offers"]) == len(live["boots"][0]["dhcp"][0]["offers"]) == 1

    record = pcap.read_pcapng(packets)
    [interface] = record.interfaces
    assert (interface.name, interface.mac) == ("net0", machine["mac"])
    asked = record.commented("fetch begins: ")
    assert [fetch["url"].rsplit("/", 1)[1].encode() in packet.frame for fetch, packet in zip(live["boots"][0]["fetches"], asked, strict=True)] == [True] * len(asked)
    assert all(record.commented(words) for words in ("DHCP: ", "script: boot.ipxe runs"))
    check_own_server(record, live["boots"][0]["fetches"])
    assert len(record.commented("vm-launch's own, to this guest alone: spares a wait")) == told["frames"]["own_help"] == 1  # the offer, repeated
    assert record.packets[-1].comments[-1].startswith("the run's end: ")
    times = [packet.at for packet in record.packets]
    assert times == sorted(times)
    assert comments_by_tshark(packets) == [packet.comments[0] if packet.comments else "" for packet in record.packets]


def check_own_server(record, fetches):
    """What came from vm-launch's HTTP server is marked, and no other frame."""
    [port] = {urllib.parse.urlsplit(fetch["url"]).port for fetch in fetches}
    ipv4_tcp, from_port = b"\x08\x00\x45", struct.pack("!H", port)
    sent = [packet.frame for packet in record.packets if packet.frame[12:15] == ipv4_tcp and packet.frame[23] == 6 and packet.frame[34:36] == from_port]
    assert sent
    assert [packet.frame for packet in record.commented("vm-launch's own server")] == sent


def comments_by_tshark(packets):
    """The first comment of each packet, as Wireshark shows it."""
    words = ["tshark", "-n", "-r", packets, "-T", "fields", "-E", "occurrence=f", "-e", "frame.comment"]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.split("\n")[:-1]
