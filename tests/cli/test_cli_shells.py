"""`vm-launch completion`: the scripts in the shells that they are for."""

import json
import pathlib
import shutil
import subprocess

import pytest

from launch import BINARY, DEADLINE, environment, launch
from test_cli_control import Vm, ask


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("bash") / "vm-launch"
    path.write_text(launch("completion", "bash").stdout)
    return path


def completed(script, *words, folder=None, breaks=" \t\n\"'><=;|&(:"):
    """What bash would offer for the last of the words, which it has split at "=" as it does by default."""
    split = []
    for word in words:
        flag, equals, value = word.partition("=") if word.startswith("--") and "=" in breaks else (word, "", "")
        split += [flag, *(["=", *([value] if value else [])] if equals else [])]
    program = f'source {script}; COMP_WORDS=("$0" "$@"); COMP_CWORD=$#; _vm_launch && printf "%s\\n" "${{COMPREPLY[@]}}"'
    result = subprocess.run(["bash", "--norc", "-uc", program, str(BINARY), *split], cwd=folder, env=environment(), capture_output=True,
                            text=True, timeout=DEADLINE, check=False)
    assert result.stderr == "", result.stderr
    return [line for line in result.stdout.splitlines() if line]


def test_subcommands_and_what_boots(script, tmp_path):
    (tmp_path / "start.ipxe").touch()
    assert completed(script, "st", folder=tmp_path) == ["status", "stop", "start.ipxe"]
    assert {"run", "ls", "ssh", "completion", "guest-exec"} <= set(completed(script, ""))


def test_flags_of_each_subcommand(script):
    assert completed(script, "--firm") == completed(script, "plan", "--firm") == ["--firmware", "--firmware-code", "--firmware-vars"]
    assert completed(script, "--no-fast") == ["--no-fast-boot"]
    assert completed(script, "stop", "--") == ["--log-format", "--color", "--help"]
    assert completed(script, "health", "--heal") == ["--health-stage"]
    assert completed(script, "ssh", "--u") == ["--user"]
    assert completed(script, "status", "--fo") == ["--follow", "--format"]
    assert completed(script, "wait", "--") == ["--stage", "--timeout", "--log-format", "--color", "--help"]


def test_values(script):
    assert completed(script, "--firmware", "") == ["legacy", "uefi", "secure"]
    assert completed(script, "plan", "--firmware=u") == ["uefi"]
    assert completed(script, "--firmware=") == ["legacy", "uefi", "secure"]
    assert completed(script, "--firmware=u", breaks="") == ["--firmware=uefi"]
    assert completed(script, "--boot-order", "hd,") == ["hd,network", "hd,cdrom"]
    assert completed(script, "--nic-model", "virt") == ["virtio"]
    assert "kernel" in completed(script, "--until", "")
    assert completed(script, "wait", "--stage", "ker") == ["kernel"]
    assert completed(script, "--network", "") == ["nat", "bridge", "direct", "isolated"]
    assert completed(script, "--probe=") == ["auto", "off"]
    assert completed(script, "help", "ev") == ["events-table", "events"]
    assert completed(script, "plan", "--format", "") == ["text", "json", "sh"]
    assert completed(script, "status", "--format", "") == ["text", "json"]
    assert completed(script, "--ipxe=o") == ["on", "off"]
    assert completed(script, "completion", "") == ["bash", "zsh"]
    assert completed(script, "--memory", "") == ["half", "max"]
    assert completed(script, "--mac", "") == []
    assert {"man", "schema", "stop"} <= set(completed(script, "help", ""))


def test_files_and_folders(script, tmp_path):
    (tmp_path / "a file.qcow2").touch()
    (tmp_path / "a folder").mkdir()
    assert sorted(completed(script, "--disk", "a", folder=tmp_path)) == ["a file.qcow2", "a folder"]
    assert completed(script, "--netboot-dir", "a", folder=tmp_path) == ["a folder"]
    assert sorted(completed(script, "rom", "a", folder=tmp_path)) == ["a file.qcow2", "a folder"]
    assert sorted(completed(script, "exec", "--", "a", folder=tmp_path)) == ["a file.qcow2", "a folder"]


