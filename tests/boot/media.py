"""Boot media made by hand, as small as they can be: disks and CDs whose boot code prints a marker on the console and
then switches the machine off, or lets the firmware try the next device."""

import pathlib
import shutil
import struct
import subprocess
import tempfile

SECTOR = 512
CD_SECTOR = 2048

# 16-bit code that runs wherever it was loaded: prints the text behind it on the first serial port, then asks for ACPI
# state S5 at q35's power management port, then halts.
BOOT_CODE = bytes.fromhex(
    "fa"  # cli
    "fc"  # cld
    "0e1f"  # push cs; pop ds
    "e8 0000"  # call the next instruction
    "5e"  # pop si: where this instruction is
    "83c6 28"  # add si, 40: the text
    "ac"  # next: lodsb
    "84c0"  # test al, al
    "7411"  # jz done
    "88c3"  # mov bl, al
    "bafd03"  # wait: mov dx, 0x3fd (line status)
    "ec"  # in al, dx
    "a820"  # test al, 0x20 (may send)
    "74f8"  # jz wait
    "b2f8"  # mov dl, 0xf8 (data)
    "88d8"  # mov al, bl
    "ee"  # out dx, al
    "ebea"  # jmp next
    "ba0406"  # done: mov dx, 0x604 (PM1a control)
    "b80020"  # mov ax, 0x2000 (sleep enable, S5)
    "ef"  # out dx, ax
    "f4"  # halt: hlt
    "ebfd"  # jmp halt
)
TEXT_OFFSET = 7 + 40  # where `pop si` is, and what is added there
POWER_OFF = bytes.fromhex("ba0406")  # the first instruction behind the text's end
NEXT_DEVICE = bytes.fromhex("cd18")  # int 0x18: the boot failed (BIOS Boot Specification, 6.7)


def boot_sector(marker, then_next=False):
    begin = BOOT_CODE[: BOOT_CODE.index(POWER_OFF)] + NEXT_DEVICE if then_next else BOOT_CODE
    code = begin.ljust(TEXT_OFFSET, b"\x90") + marker.encode() + b"\r\n\0"
    assert len(begin) <= TEXT_OFFSET and len(code) <= 510
    return code.ljust(510, b"\0") + b"\x55\xaa"


def write_disk(path, marker, then_next=False):
    """A raw disk of 1 MiB whose boot sector prints the marker."""
    path.write_bytes(boot_sector(marker, then_next).ljust(1 << 20, b"\0"))
    return path


# -- UEFI

# Prints the text behind it with the console's OutputString; then, where the byte before the text is 0, asks for
# ResetSystem(EfiResetShutdown), else returns EFI_NOT_FOUND (UEFI 2.10, 4.3, 8.5.1, 12.4).
EFI_CODE = {
    "x64": bytes.fromhex(
        "534883ec204889d3488b4a40488d1535000000ff5108803d26000000007514488b4358b90200000031d24531c04531c9ff5068"
        "48b80e000000000000804883c4205bc3000f1f4000"
    ),
    "aa64": bytes.fromhex(
        "f37bbfa9f30301aa202040f961020010020440f940003fd6c1010010210040b901010035642e40f9400080d2010080d2020080d2"
        "030080d2843440f980003fd6c00180d20000f0f2f37bc1a8c0035fd6000000001f2003d5"
    ),
}
EFI_NEXT_FLAG = {"x64": 0x43, "aa64": 0x50}  # where that byte is
EFI_MACHINE = {"x64": 0x8664, "aa64": 0xAA64}
EFI_DEFAULT_NAME = {"x64": "BOOTX64.EFI", "aa64": "BOOTAA64.EFI"}  # UEFI 2.10, 3.5.1.1


