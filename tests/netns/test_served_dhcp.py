"""DHCP of an isolated segment, asked by the clients of other people: what they learn, and that dnsmasq would have told them the
same."""

import contextlib
import enum
import os
import signal

import pytest

import guest as guests
import lab as labs
from boot_files import efi_program
from dhcpcd import Dhcpcd
from udhcpc import Udhcpc

MAC, OTHER_MAC = "52:54:00:00:0d:01", "52:54:00:00:0d:02"
SERVER, ADDRESS = "198.18.1.1", "198.18.1.2"  # of a segment's first place (base/segment_place.h)
OTHER_ADDRESS = "198.18.2.2"
ISOLATED = ("--network", "isolated", "--ipxe", "--bootfile", "http://198.18.1.1/boot.ipxe")

IPV4, UDP = b"\x08\x00", 17
SERVER_PORT, CLIENT_PORT = b"\x00\x43", b"\x00\x44"
Kind = enum.IntEnum("Kind", "DISCOVER OFFER REQUEST DECLINE ACK NAK RELEASE INFORM")  # RFC 2132, 9.6

# How each of them presents itself (RFC 4578; UEFI 2.10, 24.7.3; src/net/udp/dhcp.c of iPXE).
IPXE = ("-V", "PXEClient:Arch:00000:UNDI:002001", "-x", "0x5d:0000", "-x", "0x4d:69505845")
PXE = ("-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007")
HTTP_BOOT = ("-V", "HTTPClient:Arch:00016:UNDI:003016", "-x", "0x5d:0010")
SYSTEM = ()
CLIENTS = {"iPXE": IPXE, "PXE": PXE, "HTTP boot": HTTP_BOOT, "operating system": SYSTEM}
ASKED = [word for option in ("43", "60", "66", "67", "175", "209") for word in ("-O", option)]
OPTIONS = ("66=boot.example", "vendor-options=hex:06:01:08", "config-file=menu.cfg", "175.83=u8:1")
# What those options are to dnsmasq. iPXE's own are encapsulated, and sent to iPXE alone.
DNSMASQ_OPTIONS = (
    "66,boot.example", "43,06:01:08", "209,menu.cfg", "tag:ipxe,encap:175,176,1b", "tag:ipxe,encap:175,83,1b",
)  # fmt: skip
# In the client's words; tftp is 66, pxeconffile 209.
READ = ("ip", "mask", "dns", "router", "serverid", "lease", "tftp", "pxeconffile", "opt43")


def file_of(lease):
    return lease.get("bootfile", lease.get("boot_file"))


def meaning(lease, client):
    """What a client of that kind does with its answer: by UEFI 2.10, 24.7.3.1, the class is looked at by one of them."""
    file = file_of(lease)
    return {
        **{name: lease.get(name) for name in READ},
        "file": file,
        "next server": lease.get("siaddr") if file else None,
        "class": lease.get("vendor") if client is HTTP_BOOT else None,
        "iPXE's own": options_in(bytes.fromhex(lease.get("opt175", ""))),
    }


def options_in(data):
    """By their numbers, up to the mark of the end (255)."""
    found = {}
    while data and data[0] != 255:
        found[data[0]] = data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
    return found


@pytest.fixture
def folder():
    with labs.private_folder() as path:
        yield path


@contextlib.contextmanager
def dnsmasq(lab, *words):
    """dnsmasq as the server of a segment's first place: gives what makes command lines for its client's namespace."""
    net = lab("direct")
    labs.run("ip", "-n", net.srv, "addr", "replace", f"{SERVER}/16", "dev", "srv0")
    net.ip("link", "set", "up0", "down")
    net.ip("link", "set", "up0", "name", guests.LINK, "address", MAC, "up")
    net._service(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--interface=srv0", "--bind-interfaces",
        "--port=0", f"--dhcp-range={ADDRESS},{ADDRESS},255.255.0.0,864000", "--dhcp-authoritative", "--no-ping",
        f"--dhcp-leasefile={net.folder}/leases", f"--pid-file={net.folder}/dnsmasq.pid", "--dhcp-option=3",
        f"--dhcp-option=6,{SERVER}", "--dhcp-userclass=set:ipxe,iPXE", "--dhcp-vendorclass=set:pxe,PXEClient",
        "--dhcp-vendorclass=set:http,HTTPClient", *words,
    )  # fmt: skip
    net._wait_for_services({":67"})
    yield net.inside


