"""Captures explained. What is expected of each was written down before the program saw it; of other programs' traffic in
test_captures.py."""

import json

import pytest

from launch import ROOT, environment, launch

BOOTS = ROOT / "tests/unit/data/boots"
CAPTURES = ROOT / "tests/captures"

# Of iPXE in VMs, on a bridge: what their consoles said is not in them.
OF_IPXE = [
    ("normal", 0, "gave all that was asked for"),
    ("noinitrd", 0, "gave all that was asked for"),
    ("garbage", 0, "gave all that was asked for"),
    ("uefi-garbage", 0, "gave all that was asked for"),
    ("nodhcp", 11, "no DHCP server answered"),
    ("uefi-nodhcp", 11, "no DHCP server answered"),
    ("nofile", 12, "named nothing to boot"),
    ("wrongfile", 13, "cannot fetch tftp://10.77.0.1/nosuch.ipxe"),
    ("tftpclosed", 13, "cannot fetch tftp://10.77.0.1/boot.ipxe"),
    ("httprefused", 13, "10.77.0.1"),
    ("http404", 13, "404"),
    ("dnsunknown", 13, "DNS: nosuch.example not found"),
]


@pytest.mark.parametrize(("name", "code", "words"), OF_IPXE)
def test_of_ipxe(name, code, words):
    run = launch("explain", BOOTS / f"{name}.pcap")
    assert run.returncode == code, run.stdout + run.stderr
    assert words in run.stdout
    assert "--" not in run.stdout.split("verdict", 1)[1], "a hint that names a setting of vm-launch's own VMs"


def test_who_named_the_file_and_where_the_machine_is():
    text = launch("explain", CAPTURES / "relay.pcap").stdout
    assert "machine 02:00:00:00:0a:01, BIOS, behind the relay 192.0.2.1" in text
    assert "named by   198.51.100.2 (DHCP): pxelinux.0 on 198.51.100.2" in text


def test_standard_input_is_a_capture_too():
    with open(BOOTS / "http404.pcap", "rb") as capture:
        run = launch("explain", "-", stdin=capture)
    assert run.returncode == 13
    assert run.stdout.startswith("standard input: ")


def test_json_and_reports_say_the_same(tmp_path):
    report, page = tmp_path / "boot.json", tmp_path / "boot.html"
    run = launch("explain", BOOTS / "http404.pcap", "--format", "json", "--report", f"{report},{page}")
    assert run.returncode == 13
    told = json.loads(run.stdout)
    assert told == json.loads(report.read_text())
    [machine] = told["machines"]
    [boot] = machine["boots"]
    assert (told["exit_code"], boot["exit_code"], boot["verdict"]["code"]) == (13, 13, 13)
    assert [stage["stage"] for stage in boot["boots"][0]["stages"]][:4] == ["link", "discover", "rom", "offer"]
    assert "<svg" in page.read_text() and machine["mac"] in page.read_text()


def test_a_machine_is_picked_by_its_address(tmp_path):
    text = launch("explain", BOOTS / "http404.pcap").stdout
    mac = text.split("machine ")[1][:17]
    assert launch("explain", BOOTS / "http404.pcap", "--mac", mac).stdout == text
    frames = (BOOTS / "http404.pcap").read_bytes()
    twin = frames[24:].replace(bytes.fromhex(mac.replace(":", "")), bytes.fromhex("525400000098"))
    two = tmp_path / "two.pcap"
    two.write_bytes(frames + twin)
    assert launch("explain", two).stdout.count("\nmachine ") == 2
    picked = launch("explain", two, "--mac", mac).stdout
    assert picked.count("\nmachine ") == 1 and f"machine {mac}" in picked
    other = launch("explain", BOOTS / "http404.pcap", "--mac", "52:54:00:00:00:99")
    assert other.returncode == 17
    assert mac in other.stderr


def test_a_damaged_file_is_explained_so_far_as_it_goes(tmp_path):
    whole = (BOOTS / "http404.pcap").read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole[:-5])
    run = launch("explain", cut)
    assert run.returncode == 13
    assert "The file ends early: truncated dump file" in run.stdout


def test_a_report_is_written_where_no_machine_boots_too(tmp_path):
    report, page = tmp_path / "boot.json", tmp_path / "boot.html"
    run = launch("explain", CAPTURES / "laptop.pcap", "--report", f"{report},{page}")
    assert run.returncode == 17
    assert json.loads(report.read_text())["exit_code"] == 17
    assert page.read_text().endswith("</html>\n")


def test_interfaces_of_several_kinds_are_told_as_such(tmp_path):
    def block(kind, body):
        size = (len(body) + 12).to_bytes(4, "little")
        return kind.to_bytes(4, "little") + size + body + size

    def interface(link):
        return block(1, link.to_bytes(2, "little") + bytes(2) + (65535).to_bytes(4, "little"))

    header = block(0x0A0D0D0A, bytes.fromhex("4d3c2b1a01000000") + b"\xff" * 8)
    file = tmp_path / "two.pcapng"
    file.write_bytes(header + interface(1) + interface(113))
    run = launch("explain", file)
    assert run.returncode == 2
    assert "libpcap reads one kind of interface a file" in run.stderr


def test_flags_about_a_vm_are_refused():
    for arguments in (("explain", BOOTS / "http404.pcap", "--script", "y"), ("rom", "x", "--memory", "2G")):
        run = launch(*arguments)
        assert run.returncode == 2
        assert f"'{arguments[0]}' does not take {arguments[2]}" in run.stderr


def test_what_is_no_capture_is_refused(tmp_path):
    for content, why in ((b"", "truncated dump file"), (b"#!ipxe\n" * 9, "unknown file format")):
        file = tmp_path / "x.pcap"
        file.write_bytes(content)
        run = launch("explain", file)
        assert run.returncode == 2
        assert why in run.stderr and "hint" in run.stderr
    wifi = (BOOTS / "http404.pcap").read_bytes()
    file.write_bytes(wifi[:20] + (127).to_bytes(4, "little") + wifi[24:])
    assert "its frames are 802.11 plus radiotap header" in launch("explain", file).stderr
    assert launch("explain").returncode == 2
    assert launch("explain", tmp_path / "none.pcap").returncode == 2


def test_variables_of_a_vm_do_not_count(tmp_path):
    kept = tmp_path / "boot.json"
    kept.write_text("an earlier run's")
    variables = {**environment("poweroff"), "BOOT_REPORT": str(kept), "NETWORK_MAC": "52:54:00:00:00:99"}
    wrong = launch("explain", BOOTS / "http404.pcap", env={**variables, "BOOT_REPORT": "boot.txt", "NETWORK_MAC": "zzz"})
    assert wrong.stderr == "" and "verdict" in wrong.stdout
    run = launch("explain", BOOTS / "http404.pcap", env=variables)
    assert run.returncode == 13
    assert kept.read_text() == "an earlier run's"


def test_no_packets_are_written_of_a_capture(tmp_path):
    run = launch("explain", CAPTURES / "nobody.pcap", "--report", tmp_path / "x.pcapng")
    assert run.returncode == 2
    assert "explain writes no packets" in run.stderr
    assert list(tmp_path.iterdir()) == []
