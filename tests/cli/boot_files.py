"""Files that `--ipxe-rom` may name, made by hand: as much of each as tells what it is."""

import struct


def option_rom(program, device=0x1041):
    """A PCI option ROM with one EFI image for x86-64 (PCI Firmware Specification 3.0, 5.1; UEFI 2.10, 14.4.2): a driver for
    the virtio NIC, not packed."""
    program_at, pcir_at, unit = 0x38, 0x1C, 512
    size = (program_at + len(program) + unit - 1) // unit * unit
    data = bytearray(size)
    struct.pack_into("<HHIHHH", data, 0, 0xAA55, size // unit, 0x0EF1, 0x0B, 0x8664, 0)
    struct.pack_into("<HH", data, 0x16, program_at, pcir_at)
    # Class 020000, a network controller; code type 3, EFI; the last image.
    struct.pack_into("<4sHHHHB3sHHBB", data, pcir_at, b"PCIR", 0x1AF4, device, 0, 0x1C, 3, b"\0\0\2", size // unit, 0, 3, 0x80)
    data[program_at : program_at + len(program)] = program
    return bytes(data)


# What iPXE's drivers show in plain text, and what only iPXE itself has (src/usr/autoboot.c).
DRIVER = b"MZ program iPXE\0virtio-net.efidrv\x001.21.1+git1\0Firmware driver\0"
WHOLE = DRIVER + b"No more network devices\nNothing to boot: %s"


def efi_program(text, machine=0x8664):
    """The head of an EFI application (PE/COFF: DOS header, PE header, PE32+ optional header), and a text."""
    pe = 0x80
    data = bytearray(512)
    data[:2] = b"MZ"
    struct.pack_into("<I", data, 0x3C, pe)
    struct.pack_into("<4sH", data, pe, b"PE\0\0", machine)
    struct.pack_into("<H", data, pe + 24, 0x20B)
    struct.pack_into("<H", data, pe + 24 + 68, 10)
    return bytes(data) + text
