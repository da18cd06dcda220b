"""Boot media made by hand, as small as they can be: a disk and a CD whose boot code prints a marker on the serial port
and switches the machine off."""

import struct

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


def boot_sector(marker):
    code = BOOT_CODE.ljust(TEXT_OFFSET, b"\x90") + marker.encode() + b"\r\n\0"
    assert len(BOOT_CODE) <= TEXT_OFFSET and len(code) <= 510
    return code.ljust(510, b"\0") + b"\x55\xaa"


def write_disk(path, marker):
    """A raw disk of 1 MiB whose boot sector prints the marker."""
    path.write_bytes(boot_sector(marker).ljust(1 << 20, b"\0"))
    return path


def validation_entry():
    """El Torito's first entry: the sum of its 16-bit words is 0."""
    entry = bytearray(struct.pack("<BBH24sHBB", 1, 0, 0, b"vm-launch tests", 0, 0x55, 0xAA))
    total = sum(struct.unpack("<16H", entry))
    struct.pack_into("<H", entry, 28, -total & 0xFFFF)
    return bytes(entry)


def write_cd(path, marker):
    """A CD image that has just what El Torito needs: volume descriptors in sectors 16 to 18, the boot catalogue in 19,
    and in 20 the boot image, which is loaded without emulating a floppy."""
    catalogue, image = 19, 20
    primary = b"\x01CD001\x01".ljust(CD_SECTOR, b"\0")
    boot_record = b"\x00CD001\x01" + b"EL TORITO SPECIFICATION".ljust(64, b"\0") + struct.pack("<I", catalogue)
    terminator = b"\xffCD001\x01"
    initial_entry = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, CD_SECTOR // SECTOR, image)
    sectors = [primary, boot_record, terminator, validation_entry() + initial_entry, boot_sector(marker)]
    padded = b"".join(sector.ljust(CD_SECTOR, b"\0") for sector in sectors)
    path.write_bytes(bytes(16 * CD_SECTOR) + padded + bytes(150 * CD_SECTOR))
    return path
