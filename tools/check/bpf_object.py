# SPDX-License-Identifier: Apache-2.0
"""Reads as much of a BPF object (ELF64, little endian) as a look at its instructions needs.
Debian's clang-19 brings no llvm-objdump along."""

import struct
from dataclasses import dataclass

EXECUTABLE = 4  # SHF_EXECINSTR
SYMBOLS = 2     # SHT_SYMTAB
FUNCTION = 2    # STT_FUNC
LOAD_64 = 0x18  # BPF_LD | BPF_IMM | BPF_DW: the one instruction of two slots


@dataclass
class Section:
    name: str
    kind: int
    flags: int
    content: bytes
    link: int


@dataclass
class Instruction:
    section: str
    program: str
    index: int
    opcode: int
    imm: int


def _string(table, offset):
    return table[offset : table.index(b"\0", offset)].decode()


def _sections(elf):
    if elf[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not an ELF64 file of little endian")
    start, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQI", elf, start + i * size) for i in range(count)]
    offset, length = headers[names][4:6]
    table = elf[offset : offset + length]
    return [Section(_string(table, name), kind, flags, elf[at : at + bytes_], link)
            for name, kind, flags, _, at, bytes_, link in headers]


def _functions(sections):
    """{section index: [(offset, name)], in order}"""
    found = {}
    for section in sections:
        if section.kind != SYMBOLS:
            continue
        names = sections[section.link].content
        for name, info, _, index, value, _ in struct.iter_unpack("<IBBHQQ", section.content):
            if info & 15 == FUNCTION:
                found.setdefault(index, []).append((value, _string(names, name)))
    return {index: sorted(functions) for index, functions in found.items()}


def instructions(elf):
    """Every instruction of every program and function; `index` counts slots within its function."""
    sections = _sections(elf)
    functions = _functions(sections)
    for number, section in enumerate(sections):
        if not section.flags & EXECUTABLE:
            continue
        offset = 0
        while offset < len(section.content):
            opcode, _, _, imm = struct.unpack_from("<BBhi", section.content, offset)
            start, name = max((f for f in functions.get(number, []) if f[0] <= offset),
                              default=(0, "?"))
            yield Instruction(section.name, name, (offset - start) // 8, opcode, imm)
            offset += 16 if opcode == LOAD_64 else 8
