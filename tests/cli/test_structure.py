"""The shape of the code: which room may include and link which, what of the system each may use, and how large a file, a
class and a function may be."""

import collections
import functools
import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Room → the rooms that it may include. Everything may include base.
ARROWS = {
    "base": "",
    "rom": "",
    "qmp": "",
    "netsetup": "",
    "netserve": "",
    "bootwatch": "ipxescript",
    "control": "",
    "screen": "",
    "ipxescript": "",
    "capture": "bootwatch",
    "launcher/settings": "rom bootwatch",
    "launcher/events": "bootwatch",
    "launcher/vm": "launcher/settings rom netsetup netserve ipxescript bootwatch",
    "launcher/cases": "launcher/vm launcher/settings bootwatch",
    "launcher/plan": "launcher/vm launcher/settings rom netsetup netserve",
    "launcher/process": "launcher/vm",
    "launcher/host": "launcher/process launcher/vm launcher/settings control rom netsetup netserve ipxescript",
    "launcher/handles": "",
    "launcher/start": "launcher/handles launcher/plan launcher/process launcher/vm control rom netsetup netserve",
    "launcher/keeper": "launcher/handles launcher/start launcher/process launcher/vm control netserve",
    "launcher/console": "bootwatch control screen",
    "launcher/broadcast": "launcher/events control",
    "launcher/watch": "launcher/events launcher/handles launcher/console launcher/settings bootwatch netserve netsetup",
    "launcher/probe": "launcher/watch launcher/vm bootwatch netserve netsetup",
    "launcher/remote": "launcher/events launcher/handles launcher/console launcher/settings control qmp rom",
    "launcher/run": "launcher/events launcher/broadcast launcher/handles launcher/keeper launcher/watch launcher/remote launcher/start launcher/console launcher/plan launcher/process "
    "launcher/vm launcher/settings bootwatch control netserve netsetup qmp",
    "launcher/explain": "launcher/handles launcher/start launcher/settings bootwatch capture",
    "launcher/testing": "launcher/cases launcher/settings",
    "launcher/netwatch": "launcher/explain launcher/broadcast launcher/console launcher/events launcher/handles launcher/process launcher/start "
    "launcher/settings launcher/vm bootwatch capture netsetup",
    "launcher/commands": "launcher/events launcher/run launcher/probe launcher/explain launcher/netwatch launcher/testing launcher/cases launcher/keeper launcher/host launcher/start launcher/remote launcher/console launcher/plan "
    "launcher/vm launcher/settings bootwatch rom netsetup",
    "launcher": "launcher/commands launcher/settings launcher/console",  # main.cpp
}

# Of the C library without a system call, or with none that matters here.
HARMLESS = re.compile(
    r"_Unwind_Resume|_GLOBAL_OFFSET_TABLE_|(mem|str|is|to)[a-z]+(_[rl])?|strerror_r|snprintf|localeconv|gmtime_r|sigabbrev_np|"
    r"floor|ceil|round|log10|pow|inet_[np]to[np]|[hn]to[hn][ls]|gnu_dev_\w+|free|fnmatch|pthread_\w+|sigemptyset|sigaddset|sigfillset|"
    r"stdout|stderr"
)
# What Boost.Asio's headers bring along.
ASIO = set(
    "accept bind close connect epoll_create epoll_create1 epoll_ctl epoll_wait eventfd fcntl getsockopt getpeername getsockname "
    "ioctl listen pause pipe poll read recv recvfrom recvmsg send sendmsg sendto setsockopt shutdown sigaction signal socket timerfd_create "
    "timerfd_settime write".split()
)
# Room → which system calls (and whose libraries' functions) it may use beside those. A room that is not here is pure.
SYSTEM = {
    "base": ("", "close fflush fwrite open read stat write"),
    "rom": ("", "fstat open read"),  # rom_file
    "qmp": ("asio", ""),
    "netsetup": (
        "",
        "_exit accept4 access bind capng_get_caps_process capng_have_capability connect fcntl fork fsconfig fsmount fsopen geteuid getsockopt "
        "if_nametoindex ioctl listen lstat mknod mknodat mmap munmap nl_* nla_* nlmsg_* open openat poll recv recvfrom recvmsg rtnl_link_* sendmsg setns "
        "setsockopt socket socketpair unlink unshare waitpid write",
    ),
    "netserve": ("asio", "fstat open pread syscall"),
    "control": ("asio", "access closedir fdopendir flock fstat geteuid mkdir open openat readdir rmdir unlinkat"),
    "launcher/process": (
        "",
        "_exit access capng_* close dup2 environ execve fclose fcntl fgetpwent fmemopen fork fstat geteuid gethostname getpid getppid "
        "kill open pipe pipe2 prctl prlimit read setgroups setresgid setresuid setsid sigaction signal stat syscall waitpid write",
    ),
    "launcher/host": (
        "",
        "access bind fchown fstat ftruncate geteuid gethostname getpid inflate* ioctl kill listen memfd_create mmap munmap open pipe2 poll pread prlimit "
        "pwrite read sched_getaffinity setsockopt sigismember sigpending socket stat statx waitpid zError",
    ),
    "launcher/start": (
        "",
        "archive_* faccessat fchmod fchown fcntl flock fstat fstatat ftruncate geteuid lseek memfd_create mkdir nl_socket_free open openat pipe2 pread prlimit "
        "pwrite readlinkat renameat setsockopt socketpair stat unlink unlinkat write",
    ),
    "launcher/keeper": ("", "_exit close_range dup2 fcntl fork fstat geteuid getpid memfd_create open poll prctl pread recvmsg sendmsg setsid socketpair syscall waitpid"),
    "launcher/console": ("asio", "cfmakeraw fstat getpgrp isatty open tcgetattr tcgetpgrp tcsetattr"),
    "launcher/broadcast": ("asio", "clock_gettime fstat open select"),  # clock_gettime and select: Asio's, for a loop with a limit
    "launcher/watch": ("asio", ""),
    "launcher/probe": ("", "nl_socket_free nl_socket_get_fd poll read write"),
    "launcher/remote": ("asio", "execvp ftruncate getsid lseek pread select sysconf"),
    "launcher/run": ("asio", "geteuid getpid kill nl_socket_free nl_socket_get_fd poll time waitpid"),
    "launcher/testing": (
        "asio",
        "_exit access dup2 fork getpgid getpid isatty kill mkdtemp open pipe2 poll posix_spawn* prctl setpgid syscall unlink waitpid fileno",
    ),
    "launcher/explain": ("", "fclose ferror fopen fopencookie fread pcap_* stdin"),
    "launcher/netwatch": ("asio", "nl_socket_free nl_socket_get_fd"),
    "launcher/commands": ("", "nl_socket_free"),
}
# The C++ library's ways to the file system, for rooms that are pure.
TOUCHES_FILES = re.compile(r"std::basic_filebuf|std::(__cxx11::)?basic_[io]?fstream|std::filesystem::(__cxx11::)?(?!__cxx11|path\b)\w+")