def test_a_request_means_what_it_means_to_dnsmasq(guest_run, lab, folder):
    """Each kind of client is named its own file, and each gets the options that the user gave."""
    served = folder / "served"
    served.mkdir()
    (served / "boot.ipxe").write_text("#!ipxe\nshell\n")
    (served / "ipxe.efi").write_bytes(efi_program(b""))
    given = [word for option in OPTIONS for word in ("--dhcp-option", option)]
    words = [f"--dhcp-option-force={option}" for option in DNSMASQ_OPTIONS]
    files = (
        f"--dhcp-boot=tag:ipxe,http://{SERVER}/boot.ipxe",
        "--dhcp-boot=tag:!ipxe,tag:pxe,ipxe.efi",
        f"--dhcp-boot=tag:http,http://{SERVER}/ipxe.efi",
        "--dhcp-option-force=tag:http,60,HTTPClient",
    )
    firmware = ("--network", "isolated", "--firmware", "uefi", "--no-ipxe", "--pxe", "v4", "--netboot-dir", served)
    with guest_run(*firmware, *given, mac=MAC) as run, dnsmasq(lab, *files, *words) as inside:
        for name, client in CLIENTS.items():
            ours = Udhcpc(run.guest.inside, folder).lease(*client, *ASKED)
            theirs = Udhcpc(inside, folder).lease(*client, *ASKED)
            assert meaning(ours, client) == meaning(theirs, client), name
            assert (file_of(ours) is None) == (client is SYSTEM)
            assert (83 in meaning(ours, client)["iPXE's own"]) == (client is IPXE)


class Heard:
    """The DHCP messages on a guest's link, whichever way they went."""

    def __init__(self, guest):
        self.messages = []  # (kind, who asks or is answered)
        guest.loses = self._note

    def _note(self, frame, to_guest):
        if frame[12:14] == IPV4 and frame[23] == UDP and frame[36:38] == (CLIENT_PORT if to_guest else SERVER_PORT):
            self.messages.append((Kind(options_in(frame[282:])[53][0]), frame[70:76].hex(":")))
        return False

    def kinds(self, client=None):
        return [kind for kind, whose in self.messages if client in (None, whose)]


QUESTIONS, ANSWERS = (Kind.DISCOVER, Kind.REQUEST, Kind.INFORM), (Kind.OFFER, Kind.ACK, Kind.NAK)


def answered_once(kinds):
    """No question is answered by two, and what is no question by nobody. A client that waits for long asks again."""
    answers = [kind for kind in kinds if kind in ANSWERS]
    return Kind.ACK in answers and len(answers) <= len([kind for kind in kinds if kind in QUESTIONS])


def test_a_lease_is_renewed_given_back_and_had_again(guest_run, folder):
    with guest_run(*ISOLATED, mac=MAC) as run:
        heard = Heard(run.guest)
        client = Udhcpc(run.guest.inside, folder)
        with client.running() as process:
            assert client.wait_for("bound")["ip"] == ADDRESS
            process.send_signal(signal.SIGUSR1)
            assert client.wait_for("renew")["ip"] == ADDRESS
            seen = len(client.events())
            process.send_signal(signal.SIGUSR2)
            client.wait_for("deconfig", seen)
            process.send_signal(signal.SIGUSR1)
            assert client.wait_for("bound", seen)["ip"] == ADDRESS
    assert Kind.RELEASE in heard.kinds() and Kind.NAK not in heard.kinds() and answered_once(heard.kinds())


def test_dhcpcd_reboots_with_its_lease_and_informs_itself(guest_run, folder):
    with guest_run(*ISOLATED, "--dhcp-option", "66=boot.example", mac=MAC) as run:
        heard = Heard(run.guest)
        client = Dhcpcd(run.guest.inside, folder / "dhcpcd")
        client.run("-4")
        bound = client.told("BOUND")
        assert (bound["new_ip_address"], bound["new_subnet_mask"]) == (ADDRESS, "255.255.0.0")
        assert (bound["new_domain_name_servers"], bound["new_tftp_server_name"]) == (SERVER, "boot.example")
        assert bound["new_dhcp_lease_time"] == "864000" and "new_routers" not in bound
        client.run("-4")
        assert client.told("REBOOT")["new_ip_address"] == ADDRESS
        client.run("-4", "-s", f"{ADDRESS}/16")
        informed = client.told("INFORM")
        assert informed["new_domain_name_servers"] == SERVER
        assert "new_dhcp_lease_time" not in informed  # RFC 2131, 4.3.5
    assert Kind.NAK not in heard.kinds()


