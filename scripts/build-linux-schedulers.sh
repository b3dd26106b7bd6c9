#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Compiles the kernel's own sched_ext schedulers and selftests, unmodified,
# against the vmlinux.h of a build: third_party/linux/tools/sched_ext/*.bpf.c
# into BUILD/linux, the selftests into BUILD/linux/selftests.
#
# usage: build-linux-schedulers.sh [--skip-if-missing] BUILD
#	--skip-if-missing	exit with 77 when fetch.sh has not been run
set -eu

missing=1
if [ "${1:-}" = --skip-if-missing ]; then
	missing=77
	shift
fi
if [ $# -ne 1 ] || [ ! -e "$1/include/vmlinux.h" ]; then
	echo "usage: $0 [--skip-if-missing] BUILD (a build directory that has been built)" >&2
	exit 1
fi
build=$(realpath "$1")
cd "$(dirname "$0")/.."
if [ ! -e third_party/linux/.complete-2 ]; then
	echo "the kernel's schedulers are not there; scripts/fetch.sh fetches them" >&2
	exit $missing
fi

clang=${CLANG:-clang-19}
multiarch=$(${CC:-cc} -print-multiarch)
tools=third_party/linux/tools/sched_ext
selftests=third_party/linux/tools/testing/selftests/sched_ext

# compile SOURCE OBJECT, unless the object is newer than the vmlinux.h
compile()
{
	[ -z "$(find "$2" -newer "$build/include/vmlinux.h" 2>/dev/null)" ] || return 0
	"$clang" --target=bpf -mcpu=v3 -g -O2 -D__TARGET_ARCH_x86 -Wall -Werror \
		-Wno-compare-distinct-pointer-types -I"$build/include" -I$tools/include \
		-I$tools/include/bpf-compat -idirafter "/usr/include/$multiarch" \
		-c -o "$2.$$" "$1"
	mv "$2.$$" "$2"
}

mkdir -p "$build/linux/selftests"
count=0
for source in $tools/*.bpf.c; do
	compile "$source" "$build/linux/$(basename "$source" .c).o"
	count=$((count + 1))
done
for source in $selftests/*.bpf.c; do
	compile "$source" "$build/linux/selftests/$(basename "$source" .c).o"
	count=$((count + 1))
done
echo "$count objects in $build/linux"