def efi_program(marker, arch="x64", then_next=False):
    """A PE32+ image with one section, which runs wherever it is loaded."""
    code = bytearray(EFI_CODE[arch])
    code[EFI_NEXT_FLAG[arch]] = then_next
    code += (marker + "\r\n\0").encode("utf-16-le")
    headers, align = 0x200, 0x200
    raw = bytes(code).ljust(-(-len(code) // align) * align, b"\0")
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", EFI_MACHINE[arch], 1, 0, 0, 0, 0xF0, 0x22)
    optional = struct.pack("<HBBIIIII", 0x20B, 0, 0, len(raw), 0, 0, 0x1000, 0x1000)
    optional += struct.pack("<QIIHHHHHHI", 0, 0x1000, align, 0, 0, 0, 0, 0, 0, 0)
    optional += struct.pack("<IIIHHQQQQII", 0x2000, headers, 0, 10, 0, 0, 0, 0, 0, 0, 16) + bytes(16 * 8)
    section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", len(code), 0x1000, len(raw), headers, 0, 0, 0, 0, 0x60000020)
    return (dos + coff + optional + section).ljust(headers, b"\0") + raw


def directory_entry(name, cluster, size=0):
    stem, _, extension = name.partition(".")
    attributes = 0x20 if size else 0x10
    short = stem.ljust(8).encode() + extension.ljust(3).encode()
    return short + struct.pack("<B14sHI", attributes, b"", cluster, size)


def fat_image(files, sectors=2048):
    """A FAT12 file system without partitions that holds /EFI/BOOT and the files in it, one sector a cluster."""
    fat_sectors, root_entries = 6, 16
    first_data = 1 + fat_sectors + root_entries * 32 // SECTOR
    bpb = b"\xeb\x3c\x90MSDOS5.0" + struct.pack("<HBHBHHBHHHII", SECTOR, 1, 1, 1, root_entries, sectors, 0xF8,
                                                 fat_sectors, 32, 2, 0, 0)  # fmt: skip
    bpb += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x12345678, b"VM-LAUNCH  ", b"FAT12   ")
    chains, clusters = {0: 0xFF8, 1: 0xFFF, 2: 0xFFF, 3: 0xFFF}, [b"", b""]
    entries = []
    for name, content in files.items():
        first = 2 + len(clusters)
        count = -(-len(content) // SECTOR)
        clusters += [content[i * SECTOR : (i + 1) * SECTOR] for i in range(count)]
        chains.update({first + i: first + i + 1 if i + 1 < count else 0xFFF for i in range(count)})
        entries.append(directory_entry(name, first, len(content)))
    dots = [directory_entry(".", 3), directory_entry("..", 2)]
    clusters[0] = directory_entry(".", 2) + directory_entry("..", 0) + directory_entry("BOOT", 3)
    clusters[1] = b"".join(dots + entries)
    numbers = [chains.get(i, 0) for i in range(2 * ((max(chains) + 2) // 2))]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    fat = b"".join(struct.pack("<I", low | high << 12)[:3] for low, high in pairs)
    parts = [(0, bpb.ljust(510, b"\0") + b"\x55\xaa"), (1, fat)]
    parts += [(1 + fat_sectors, directory_entry("EFI", 2))]
    parts += [(first_data + i, data) for i, data in enumerate(clusters)]
    image = bytearray(sectors * SECTOR)
    for sector, data in parts:
        image[sector * SECTOR : sector * SECTOR + len(data)] = data
    return bytes(image)


def efi_volume(marker, arch="x64", then_next=False):
    return fat_image({EFI_DEFAULT_NAME[arch]: efi_program(marker, arch, then_next)})


def write_efi_disk(path, marker, arch="x64", then_next=False):
    path.write_bytes(efi_volume(marker, arch, then_next))
    return path


# -- CDs


def validation_entry(platform):
    """El Torito's first entry, for a PC's BIOS (0) or UEFI (0xEF): the sum of its 16-bit words is 0."""
    entry = bytearray(struct.pack("<BBH24sHBB", 1, platform, 0, b"vm-launch tests", 0, 0x55, 0xAA))
    total = sum(struct.unpack("<16H", entry))
    struct.pack_into("<H", entry, 28, -total & 0xFFFF)
    return bytes(entry)


def cd_image(entry, boot_image):
    """Just what El Torito needs: volume descriptors in sectors 16 to 18, the boot catalogue in 19, and from 20 on the
    boot image."""
    catalogue = 19
    primary = b"\x01CD001\x01".ljust(CD_SECTOR, b"\0")
    boot_record = b"\x00CD001\x01" + b"EL TORITO SPECIFICATION".ljust(64, b"\0") + struct.pack("<I", catalogue)
    terminator = b"\xffCD001\x01"
    sectors = [primary, boot_record, terminator, entry, boot_image]
    padded = b"".join(sector.ljust(CD_SECTOR, b"\0") for sector in sectors)
    return bytes(16 * CD_SECTOR) + padded + bytes(150 * CD_SECTOR)


def initial_entry(sectors):
    """The boot image is loaded without emulating a floppy; its length counts in sectors of 512 bytes."""
    return struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, sectors, 20)


def write_cd(path, marker, then_next=False):
    entry = validation_entry(0) + initial_entry(CD_SECTOR // SECTOR)
    path.write_bytes(cd_image(entry, boot_sector(marker, then_next)))
    return path


def write_efi_cd(path, marker, arch="x64", then_next=False):
    """The boot image is a FAT volume (UEFI 2.10, 13.3.2.1)."""
    volume = efi_volume(marker, arch, then_next)
    path.write_bytes(cd_image(validation_entry(0xEF) + initial_entry(len(volume) // SECTOR), volume))
    return path


GRUB_CD = """serial --unit=0 --speed=115200
terminal_output serial console
linux /vmlinuz {words}
initrd /initrd.gz
boot
"""


def write_linux_cd(path, netboot, payloads, words):
    """A CD that boots the test guest by GRUB, on BIOS and on UEFI. `payloads` has GRUB's images (scripts/assets --payloads)."""
    with tempfile.TemporaryDirectory(prefix="vml-cd-") as root:
        tree = pathlib.Path(root)
        (tree / "grub").mkdir()
        for source in (netboot / "vmlinuz", netboot / "initrd.gz", payloads / "grub-cd.img"):
            shutil.copy(source, tree)
        (tree / "efi.img").write_bytes(fat_image({EFI_DEFAULT_NAME["x64"]: (payloads / "grub-cd.efi").read_bytes()}))
        (tree / "grub/grub.cfg").write_text(GRUB_CD.format(words=words))
        bios = ("-b", "grub-cd.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table")
        efi = ("-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot")
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", path, *bios, *efi, root]
        subprocess.run(command, check=True, capture_output=True)
    return path


# -- archives

# A RAM disk to be unpacked over the test guest's: its init says so, and runs only where the first one, which has busybox,
# was unpacked too.
SECOND_RAM_DISK = "SECOND-RAM-DISK"


def second_ram_disk():
    words = f"#!/bin/busybox sh\n/bin/busybox echo {SECOND_RAM_DISK}\n/bin/busybox poweroff -f\n"
    return cpio([("init", 0o100755, words.encode())])


def cpio(files):
    """An archive in the kernel's format (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    archive = b""
    for name, mode, content in [*files, ("TRAILER!!!", 0, b"")]:
        fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        for part in (header, content):
            archive += part + bytes(-len(part) % 4)
    return archive
