"""The shape of the code: who may include whom, and which few files may touch the system."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "rom", "qmp", "netsetup", "netserve", "bootwatch", "control", "screen", "ipxescript", "launcher")

# launcher → {qmp, netsetup, netserve, rom, bootwatch, control, screen, ipxescript} → base
ALLOWED = {
    "base": {"base"},
    "rom": {"base", "rom"},
    "qmp": {"base", "qmp"},
    "netsetup": {"base", "netsetup"},
    "netserve": {"base", "netserve"},
    "bootwatch": {"base", "bootwatch"},
    "control": {"base", "control"},
    "screen": {"base", "screen"},
    "ipxescript": {"base", "ipxescript"},
    "launcher": set(FOLDERS),
}

# Calls that change or ask the system, or end the process.
CALLS = re.compile(
    r"(?:::|\b)(getenv|setenv|system|popen|fork|vfork|execv\w*|execl\w*|posix_spawn\w*|socket|socketpair|bind|connect|"
    r"ioctl|mount|unshare|setns|prctl|syscall|kill|waitpid|open|openat|mknod|unlink|memfd_create|tcsetattr|sigprocmask|"
    r"setsid|getpwnam|getpwuid|exit|_exit|abort|sleep|usleep|nanosleep)\s*\("
)
# `foo.open(`, `foo->kill(` and declarations of our own functions are no calls of the C library.
SYSTEM_FILES = {
    "base/fd.cpp",
    "base/log.cpp",
    "rom/rom_file.cpp",
    "qmp/client.cpp",
    "netsetup/capture.cpp",
    "netsetup/netlink.cpp",
    "netsetup/tap_device.cpp",
    "netsetup/private_netns.cpp",
    "netsetup/reconcile.cpp",
    "netsetup/uevent.cpp",
    "netsetup/host_facts.cpp",
    "netsetup/forward_policy.cpp",
    "netsetup/kernel_executor.cpp",
    "netserve/folder.cpp",
    "netserve/http_server.cpp",
    "control/address.cpp",
    "control/client.cpp",
    "control/peer.cpp",
    "launcher/apply.cpp",
    "launcher/console.cpp",
    "launcher/console_client.cpp",
    "launcher/host.cpp",
    "launcher/image_probe.cpp",
    "launcher/kept_files.cpp",
    "launcher/kvm_probe.cpp",
    "launcher/output_queue.cpp",
    "launcher/privileges.cpp",
    "launcher/report_file.cpp",
    "launcher/run_loop.cpp",
    "launcher/run_user.cpp",
    "launcher/spawn.cpp",
    "launcher/status.cpp",
    "launcher/terminal.cpp",
    "launcher/wire_watch.cpp",
}


def sources():
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.[ch]*")) if path.suffix in (".cpp", ".h")]


def code_of(path):
    """The text without comments and string literals."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_include_only_what_they_may(folder):
    for path in sorted((ROOT / folder).glob("*")):
        if path.suffix in (".cpp", ".h"):
            included = set(re.findall(r'#include "(\w+)/', path.read_text()))
            assert included <= ALLOWED[folder], f"{path.name} includes {included - ALLOWED[folder]}"


def test_system_calls_live_in_few_files():
    strays = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name in SYSTEM_FILES or path.suffix == ".h":
            continue
        for number, line in enumerate(code_of(path).splitlines(), 1):
            for call in re.finditer(r"(?<![\w.>])::(\w+)\s*\(", line):
                if CALLS.match("::" + call.group(1) + "("):
                    strays.append(f"{name}:{number}: {line.strip()}")
    assert not strays, "\n".join(strays)


def test_nothing_reads_the_environment_or_ends_the_process_but_main():
    for path in sources():
        if path.name == "main.cpp":
            continue
        found = re.findall(r"\b(getenv|environ|std::exit|std::abort|std::terminate)\b\s*\(", code_of(path))
        assert not found, f"{path}: {found}"


def test_every_listed_file_exists():
    missing = [name for name in SYSTEM_FILES if not (ROOT / name).exists()]
    assert not missing


def test_no_sleep_and_no_polling():
    for path in sources():
        assert not re.search(r"sleep_for|sleep_until|\busleep\b|\bnanosleep\b", code_of(path)), path