def test_every_flag_of_the_help_is_offered_and_takes_what_is_offered(script):
    """The values too: none that vm-launch refuses."""
    offered = {*completed(script, "plan", "--"), *completed(script, "run", "--")}
    for flag in (word for word in launch("--help").stdout.split() if word.startswith("--") and word[2:].replace("-", "").isalnum()):
        assert flag in offered or flag in ("--FLAG", "--no-FLAG", "--show-config", "--"), flag
    for flag in ("--firmware", "--pxe", "--network", "--nic-model", "--disk-bus", "--disk-cache", "--graphics", "--log-level", "--until", "--probe"):
        for value in completed(script, flag, ""):
            assert "invalid value" not in launch("plan", flag, value).stderr, (flag, value)


def test_bridges_and_interfaces_of_this_host(script, as_root):
    """In a network namespace of its own, with a /sys of that."""
    prefix = ["unshare", "--net", "--mount", "sh", "-ec",
              'mount -t sysfs none /sys; ip link add brx type bridge; ip link add vex type veth peer vey; exec "$@"', "sh"]
    program = 'source "$0"; for flag in --bridge --direct-dev; do COMP_WORDS=(vm-launch $flag ""); COMP_CWORD=2; _vm_launch; echo "${COMPREPLY[@]}"; done'
    lines = subprocess.run([*prefix, "bash", "--norc", "-c", program, script], capture_output=True, text=True, check=True, timeout=DEADLINE).stdout
    bridges, links = lines.splitlines()
    assert bridges.split() == ["brx"]
    assert {"brx", "lo", "vex", "vey"} <= set(links.split())


def test_names_of_running_vms(script):
    with Vm() as vm:
        assert completed(script, "stop", vm.name[:-1]) == [vm.name]
        assert completed(script, "ssh", vm.name) == completed(script, "events", vm.name) == completed(script, "wait", vm.name) == [vm.name]
        assert completed(script, "guest-exec", "--name", vm.name) == [vm.name]
        assert completed(script, "--name", vm.name) == [vm.name]


def test_a_screenshots_file_follows_the_name_of_a_vm_or_stands_alone(script, tmp_path):
    (tmp_path / "screen.png").touch()
    assert completed(script, "screenshot", "web", "", folder=tmp_path) == ["screen.png"]
    with Vm() as vm:
        assert completed(script, "screenshot", vm.name[:-1], folder=tmp_path) == [vm.name]
        assert completed(script, "screenshot", "scr", folder=tmp_path) == ["screen.png"]
        assert completed(script, "screenshot", vm.name, "s", folder=tmp_path) == ["screen.png"]


def test_nothing_that_is_typed_or_named_is_run(script, tmp_path):
    """Whoever completes may be root, and names are other users'."""
    listed = tmp_path / "vm-launch"
    listed.write_text(f"#!/bin/sh\necho NAME\necho 'web$(touch {tmp_path}/by-name)'\necho 'we;b'\necho web-1\n")
    listed.chmod(0o755)
    program = f'source {script}; COMP_WORDS=({listed} stop we); COMP_CWORD=2; _vm_launch; printf "%s\n" "${{COMPREPLY[@]}}"'
    offered = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, timeout=DEADLINE, check=True).stdout
    assert offered.split() == ["web-1"]
    for flag in ("--boot-order", "--firmware", "--name", "--bridge"):
        completed(script, flag, f"$(touch {tmp_path}/by-word),")
        completed(script, flag, f"$(touch {tmp_path}/by-word)")
    completed(script, f"$(touch {tmp_path}/by-word)")
    completed(script, f"--$(touch {tmp_path}/by-word)")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vm-launch"]


