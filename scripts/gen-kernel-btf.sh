#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the raw BTF of the simulated kernel, and the assembler file that puts
# it into the runtime (see src/bpf/kernel_btf.h). The build calls this.
set -eu

if [ $# -lt 9 ] || [ "$9" != -- ]; then
	echo "usage: $0 CLANG BPFTOOL OBJCOPY ANCHOR.bpf.c PUBLISH.awk OUT.btf OUT.S OUT.d -- CFLAGS..." >&2
	exit 1
fi
clang=$1 bpftool=$2 objcopy=$3 anchor=$4 publish=$5 btf=$6 asm=$7 depfile=$8
shift 9

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$clang" "$@" -E -MD -MF "$depfile" -MT "$btf" -o "$tmp/anchor.i" "$anchor"
awk -f "$publish" "$tmp/anchor.i" >"$tmp/published.i"
"$clang" "$@" -Wall -Wextra -Werror -Wno-unused-parameter -Wno-unused-command-line-argument \
	-Wno-gnu-variable-sized-type-not-at-end -x cpp-output -c -o "$tmp/anchor.o" \
	"$tmp/published.i"

# Linking gives the sections of variables their sizes.
"$bpftool" gen object "$tmp/linked.o" "$tmp/anchor.o"
"$objcopy" -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$tmp/linked.o" "$btf"

cat >"$asm" <<END
	.section .rodata
	.balign 8
	.globl vrt_kernel_btf
	.globl vrt_kernel_btf_end
vrt_kernel_btf:
	.incbin "$(realpath "$btf")"
vrt_kernel_btf_end:
	.section .note.GNU-stack, "", %progbits
END
