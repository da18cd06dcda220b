"""What makes a boot faster than a stock one, in nat mode: the key at iPXE's prompt, and the folder by HTTP."""

import json
import os
import re
import shutil
import urllib.error
import urllib.request

import pytest

import vm

UNTIL_SCRIPT = ("--ipxe", "--until", "script", *vm.SMALL)
CLIENTS = {
    "legacy": ("--ipxe",),
    "uefi": ("--ipxe", "--firmware", "uefi"),
    "firmware": ("--no-ipxe", "--firmware", "uefi"),  # whose PXE loads iPXE
}


def told(path):
    return json.loads(path.read_text())


BOOTS_FOR_A_KEY = 4


def boots_until_a_key_helped(boot, tmp_path, *arguments):
    """Boots to its end each time. On a starved host a key would come late, and none is pressed, which is right: then another
    boot may have one. Gives what the last one's console showed."""
    for count in range(BOOTS_FOR_A_KEY):
        report = tmp_path / f"boot{count}.json"
        with boot(*arguments, *vm.SMALL, "--report", report) as run:
            assert run.wait_exit() == 0
        if any("a key was pressed at iPXE's prompt" in line for line in told(report)["helped"]):
            return run.text()
    raise AssertionError(f"no key in any of {BOOTS_FOR_A_KEY} boots")


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
def test_a_key_ends_the_wait_at_the_prompt(boot, netboot, tmp_path, firmware):
    netboot.script()
    boots_until_a_key_helped(boot, tmp_path, "--ipxe", "--until", "script", "--firmware", firmware, "--netboot-dir", netboot.path)


@pytest.mark.parametrize("flags", [("--ipxe-prompt",), ("--fast-boot", "off")])
def test_no_key_for_those_who_want_the_prompt(boot, netboot, tmp_path, flags):
    netboot.script()
    report = tmp_path / "boot.json"
    with boot(*UNTIL_SCRIPT, *flags, "--netboot-dir", netboot.path, "--report", report) as run:
        assert run.wait_exit() == 0
    assert not any("key" in line for line in told(report)["helped"])


def test_the_key_never_reaches_a_prompt_of_the_script(boot, netboot):
    prompt = "prompt --timeout 2000 Press Ctrl-B for the iPXE command line... && echo GOT-A-KEY || echo GOT-NO-KEY"
    (netboot.path / "boot.ipxe").write_text(f"#!ipxe\necho {vm.SCRIPT_RAN}\n{prompt}\nsleep 60\n")
    with boot("--ipxe", "--until", "console:GOT-(A|NO)-KEY", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert "GOT-NO-KEY" in run.text("console")


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_menu_that_counts_down_goes_on_by_itself(boot, netboot, ipxes, tmp_path, client):
    """The key was iPXE's own prompt's: one that is left over would stop the countdown for ever."""
    shutil.copy(ipxes / "13/ipxe.efi", netboot.path)
    (netboot.path / "boot.ipxe").write_text(
        "#!ipxe\nmenu What boots\nitem other Another\nitem this This one\n"
        "choose --default this --timeout 3000 picked && echo PICKED-${picked} || echo PICKED-NOTHING\nsleep 60\n"
    )
    until = ("--until", "console:PICKED-(this|other|NOTHING)")
    screen = boots_until_a_key_helped(boot, tmp_path, *until, *client, "--netboot-dir", netboot.path)
    assert "PICKED-this" in screen


REPEATED = "QEMU's DHCP offer to net0 was repeated as a ProxyDHCP server's"


@pytest.mark.parametrize("firmware", ["legacy", "uefi"])
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "stock"])
def test_an_offer_is_repeated_for_which_ipxe_would_wait(boot, netboot, tmp_path, firmware, fast):
    """iPXE takes it as a ProxyDHCP server's; the report has no server that there was not."""
    (netboot.path / "boot.ipxe").write_text("#!ipxe\necho OFFERED-BY-[${proxydhcp/next-server}]\nsleep 60\n")
    report = tmp_path / "boot.json"
    flags = () if fast else ("--fast-boot", "off")
    until = ("--until", "console:OFFERED-BY.*]")
    with boot("--ipxe", *vm.SMALL, *until, *flags, "--firmware", firmware, "--netboot-dir", netboot.path, "--report", report) as run:
        assert run.wait_exit() == 0
        assert ("OFFERED-BY-[10.0.2.2]" in run.text()) == fast
    assert any(REPEATED in line for line in told(report)["helped"]) == fast
    [talk] = [talk for talk in told(report)["boots"][0]["dhcp"] if talk["client"] == "iPXE"]
    assert {offer["server"] for offer in talk["offers"]} == {"10.0.2.2"}
    assert not any(offer["proxy"] for offer in talk["offers"])