def test_dhcpcd_by_ipv6(guest_run, folder):
    with guest_run(*ISOLATED, mac=MAC) as run:
        client = Dhcpcd(run.guest.inside, folder / "dhcpcd")
        client.run("-6")
        router, bound = client.told("ROUTERADVERT"), client.told("BOUND6")
    assert (router["nd1_from"], router["nd1_flags"], router["nd1_lifetime"]) == ("fe80::1", "MO", "0")
    assert bound["new_dhcp6_ia_na1_ia_addr1"] == "fd56:4d4c:5241::1:2"
    assert bound["new_dhcp6_name_servers"] == router["nd1_rdnss1_servers"] == "fd56:4d4c:5241::1:1"


def test_two_guests_have_two_addresses(guest_run, folder):
    """Each is answered by its own vm-launch alone, and the other one does not hear of it. Who held the first one's address is
    sent on to its own."""
    shared = (*ISOLATED, "--segment", f"dhcp-{os.getpid()}")
    with guest_run(*shared, mac=MAC) as first, guest_run(*shared, mac=OTHER_MAC) as second:
        heard = {run.mac: Heard(run.guest) for run in (first, second)}
        moving = Dhcpcd(first.guest.inside, folder / "dhcpcd")
        moving.run("-4")
        assert moving.told("BOUND")["new_ip_address"] == ADDRESS
        assert Udhcpc(second.guest.inside, folder).lease()["ip"] == OTHER_ADDRESS
        second.guest.run("busybox", "ping", "-c", "1", "-W", "30", ADDRESS, check=True)
        for mac, watch in heard.items():
            assert answered_once(watch.kinds(mac)) and len(watch.kinds(mac)) == len(watch.messages)
        moving.inside = second.guest.inside
        said = moving.run("-4")
        assert moving.told("BOUND")["new_ip_address"] == OTHER_ADDRESS, said
    assert Kind.NAK in heard[OTHER_MAC].kinds()


def test_an_address_that_another_guest_took_by_hand(guest_run, folder):
    """The client finds it in use, and declines it; it has it once the other one has let go."""
    shared = (*ISOLATED, "--segment", f"decline-{os.getpid()}")
    with guest_run(*shared, mac=MAC) as first, guest_run(*shared, mac=OTHER_MAC) as second:
        heard = Heard(first.guest)
        second.guest.ip("addr", "add", f"{ADDRESS}/16", "dev", guests.LINK)
        client = Udhcpc(first.guest.inside, folder)
        with client.running("-a10000", "-A", "1"):
            labs.wait_until(lambda: Kind.DECLINE in heard.kinds(), guests.CLIENT_DEADLINE, "the client declines")
            second.guest.ip("addr", "del", f"{ADDRESS}/16", "dev", guests.LINK)
            assert client.wait_for("bound")["ip"] == ADDRESS


@pytest.mark.parametrize("kea", [False, True], ids=["dnsmasq", "Kea"])
def test_on_a_bridge_an_operating_system_is_the_networks_own_affair(guest_run, lab, assets, folder, kea):
    """vm-launch offers it nothing, though it has a program for the firmware and a script for iPXE."""
    (folder / "boot.ipxe").write_text("#!ipxe\nshell\n")
    (folder / "ipxe.efi").write_bytes(efi_program(b""))
    net = lab("bridge")
    net.ip("addr", "add", "10.77.0.3/24", "dev", "br0")
    net.serve(assets, "#!ipxe\n", bootfile="theirs", kea=kea)
    words = ("--network", "bridge", "--bridge", "br0", "--firmware", "uefi", "--no-ipxe", "--pxe", "v4", "--probe", "off")
    with guest_run(*words, "--netboot-dir", folder, mac=MAC, lab=net) as run:
        heard = Heard(run.guest)
        lease = Udhcpc(run.guest.inside, folder).lease()
    assert (lease["serverid"], lease["siaddr"], file_of(lease)) == (labs.SERVER, labs.SERVER, "theirs")
    assert answered_once(heard.kinds())
