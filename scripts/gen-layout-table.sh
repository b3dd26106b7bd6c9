#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the table that tests/conformance/layout.c checks. The build calls this.
set -eu

if [ $# -lt 4 ]; then
	echo "usage: $0 BPFTOOL GEN-LAYOUT.awk KERNEL.btf HEADER..." >&2
	exit 1
fi
bpftool=$1 awk=$2 btf=$3
shift 3
"$bpftool" btf dump file "$btf" | awk -f "$awk" "$@" -
