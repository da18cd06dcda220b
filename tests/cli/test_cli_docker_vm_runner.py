"""What users of Docker-VM-Runner type: each variable that it documents, with the values that it documents, is served (the plan
is another one), answered by one warning or error that names it, or asks for what is so anyway. None is passed over in silence,
and none is taken for a slip of the finger."""

import functools
import json
import re
import subprocess

import pytest

from launch import command, environment, launch

BASE = {"IPXE_ENABLE": "1", "NETBOOT_FILE": "http://192.0.2.1/boot.ipxe", "BLANK_DISK": "1", "ACCEL": "tcg", "GUEST_NAME": "typed"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF me"

# Variable: values that change the plan. "NAME=value" behind a value is set too, before and after.
SERVED = {
    "IPXE_ROM_PATH": ["/usr/lib/ipxe/qemu/pxe-virtio.rom"],
    "BOOT_ORDER": ["hd", "network,hd,cdrom BOOT_ISO={iso}"],
    "BOOT_MODE": ["uefi"],
    "BOOT_FROM": ["{iso}"],
    "BLANK_DISK": ["0"],
    "FORCE_ISO": ["1 BOOT_ISO={iso}"],
    "GUEST_NAME": ["other"],
    "MEMORY": ["512", "1G", "half"],
    "CPUS": ["1", "3"],
    "DISK_SIZE": ["5G", "half", "max"],
    "SSH_PUBKEY": [KEY],
    "GUEST_PASSWORD": ["s3cret", "two words"],
    "CLOUD_INIT": ["1"],
    "CLOUD_INIT_USER_DATA": ["{user_data}"],
    "GRAPHICS": ["vnc"],
    "VNC_PORT": ["5901 GRAPHICS=vnc VNC_PASSWORD=none"],
    "SSH_PORT": ["2222"],
    "PORT_FWD": ["8080:80", "8080:80,8443:443"],
    "NETWORK_MAC": ["52:54:00:12:34:56"],
    "NETWORK_MODEL": ["e1000", "rtl8139"],
    "NETWORK_MTU": ["1400"],
    "NETWORK2_BOOT": ["1 NETWORK2_MODE=nat"],
    "NETWORK2_MODE": ["nat"],
    "NETWORK_GUEST_IP": ["10.0.2.99", "192.168.7.9/24"],
    "NETWORK2_GUEST_IP": ["10.0.3.7"],
    "CPU_MODEL": ["qemu64"],
    "MACHINE": ["pc"],
    "TPM": ["1"],
    "EXTRA_ARGS": ["-device pci-testdev"],
    "DISK_TYPE": ["scsi", "nvme", "ide", "usb", "ide MACHINE=pc"],
    "DISK_IO": ["native", "threads", "io_uring"],
    "DISK_CACHE": ["none", "writeback", "writethrough", "directsync"],
    "IO_THREAD": ["1", "1 DISK_TYPE=scsi"],
    "USB": ["1", "1 GRAPHICS=vnc VNC_PASSWORD=none"],
    "BALLOON": ["1"],
    "RNG": ["1"],
    "DISK2_SIZE": ["5G", "half"],
    "DISK3_SIZE": ["5G DISK2_SIZE=1G"],
    "DEVICE": ["{disk}"],
    "DEVICE2": ["{disk} DEVICE={iso}"],
}

# Values that get one answer each.
ANSWERED = {
    "IPXE_ENABLE": ["maybe"],
    "BOOT_FROM": ["https://h/x.iso", "oci://h/x", "quay.io/containerdisks/fedora:40", "containerdisks/fedora:40", "fedora", "blank",
                  "file:///x.iso", "/no/such.iso"],
    "FORCE_ISO": ["1"],
    "DISTRO": ["ubuntu-24.04-cloud-amd64"],
    "CATALOG_URL": ["http://h/"],
    "CATALOG_CACHE": ["/c"],
    "CATALOG_OFFLINE": ["1"],
    "DOWNLOAD_RETRIES": ["3"],
    "DOWNLOAD_MAX_SIZE": ["64G"],
    "EXTRACT_MAX_SIZE": ["512G"],
    "PERSIST": ["1"],
    "ARCH": ["riscv64"],
    "KEEP_ALIVE_AFTER_VM_STOP": ["1"],
    "GUEST_PASSWORD": ["password"],
    "SHELL": ["/bin/zsh"],
    "GRAPHICS": ["novnc VNC_PASSWORD=none"],
    "VNC_PORT": ["5901"],
    "NOVNC_PORT": ["6080"],
    "VNC_KEYMAP": ["de"],
    "REDFISH_ENABLE": ["1"],
    "REDFISH_USERNAME": ["admin"],
    "REDFISH_PASSWORD": ["x"],
    "REDFISH_PORT": ["8443"],
    "REDFISH_SYSTEM_ID": ["x"],
    "IPMI_ENABLE": ["1"],
    "IPMI_USERNAME": ["admin"],
    "IPMI_PASSWORD": ["x"],
    "IPMI_PORT": ["623"],
    "IPMI_SYSTEM_ID": ["x"],
    "NETWORK_MODE": ["container"],
    "NETWORK_CONTAINER_INTERFACE": ["eth1"],
    "NETWORK_CONTAINER_BRIDGE": ["br0"],
    "NETWORK_BRIDGE": ["br0"],
    "NETWORK_DIRECT_DEV": ["eth0"],
    "NETWORK_GUEST_IP": ["10.0.2.2", "10.0.2.5,10.0.2.6", "somewhere"],
    "NETWORK_GUEST_IP6": ["fd00::5"],
    "MACHINE": ["microvm"],
    "DISK_TYPE": ["floppy", "usb BLANK_DISK=0"],
    "DISK_IO": ["native DISK_CACHE=writeback", "fast"],
    "DISK_CACHE": ["always"],
    "DISK_SIZE": ["5G BLANK_DISK=0", "large"],
    "IO_THREAD": ["1 DISK_TYPE=nvme"],
    "ALLOCATE": ["1"],
    "GPU": ["intel"],
    "HYPERV": ["1"],
    "DISK2_SIZE": ["large"],
    "DISK4_SIZE": ["5G"],
    "DEVICE": ["/dev/no-such-device"],
    "DEVICE3": ["/dev/sdc"],
    "FILESYSTEM_SOURCE": ["/x"],
    "FILESYSTEM_TARGET": ["x"],
    "FILESYSTEM_DRIVER": ["virtiofs", "9p"],
    "FILESYSTEM_ACCESSMODE": ["passthrough", "mapped"],
    "FILESYSTEM_READONLY": ["1"],
    "FILESYSTEM2_SOURCE": ["/x"],
}

# Values that ask for what is so anyway.
IDLE = {
    "IPXE_ENABLE": ["1"],
    "BOOT_MODE": ["legacy"],
    "FORCE_ISO": ["0"],
    "CATALOG_OFFLINE": ["0"],
    "PERSIST": ["0"],
    "REQUIRE_KVM": ["0"],
    "KEEP_ALIVE_AFTER_VM_STOP": ["0"],
    "SHELL": ["/bin/bash"],
    "CLOUD_INIT": ["0"],
    "GRAPHICS": ["none"],
    "NO_CONSOLE": ["0", "1"],
    "REDFISH_ENABLE": ["0"],
    "IPMI_ENABLE": ["0"],
    "NETWORK_MODE": ["nat"],
    "NETWORK_MODEL": ["virtio"],
    "NETWORK_BOOT": ["1"],
    "CPU_MODEL": ["max"],
    "TPM": ["0"],
    "DISK_TYPE": ["virtio"],
    "ALLOCATE": ["0"],
    "GPU": ["off"],
    "USB": ["0"],
    "HYPERV": ["0"],
    "BALLOON": ["0"],
    "RNG": ["0"],
    "IO_THREAD": ["0"],
    "FILESYSTEM_READONLY": ["0"],
}


def cases(table):
    return [(name, value) for name, values in table.items() for value in values]


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    files = {name: folder / name for name in ("x.iso", "x.img", "user-data")}
    files["x.iso"].write_bytes(bytes(32768) + b"\1CD001\1" + bytes(4089))
    files["x.img"].write_bytes(bytes(1 << 20))
    files["user-data"].write_text("#cloud-config\nruncmd: []\n")
    return {"iso": files["x.iso"], "disk": files["x.img"], "user_data": files["user-data"]}


@functools.cache
def planned(variables):
    """Exit code, the plan without its notes, and what is said: notes are warnings of a run."""
    result = subprocess.run(command("plan", "--format", "json"), env=environment(**dict(variables)), capture_output=True, text=True,
                            timeout=60, check=False)
    plan = json.loads(result.stdout or "{}")
    notes = "".join(f"vm-launch: warning: {note}\n" for note in plan.pop("notes", []))
    return result.returncode, plan, result.stderr + notes


def with_and_without(name, value, media):
    """The plan with the variable, and the one without it."""
    text = value.format(**media)
    more = dict(word.split("=", 1) for word in re.findall(r" ([A-Z][A-Z0-9_]*=\S+)", text))
    text = re.sub(r" [A-Z][A-Z0-9_]*=\S+", "", text)
    without = {**BASE, **more}
    return planned(tuple(sorted({**without, name: text}.items()))), planned(tuple(sorted(without.items())))


def words_on(stderr, before):
    return [line for line in stderr.splitlines() if line not in before.splitlines() and re.match(r"vm-launch: (warning|error\[\d+\]): ", line)]


@pytest.mark.parametrize("name,value", cases(SERVED))
def test_it_is_served(name, value, media):
    (code, plan, said), (code_before, before, said_before) = with_and_without(name, value, media)
    assert (code, code_before) == (0, 0), said + said_before
    assert plan != before
    assert words_on(said, said_before) == []


@pytest.mark.parametrize("name,value", cases(ANSWERED))
def test_it_is_answered_in_one_line(name, value, media):
    (_, _, said), (_, _, before) = with_and_without(name, value, media)
    [line] = words_on(said, before)
    assert f"${name}" in line
    assert "did you mean" not in said and "unknown variable" not in said
    reason = line.split(": ", 3)[-1] + " ".join(re.findall(r"(?:why|hint): +(.*)", said))
    assert len(reason.split()) > 5, "why, and what to use"


@pytest.mark.parametrize("name,value", cases(IDLE))
def test_it_asks_for_what_is_so_anyway(name, value, media):
    with_it, without = with_and_without(name, value, media)
    assert with_it == without
    assert with_it[0] == 0


def test_no_variable_that_is_documented_is_left_out():
    """Those of Docker-VM-Runner's reference, each in one of the tables."""
    documented = """DISTRO ARCH GUEST_NAME PERSIST KEEP_ALIVE_AFTER_VM_STOP MEMORY CPUS DISK_SIZE REQUIRE_KVM BOOT_FROM BLANK_DISK
        BOOT_ORDER BOOT_MODE FORCE_ISO DOWNLOAD_RETRIES DOWNLOAD_MAX_SIZE EXTRACT_MAX_SIZE CATALOG_URL CATALOG_CACHE CATALOG_OFFLINE
        GUEST_PASSWORD SSH_PUBKEY SHELL CLOUD_INIT CLOUD_INIT_USER_DATA GRAPHICS VNC_PORT NOVNC_PORT VNC_KEYMAP SSH_PORT PORT_FWD
        NO_CONSOLE REDFISH_ENABLE REDFISH_USERNAME REDFISH_PASSWORD REDFISH_PORT REDFISH_SYSTEM_ID IPMI_ENABLE IPMI_USERNAME
        IPMI_PASSWORD IPMI_PORT IPMI_SYSTEM_ID NETWORK_MODE NETWORK_BRIDGE NETWORK_CONTAINER_INTERFACE NETWORK_CONTAINER_BRIDGE
        NETWORK_DIRECT_DEV NETWORK_MAC NETWORK_MODEL NETWORK_MTU NETWORK_GUEST_IP NETWORK_GUEST_IP6 NETWORK_BOOT IPXE_ENABLE
        IPXE_ROM_PATH CPU_MODEL MACHINE DISK_TYPE DISK_IO DISK_CACHE ALLOCATE TPM GPU USB HYPERV BALLOON RNG IO_THREAD EXTRA_ARGS
        DISK2_SIZE DEVICE FILESYSTEM_SOURCE FILESYSTEM_TARGET FILESYSTEM_DRIVER FILESYSTEM_ACCESSMODE FILESYSTEM_READONLY""".split()
    assert set(documented) <= {*SERVED, *ANSWERED, *IDLE}


def test_none_that_is_answered_keeps_a_vm_from_starting():
    """A `docker run` line that was written for it starts a VM."""
    foreign = {name: values[0] for name, values in ANSWERED.items()
               if re.match("DISTRO|CATALOG|DOWNLOAD|EXTRACT|KEEP|SHELL|NOVNC|VNC_KEY|REDFISH|IPMI|.*CONTAINER|.*_IP6|ALLOC|GPU|FILE", name)}
    result = launch(env=environment(**BASE, LANDLOCK="0", **foreign))
    assert result.returncode == 0
    for name in foreign:
        assert f"warning: ${name} has no effect here: " in result.stderr, name


@pytest.mark.parametrize("flag", ["--list-distros", "--type=iso", "--search=x", "--show-xml", "--cleanup"])
def test_a_flag_of_docker_vm_runner_is_answered(flag):
    result = launch(flag)
    assert result.returncode == 2
    assert f"unknown option {flag.split('=')[0]}" in result.stderr
    assert any(words in result.stderr for words in ("fetches no images", "`vm-launch plan", "nothing to clean up"))


@pytest.mark.parametrize("flag", ["--show-config", "--dry-run"])
def test_its_names_of_plan(flag):
    words = ("--disk-size", "3G", "--blank-disk")
    plan = launch("plan", *words)
    assert plan.returncode == 0 and "-device" in plan.stdout
    for arguments in ([flag, *words], ["run", *words, flag], ["plan", flag, *words]):
        assert launch(*arguments).stdout == plan.stdout
    assert launch(flag, *words, "--format", "json").stdout == launch("plan", *words, "--format", "json").stdout
    assert launch("status", flag).returncode == 2
