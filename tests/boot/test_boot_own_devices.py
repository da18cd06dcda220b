"""What is set by those who know it from Docker-VM-Runner, and firmware of one's own, as real firmware and iPXE find it."""

import pytest

import vm

SCRIPT = "#!ipxe\necho address ${net0/ip} of ${net0/gateway} so far\n"
UNTIL = ("--until", "console:address .* so far", "--boot-timeout", "150", *vm.SMALL)

MACHINES = {
    "usb": ["--disk-bus", "usb", "--extra-disk", "32M", "--usb", "--balloon"],
    "scsi-thread": ["--disk-bus", "scsi", "--io-thread", "--disk-io", "native", "--disk-size", "half"],
    "ide": ["--machine", "pc", "--disk-bus", "ide", "--disk-io", "threads", "--guest-password", "x"],
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_machine_starts_and_the_guest_has_its_address(boot, tmp_path, machine):
    script = tmp_path / "my.ipxe"
    script.write_text(SCRIPT)
    with boot("--script", script, "--guest-ip", "192.168.7.9/25", "--blank-disk", *MACHINES[machine], *UNTIL) as run:
        assert run.wait_exit() == 0
        assert "address 192.168.7.9 of 192.168.7.2" in run.text()


@pytest.mark.parametrize("image", ["/usr/share/seabios/bios-256k.bin"])
def test_a_whole_image_is_the_machines_firmware(boot, tmp_path, image):
    script = tmp_path / "my.ipxe"
    script.write_text(SCRIPT)
    with boot("--script", script, "--firmware", "legacy", "--firmware-code", image, *UNTIL) as run:
        assert run.wait_exit() == 0
        assert "SeaBIOS" in run.text()


def test_a_build_with_its_variables_boots_as_the_distributions_does(boot, tmp_path):
    script = tmp_path / "my.ipxe"
    script.write_text(SCRIPT)
    build = tmp_path / "Build"
    build.mkdir()
    (build / "CODE.fd").write_bytes(open("/usr/share/OVMF/OVMF_CODE_4M.fd", "rb").read())
    (build / "VARS.fd").write_bytes(open("/usr/share/OVMF/OVMF_VARS_4M.fd", "rb").read())
    with boot("--script", script, "--firmware-code", build / "CODE.fd", "--firmware-vars", build / "VARS.fd", *UNTIL) as run:
        assert run.wait_exit() == 0
        assert "my.ipxe runs" in run.text("own")
