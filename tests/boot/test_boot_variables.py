"""UEFI's variables that are kept: another firmware's are refused, and Secure Boot is told as they have it."""

import json
import pathlib
import shutil

import pytest

import media
import vm

UNSIGNED = "THE-UNSIGNED-PROGRAM-RAN"
NAME = "kept-variables"
OVMF = "/usr/share/OVMF"


def arguments(data, firmware, *more):
    return ("--data-dir", data, "--firmware", firmware, "--boot-order", "hd", *vm.SMALL, *more)


def refusal(data, firmware, *more):
    refused = vm.run("--name", NAME, *arguments(data, firmware, *more))
    assert refused.returncode == 3, refused.stderr
    return refused.stderr


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    (folder / NAME).mkdir(parents=True)
    return folder


def test_variables_of_firmware_without_secure_boot_are_not_taken_for_it(boot, tmp_path):
    """Made by a start with --firmware uefi; --firmware secure refuses them, makes them anew on the user's word, and then
    refuses what nobody signed."""
    data = tmp_path / "data"
    data.mkdir()
    disk = media.write_efi_disk(tmp_path / "unsigned.raw", UNSIGNED)
    uefi = arguments(data, "uefi", "--disk", disk)
    secure = arguments(data, "secure", "--disk", disk, "--no-tpm")
    with boot(*uefi, capture=False) as run:
        assert run.wait_exit() == 0
        assert UNSIGNED in run.text()
    name = ("--name", run.name)
    origin_file = data / run.name / "nvram.json"
    origin = json.loads(origin_file.read_text())
    assert origin["arch"] == "x86_64" and origin["template"].endswith("VARS_4M.fd")
    refused = vm.run(*name, *secure)
    assert refused.returncode == 3
    assert "OVMF_VARS_4M.fd" in refused.stderr and "--reset-nvram" in refused.stderr
    plan = vm.run("plan", "--format", "json", *name, *secure, "--reset-nvram")
    assert json.loads(plan.stdout)["secure_boot"] is True
    again = boot(*secure, "--reset-nvram", capture=False)
    again.name = run.name
    with again:
        again.wait_text("Access Denied")
        assert UNSIGNED not in again.text()
        status = json.loads(vm.run("status", run.name, "--format", "json").stdout)
        assert status[0]["secure_boot"] is True
    assert json.loads(origin_file.read_text())["template"].endswith("VARS_4M.ms.fd")
    assert vm.run(*name, *uefi).returncode == 3


@pytest.mark.parametrize(
    ("firmware", "template", "words"),
    [
        ("uefi", "OVMF_VARS.fd", "it has 131072 bytes"),
        ("uefi", "OVMF_VARS_4M.ms.fd", "made for firmware with Secure Boot"),
        ("secure", "OVMF_VARS_4M.fd", "made for firmware without Secure Boot"),
    ],
)
def test_a_folder_of_an_older_vm_launch_is_told_by_what_is_in_it(data, firmware, template, words):
    shutil.copy(f"{OVMF}/{template}", data / NAME / "nvram.fd")
    text = refusal(data, firmware, "--no-tpm", "--blank-disk")
    assert words in text and "--reset-nvram" in text
    assert not (data / NAME / "nvram.json").exists()


@pytest.mark.parametrize("content", [b"", b"garbage" * 77239])
def test_what_are_no_variables_never_reaches_the_firmware(data, content):
    (data / NAME / "nvram.fd").write_bytes(content[:540672])
    text = refusal(data, "uefi", "--blank-disk")
    assert "cannot use the UEFI variables" in text and "hint:" in text


def test_secure_boot_that_was_switched_off_is_told(data):
    """By its own byte: SecureBootEnable, a variable of one byte behind its name."""
    name = "SecureBootEnable\0".encode("utf-16le")
    store = bytearray(pathlib.Path(f"{OVMF}/OVMF_VARS_4M.ms.fd").read_bytes())
    at = store.rindex(name) + len(name)
    assert store[at] == 1
    store[at] = 0
    (data / NAME / "nvram.fd").write_bytes(store)
    assert "Secure Boot is off in them" in refusal(data, "secure", "--no-tpm", "--blank-disk")
