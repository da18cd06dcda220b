"""What the guest is told about itself: cloud-init's seed, and SMBIOS."""

import pytest

import vm

USER_DATA = "#cloud-config\n# MARK-OF-THE-USER-DATA\nruncmd: []\n"


@pytest.fixture
def echoing(netboot):
    """A script that says what iPXE finds in SMBIOS, and boots the guest that tells its seed."""
    (netboot.path / "boot.ipxe").write_text(
        "#!ipxe\necho SERIAL=${serial} ASSET=${asset} PRODUCT=${product}.\necho UUID=${uuid}\n"
        "kernel vmlinuz initrd=initrd.gz console=ttyS0 no_timer_check quiet vml.seed\ninitrd initrd.gz\nboot\n"
    )
    return netboot.path


def test_the_seed_and_the_smbios_fields_reach_ipxe_and_the_guest(boot, echoing, tmp_path):
    user_data = tmp_path / "user-data"
    user_data.write_text(USER_DATA)
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here"
    arguments = ("--ipxe", "--netboot-dir", echoing, "--user-data", user_data, "--hostname", "box", "--ssh-pubkey", key)
    with boot(*arguments, "--smbios", "serial=SER-42,asset=ASS-7,product=Board", *vm.SMALL) as run:
        assert run.wait_exit() == 0
        text = run.text()
        assert "SERIAL=SER-42 ASSET=ASS-7 PRODUCT=Board." in text
        uuid = text.split("UUID=")[1].split()[0]
        assert uuid in vm.run("plan", "--name", run.name, *arguments).stdout
        assert "VM-LAUNCH-GUEST-SEED label=CIDATA" in text
        assert "# MARK-OF-THE-USER-DATA" in text
        assert '"local-hostname": "box"' in text and key in text


def test_a_url_for_cloud_init_is_in_the_serial_number(boot, echoing):
    arguments = ("--ipxe", "--netboot-dir", echoing, "--cloud-init-url", "http://seed.example/vm1")
    with boot(*arguments, *vm.SMALL) as run:
        assert run.wait_exit() == 0
        assert "SERIAL=ds=nocloud-net;s=http://seed.example/vm1/" in run.text()
        assert "VM-LAUNCH-GUEST-DMI=ds=nocloud-net;s=http://seed.example/vm1/" in run.text()