def test_zsh_completes_the_same():
    zsh = shutil.which("zsh")
    assert zsh, "zsh is missing: scripts/deps test"
    text = launch("completion", "zsh").stdout
    assert text.startswith("#compdef vm-launch\n")
    subprocess.run([zsh, "-n"], input=text, text=True, check=True, timeout=DEADLINE)
    # Its functions are called with what they call in the place of zsh's own, which work in an editor of lines alone.
    probe = text + r"""
compadd() { while [[ $1 == -* ]]; do [[ $1 == -- ]] && { shift; break }; [[ $1 == -[SP] ]] && shift; shift; done; print -l -- "$@" }
compset() { return 0 }
_files() { print FILES }
_message() { print NOTHING }
_describe() { local name=${@[-1]}; print -l -- ${${(P)name}%%:*} }
ask() { words=(vm-launch "$@"); CURRENT=$#words; _vm_launch }
ask plan --firmware '' ; print '=='
ask st ; print '=='
ask stop -h ; print '=='
ask --disk x ; print '=='
ask --mac x ; print '=='
ask plan --format '' ; print '=='
ask screenshot web ''
"""
    probe = "compdef() { :; }\n" + probe
    parts = subprocess.run([zsh, "-f"], input=probe, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout.split("==\n")
    assert parts[0].split() == ["legacy", "uefi", "secure"]
    assert {"status", "stop", "FILES"} <= set(parts[1].split())
    assert parts[2].split() == ["--log-format", "--color", "--help"]
    assert parts[3].split() == ["FILES"]
    assert parts[4].split() == ["NOTHING"]
    assert parts[5].split() == ["text", "json", "sh"]
    assert parts[6].split() == ["FILES"]


def test_another_shell_is_refused():
    for words in ((), ("fish",), ("bash", "zsh")):
        result = launch("completion", *words)
        assert result.returncode == 2
        assert "name one shell, bash or zsh" in result.stderr


# -- ls and ssh


def test_ls_has_a_line_for_each_vm():
    with Vm("--port-forward", "28080:80", scenario="os", until="kernel: Linux") as vm:
        lines = [line.split() for line in launch_beside("ls").splitlines()]
        assert lines[0] == ["NAME", "STATE", "STAGE", "ADDRESS", "PORTS", "VNC", "UP"]
        [line] = [line for line in lines if line[0] == vm.name]
        assert line[1:6] == ["running", "kernel", "-", "28080→80", "-"]
        assert [told["name"] for told in json.loads(launch_beside("ls", "--format", "json")) if told["name"] == vm.name] == [vm.name]


def launch_beside(*words):
    result = ask(*words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_status_and_ls_tell_what_the_agent_says_of_addresses():
    with Vm(scenario="os,agent", until="guest agent") as vm:
        [told] = json.loads(vm.ask("status", "--format", "json").stdout)
        assert (told["nics"][0]["address"], told["nics"][0]["address_by"]) == ("192.0.2.7", "agent")
        assert "address    192.0.2.7, as its agent says\n" in vm.ask("status").stdout
        assert "192.0.2.7" in launch_beside("ls")


def ssh_in(folder):
    """An ssh that says with which words it was started."""
    script = folder / "ssh"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    script.chmod(0o755)
    return environment(PATH=f"{folder}:/usr/bin:/bin")


def test_ssh_goes_by_the_forwarded_port(tmp_path):
    with Vm("--ssh-port", "22022") as vm:
        words = [str(BINARY), "ssh", vm.name, "--user", "debian", "--", "-v", "uname", "-a"]
        result = subprocess.run(words, env=ssh_in(tmp_path), capture_output=True, text=True, check=False, timeout=DEADLINE)
        assert result.returncode == 7, result.stderr
        said = result.stdout.splitlines()
        assert said[0] == "-v"
        assert said[-7:] == ["-p", "22022", "-l", "debian", "127.0.0.1", "uname", "-a"]
        missing = subprocess.run(words, env=environment(PATH="/nonexistent"), capture_output=True, text=True, check=False, timeout=DEADLINE)
        assert missing.returncode == 3
        assert "openssh-client" in missing.stderr
        assert "forward    127.0.0.1:22022 leads to the guest's tcp port 22: ssh -p 22022 127.0.0.1" in vm.ask("status").stdout


def test_ssh_says_what_is_missing():
    with Vm() as vm:
        result = vm.ask("ssh")
        assert result.returncode == 1
        assert "start it with --ssh-port 2222" in result.stderr
    assert "no running VM named" in ask("ssh", "nobody-is-called-so").stderr


# -- what is installed


@pytest.mark.skipif(not (BINARY.parent / "cmake_install.cmake").exists(), reason="the binary does not lie where it was built")
def test_install_puts_the_scripts_where_the_shells_look(tmp_path):
    subprocess.run(["cmake", "--install", BINARY.parent, "--prefix", tmp_path], check=True, capture_output=True, timeout=DEADLINE)
    for name, shell in (("bash-completion/completions/vm-launch", "bash"), ("zsh/site-functions/_vm-launch", "zsh")):
        assert (tmp_path / "share" / name).read_text() == launch("completion", shell).stdout
    assert pathlib.Path(tmp_path / "share/man/man1/vm-launch.1").read_text() == launch("help", "man").stdout