@pytest.fixture(scope="session")
def payloads():
    return vm.made_assets("--payloads") / "payloads"


@pytest.mark.parametrize("name", ["pxelinux.0", "grub.0"])
def test_a_boot_program_goes_on_with_the_address_that_ipxe_had(boot, netboot, payloads, name):
    """It reads iPXE's DHCP answers, of which the repeated offer is one: there is no address in that."""
    for file in ("pxelinux.0", "ldlinux.c32", "grub.0"):
        shutil.copy(payloads / file, netboot.path)
    for folder in ("pxelinux.cfg", "grub"):
        (netboot.path / folder).mkdir()
    line = "console=ttyS0 no_timer_check"
    (netboot.path / "pxelinux.cfg/default").write_text(
        f"serial 0 115200\ndefault a\nlabel a\nkernel vmlinuz\nappend initrd=initrd.gz {line}\n"
    )
    (netboot.path / "grub/grub.cfg").write_text(f"linux /vmlinuz {line}\ninitrd /initrd.gz\nboot\n")
    flags = ("--ipxe", "--until", "os", "--netboot-dir", netboot.path, "--bootfile", name, *vm.SMALL)
    with boot(*flags, "--log-level", "debug") as run:
        assert run.wait_exit() == 0
        assert REPEATED in run.text("own")


