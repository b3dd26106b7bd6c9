#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Inputs of fuzz_load (load_input.h) from compiled objects: one of each section with
instructions, with the object's BTF, function and line information, and no relocation
applied. Those of generated programs come from 'fuzz_verifier --corpus'. What is committed
in corpus/ is the minimum of both: 'fuzz_load -merge=1 corpus DIR'.

usage: make_corpus.py OUTDIR OBJECT..."""
import os
import struct
import sys

TYPES = [("struct_ops", 27), ("syscall", 31), ("tc", 3), ("socket", 1), ("tp_btf", 26),
         ("fentry", 26), ("raw_tp", 17), ("xdp", 6), ("kprobe", 2)]
GPL, BTF, FD_ARRAY = 1, 2, 4


def sections(elf):
    shoff, = struct.unpack_from("<Q", elf, 0x28)
    size, nr, names = struct.unpack_from("<HHH", elf, 0x3a)
    heads = [struct.unpack_from("<IIQQQQIIQQ", elf, shoff + i * size) for i in range(nr)]
    base = heads[names][4]
    for name, kind, flags, _, off, length, *_ in heads:
        end = elf.index(b"\0", base + name)
        yield elf[base + name:end].decode(), kind, flags, elf[off:off + length]


def infos(ext, at, btf_name):
    """The records of each section, and the size of one."""
    off, length = struct.unpack_from("<II", ext, at)
    pos = struct.unpack_from("<I", ext, 4)[0] + off
    end, found = pos + length, {}
    size, = struct.unpack_from("<I", ext, pos)
    pos += 4
    while pos < end:
        name, nr = struct.unpack_from("<II", ext, pos)
        found[btf_name(name)] = ext[pos + 8:pos + 8 + nr * size]
        pos += 8 + nr * size
    return found, size


def in_insns(records, size):
    """Instructions are counted in bytes there, and here by number."""
    out = b""
    for i in range(0, min(len(records), 255 * size), size):
        off, = struct.unpack_from("<I", records, i)
        out += struct.pack("<I", off // 8) + records[i + 4:i + size]
    return out


def inputs(elf):
    found = {name: data for name, _, _, data in sections(elf)}
    btf, ext = found[".BTF"], found[".BTF.ext"]
    head, = struct.unpack_from("<I", btf, 4)
    type_off, type_len, str_off, str_len = struct.unpack_from("<IIII", btf, 8)
    types = btf[head + type_off:head + type_off + type_len]
    strings = btf[head + str_off:head + str_off + str_len]

    def btf_name(off):
        return strings[off:strings.index(b"\0", off)].decode()

    funcs, func_size = infos(ext, 8, btf_name)
    lines, line_size = infos(ext, 16, btf_name)
    for name, kind, flags, insns in sections(elf):
        if kind != 1 or not flags & 4 or not insns or len(types) + len(strings) > 0xffff:
            continue
        prog_type = next((t for prefix, t in TYPES if name.lstrip("?").startswith(prefix)), 3)
        func = in_insns(funcs.get(name, b""), func_size)
        line = in_insns(lines.get(name, b""), line_size)
        yield name, struct.pack("<BBBBHHHHBBBB", prog_type, 0, 0, GPL | BTF | FD_ARRAY,
                                len(insns) // 8, len(types), len(strings), 0,
                                len(func) // func_size, func_size, len(line) // line_size,
                                line_size) + insns + func + line + types + strings


def main():
    out, objects = sys.argv[1], sys.argv[2:]
    for path in objects:
        with open(path, "rb") as f:
            elf = f.read()
        for name, data in inputs(elf):
            stem = os.path.basename(path).split(".")[0] + "-" + name.strip("?.").replace("/", "-")
            with open(os.path.join(out, stem), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main()
