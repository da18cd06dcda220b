"""UEFI's variables that are kept: another firmware's are refused, and Secure Boot is told as they have it."""

import json
import shutil

import pytest

import media
import vm

UNSIGNED = "THE-UNSIGNED-PROGRAM-RAN"
NAME = "kept-variables"
OVMF = "/usr/share/OVMF"


def arguments(data, firmware, *more):
    return ("--name", NAME, "--data-dir", data, "--firmware", firmware, "--boot-order", "hd", *vm.SMALL, *more)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    (folder / NAME).mkdir(parents=True)
    return folder


def test_variables_of_firmware_without_secure_boot_are_not_taken_for_it(boot, data, tmp_path):
    """Made by a start with --firmware uefi; --firmware secure refuses them, makes them anew on the user's word, and then
    refuses what nobody signed."""
    disk = media.write_efi_disk(tmp_path / "unsigned.raw", UNSIGNED)
    run = boot(*arguments(data, "uefi", "--disk", disk), capture=False)
    run.name = NAME
    with run:
        assert run.wait_exit() == 0
        assert UNSIGNED in run.text()
    origin = json.loads((data / NAME / "nvram.json").read_text())
    assert origin["arch"] == "x86_64" and origin["template"].endswith("VARS_4M.fd")
    secure = arguments(data, "secure", "--disk", disk, "--no-tpm")
    refused = vm.run(*secure)
    assert refused.returncode == 3
    assert "OVMF_VARS_4M.fd" in refused.stderr and "--reset-nvram" in refused.stderr
    assert json.loads(vm.run("plan", "--format", "json", *secure, "--reset-nvram").stdout)["secure_boot"] is True
    again = boot(*secure, "--reset-nvram", capture=False)
    again.name = NAME
    with again:
        again.wait_text("Access Denied")
        assert UNSIGNED not in again.text()
        status = json.loads(vm.run("status", NAME, "--format", "json").stdout)
        assert status[0]["secure_boot"] is True
    assert json.loads((data / NAME / "nvram.json").read_text())["template"].endswith("VARS_4M.ms.fd")
    assert vm.run(*arguments(data, "uefi", "--disk", disk)).returncode == 3


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
    refused = vm.run(*arguments(data, firmware, "--no-tpm"))
    assert refused.returncode == 3
    assert words in refused.stderr and "--reset-nvram" in refused.stderr
    assert not (data / NAME / "nvram.json").exists()


@pytest.mark.parametrize("content", [b"", b"garbage" * 77239])
def test_what_are_no_variables_never_reaches_the_firmware(data, content):
    (data / NAME / "nvram.fd").write_bytes(content[:540672])
    refused = vm.run(*arguments(data, "uefi"))
    assert refused.returncode == 3
    assert "cannot use the UEFI variables" in refused.stderr and "hint:" in refused.stderr