def test_a_script_that_asks_for_an_address_again_finds_the_same(boot, netboot):
    """As scripts do that boot by whatever `dhcp` says; and iPXE's settings of a ProxyDHCP server change none of it."""
    (netboot.path / "boot.ipxe").write_text(
        "#!ipxe\nset before ${filename}\ndhcp || echo FAILED\n"
        "iseq ${filename} ${before} && echo SAME-FILE-ON-${next-server} END || echo ANOTHER-FILE END\nsleep 60\n"
    )
    with boot("--ipxe", "--until", "console:(SAME|ANOTHER)-FILE.* END", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert "SAME-FILE-ON-10.0.2.2 END" in run.text()
        assert "FAILED" not in run.text()


def test_no_offer_is_repeated_to_the_firmwares_pxe(boot, netboot, tmp_path):
    netboot.script()
    report = tmp_path / "boot.json"
    with boot("--boot-order", "network", "--firmware", "uefi", "--bootfile", "vmlinuz", "--netboot-dir", netboot.path, *vm.SMALL,
              "--report", report) as run:
        run.wait_text("NBP|PXE-E", seconds=vm.BOOT_DEADLINE)
        run.stop()
    assert not any(REPEATED in line for line in told(report)["helped"])


def test_the_folder_by_http_and_by_tftp(boot, netboot, tmp_path):
    """iPXE gets its script by HTTP, and what the script names relatively too; TFTP is there for those who ask for it."""
    (netboot.path / "note").write_text("hello")
    (netboot.path / "boot.ipxe").write_text(
        f"#!ipxe\necho {vm.SCRIPT_RAN}\nimgfetch note || echo FAILED\nimgfetch tftp://10.0.2.2/note || echo FAILED\necho ALL-DONE\nsleep 60\n"
    )
    report = tmp_path / "boot.json"
    with boot("--ipxe", "--until", "console:ALL-DONE", "--netboot-dir", netboot.path, *vm.SMALL, "--report", report) as run:
        assert run.wait_exit() == 0
        assert "FAILED" not in run.text("console")
    fetches = told(report)["boots"][0]["fetches"]
    kinds = [(fetch["protocol"], fetch["url"].rsplit("/", 1)[-1]) for fetch in fetches if fetch["state"] == "done"]
    assert ("http", "boot.ipxe") in kinds and ("http", "note") in kinds and ("tftp", "note") in kinds
    assert any("was served by HTTP" in line for line in told(report)["helped"])


def test_no_way_out_of_the_folder(boot, netboot, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (netboot.path / "below").mkdir()
    (netboot.path / "below/link").symlink_to("../../secret")  # which no search before the boot can see
    (netboot.path / "boot.ipxe").write_text(
        f"#!ipxe\necho {vm.SCRIPT_RAN}\nset below below/link\nimgfetch ${{below}} && echo LEAKED ||\nimgfetch /../secret && echo LEAKED ||\n"
        "imgfetch /%2e%2e/secret && echo LEAKED ||\necho ALL-DONE\nsleep 60\n"
    )
    with boot("--ipxe", "--until", "console:ALL-DONE", "--netboot-dir", netboot.path, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert vm.SCRIPT_RAN in run.text("console")
        assert "LEAKED" not in run.text("console")


def test_other_users_of_the_host_get_nothing(boot, netboot):
    """QEMU runs as another user than this test, and the server is for QEMU alone."""
    netboot.script(words="vml.stay")
    with boot("--ipxe", "--netboot-dir", netboot.path, "--log-level", "debug", *vm.SMALL) as run:
        port = run.wait_text(r"file http://10\.0\.2\.2:(\d+)/boot.ipxe", "own").group(1)
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/boot.ipxe", timeout=10)
        run.wait_text("it is another user's", "own")
        run.wait_text(vm.GUEST_UP)
        run.stop()


def test_a_loader_that_is_no_script_stays_with_tftp(netboot):
    (netboot.path / "old.0").write_bytes(b"\xeb\xfe" + bytes(600))
    plan = vm.run("plan", "--ipxe", "--netboot-dir", netboot.path, "--bootfile", "old.0")
    assert plan.returncode == 0
    assert "bootfile=old.0" in plan.stdout and "http://" not in plan.stdout


def test_a_folder_that_vm_launch_may_not_read_without_privileges_is_told(netboot):
    netboot.script()
    (netboot.path / "boot.ipxe").chmod(0o640)
    os.chown(netboot.path / "boot.ipxe", 65534, 65534)
    plan = vm.run("plan", "--ipxe", "--run-as", "nobody", "--netboot-dir", netboot.path)
    assert plan.returncode == 0
    assert "is not served by HTTP, only by TFTP" in plan.stdout
    assert "bootfile=boot.ipxe" in plan.stdout


def test_a_link_out_of_the_folder_boots_and_is_told(boot, netboot, tmp_path):
    """HTTP would refuse the kernel; TFTP, which follows the link, serves it as it did without HTTP."""
    netboot.script()
    images = tmp_path / "images"
    images.mkdir()
    (netboot.path / "vmlinuz").rename(images / "vmlinuz")
    (netboot.path / "vmlinuz").symlink_to(images / "vmlinuz")
    with boot("--ipxe", "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:  # or there is no Landlock domain
        assert run.wait_exit() == 0
        assert vm.GUEST_UP in run.text()
        assert f"vmlinuz -> {images}/vmlinuz leads out of the folder" in run.text("own")
        assert "tftp://10.0.2.2/vmlinuz" in run.text("own")


@pytest.mark.parametrize("base", ["tftp://10.0.2.2/", ""], ids=["tftp", "http"])
def test_a_large_file_is_followed_though_the_dump_rests(boot, netboot, tmp_path, base):
    """While a large file comes, QEMU's dump is switched off most of the time: what was fetched is told all the same. A busy
    host may be too late for the packets of the small file behind it: then iPXE's console tells of it."""
    size = 90_000_000
    (netboot.path / "blob").write_bytes(bytes(size))
    (netboot.path / "note").write_text("hello")
    (netboot.path / "boot.ipxe").write_text(
        f"#!ipxe\necho {vm.SCRIPT_RAN}\nimgfetch {base}blob\nimgfetch {base}note && echo ALL-DONE\nsleep 60\n"
    )
    report = tmp_path / "boot.json"
    watch = ("--until", "console:ALL-DONE", "--log-level", "debug", "--report", report)
    with boot("--ipxe", *watch, "--netboot-dir", netboot.path, *vm.SMALL, capture=False) as run:
        assert run.wait_exit() == 0
        own = run.text("own")
        assert "cannot switch" not in own
        assert re.search(r"/blob: [\d.]+ MB of 90.0 MB, [\d.]+ MB/s, \d+ s left", own), own
    fetches = {fetch["url"].rsplit("/", 1)[-1]: fetch for fetch in told(report)["boots"][0]["fetches"]}
    assert (fetches["blob"]["state"], fetches["blob"]["bytes"]) == ("done", size)
    assert fetches["note"]["state"] == "done"
    assert fetches["note"]["bytes"] == {"wire": 5, "console": 0}[fetches["note"]["proof"]]