LARGEST_FILE = 350
LONGEST_FUNCTION = 50
MOST_METHODS = 15
MOST_MEMBERS = 12

# Larger than they should be. None may grow; whoever splits one takes it out.
LARGE_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}
# Class → methods, members. Each with its reason; none may grow.
LARGE_CLASSES = {
    # One method for each kind of evidence that comes to the boot.
    "BootWatch": (16, 11),
    # One method for each kind of evidence and each question about the boot; what they decide is in free functions.
    "BootObserver": (29, 12),
    # The terminal, the guest's socket and the keys share when each may be read: split, they would share all of it.
    "Console": (23, 11),
    # The assembly: one member for each part that it joins, one method for each one's handlers.
    "RunLoop": (18, 17),
    # Sessions of TFTP and of TCP note their packets in one list: one method for each kind of packet.
    "Fetches": (36, 9),
    # The record of a boot, to which each kind of packet and of line adds in its own method.
    "Timeline": (43, 9),
    # One method for each sign that a shortcut waits for.
    "Shortcuts": (16, 9),
    # What the rules of the verdicts ask of one boot: a question each.
    "Scene": (16, 2),
    # One client of the control socket: what it may be in the middle of is its members.
    "Session": (16, 14),
    # One method for each operation on a link.
    "KernelExecutor": (22, 3),
    # The QMP connection: reading, writing and the commands under way end together.
    "Connection": (22, 12),
    # A terminal's states are its members, its control sequences its methods.
    "TerminalText": (26, 14),
}


def room_of(path):
    return str(path.parent.relative_to(ROOT))


def sources():
    return [
        path
        for room in ARROWS
        for path in sorted((ROOT / room).iterdir())
        if path.suffix in (".cpp", ".h")
    ]


def may_use(room):
    return {room, "base", *ARROWS[room].split()}


def archive_of(room):
    name = room.rsplit("/", maxsplit=1)[-1]
    return ROOT / "build/dev" / room / f"libvml_{name}.a"


COMPILED = [room for room in ARROWS if room not in ("launcher", "launcher/handles")]


@functools.lru_cache
def symbols(room, which):
    lines = subprocess.run(
        ["nm", "-C", which, archive_of(room)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return {line.split(maxsplit=1)[1] if which == "-u" else line.split(maxsplit=2)[2] for line in lines if line[:1].isspace() or line[:1].isalnum() and " " in line}


def code_of(path):
    """The text without comments and string literals."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def test_every_folder_of_code_is_a_room():
    folders = {room_of(path) for top in {room.split("/")[0] for room in ARROWS} for path in (ROOT / top).rglob("*.cpp")}
    assert folders == set(ARROWS) - {"launcher/handles"}


@pytest.mark.parametrize("room", ARROWS)
def test_rooms_include_only_what_they_may(room):
    for path in sorted((ROOT / room).iterdir()):
        if path.suffix in (".cpp", ".h"):
            included = set(re.findall(r'#include "([\w/]+)/\w+\.h"', path.read_text()))
            assert included <= may_use(room), f"{path.name} includes {included - may_use(room)}"


# An include can be spared by declaring by hand what is used; the linker's view cannot.
@pytest.mark.parametrize("room", COMPILED)
def test_rooms_link_only_what_they_may(room):
    ours = {name for name in symbols(room, "-u") if "vml::" in name and "nlohmann" not in name}
    for other in COMPILED:
        if other not in may_use(room):
            assert not ours & symbols(other, "--defined-only") - symbols(room, "--defined-only"), f"{room} uses {other}"


@pytest.mark.parametrize("room", COMPILED)
def test_rooms_use_only_the_system_calls_that_they_may(room):
    asio, own = SYSTEM.get(room, ("", ""))
    allowed = set(own.split()) | (ASIO if asio else set())
    wild = tuple(name[:-1] for name in allowed if name.endswith("*"))
    used = {name for name in symbols(room, "-u") if re.fullmatch(r"[A-Za-z_]\w*", name) and not name.startswith("__")}
    used = {name for name in used if not HARMLESS.fullmatch(name) and not name.startswith(wild or ("\0",))}
    assert used <= allowed, f"{room} uses {sorted(used - allowed)}"
    if room not in SYSTEM:
        touched = {name for name in symbols(room, "-u") if TOUCHES_FILES.match(name)}
        assert not touched, f"{room} is pure, and uses {sorted(touched)}"


def test_no_room_may_use_more_than_it_does():
    for room, (_, own) in SYSTEM.items():
        used = symbols(room, "-u")
        for name in own.split():
            found = name in used or name.endswith("*") and any(symbol.startswith(name[:-1]) for symbol in used)
            assert found, f"{room} may use {name}, and does not"


def test_nothing_reads_the_environment_or_ends_the_process_but_main():
    for path in sources():
        if path.name == "main.cpp":
            continue
        found = re.findall(r"\b(getenv|environ|std::exit|std::abort|std::terminate)\b\s*\(", code_of(path))
        assert not found, f"{path}: {found}"


def test_no_sleep_and_no_polling():
    for path in sources():
        assert not re.search(r"sleep_for|sleep_until|\busleep\b|\bnanosleep\b", code_of(path)), path


@functools.lru_cache
def tags():
    files = [str(path.relative_to(ROOT)) for path in sources()]
    command = ["ctags", "--output-format=json", "--fields=+neSK", "--kinds-C++=+pfm-x", "-o", "-", *files]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [tag for tag in map(json.loads, lines) if tag["_type"] == "tag"]


def test_no_file_is_too_long():
    assert set(LARGE_FILES) <= {str(path.relative_to(ROOT)) for path in sources()}
    for path in sources():
        name = str(path.relative_to(ROOT))
        length = len(path.read_text().splitlines())
        assert length <= LARGE_FILES.get(name, LARGEST_FILE), name
        assert name not in LARGE_FILES or length > LARGEST_FILE, f"{name} is listed as large, and is not"


def test_no_function_is_too_long():
    lengths = [(tag["name"], tag["end"] - tag["line"] + 1) for tag in tags() if tag["kind"] == "function" and "end" in tag]
    assert len(lengths) > 1000
    for name, length in lengths:
        assert length <= LONG_FUNCTIONS.get(name, LONGEST_FUNCTION), name
    assert set(LONG_FUNCTIONS) <= {name for name, length in lengths if length > LONGEST_FUNCTION}


# A struct is plain data: its members are what it is about.
def test_no_class_is_too_large():
    methods, members = collections.defaultdict(set), collections.defaultdict(set)
    for tag in tags():
        if tag.get("scopeKind") == "class":
            if tag["kind"] in ("function", "prototype"):
                methods[tag["scope"]].add((tag["name"], tag.get("signature")))
            elif tag["kind"] == "member":
                members[tag["scope"]].add(tag["name"])
    assert len(methods) > 50
    too_large = set()
    for scope in methods.keys() | members.keys():
        name = scope.split("::")[-1]
        size = (len(methods[scope]), len(members[scope]))
        most = LARGE_CLASSES.get(name, (MOST_METHODS, MOST_MEMBERS))
        assert size[0] <= max(most[0], MOST_METHODS) and size[1] <= max(most[1], MOST_MEMBERS), f"{scope}: {size[0]} methods, {size[1]} members"
        if size[0] > MOST_METHODS or size[1] > MOST_MEMBERS:
            too_large.add(name)
    assert set(LARGE_CLASSES) == too_large
