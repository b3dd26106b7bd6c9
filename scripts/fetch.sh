#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches third-party sources that tests and demos use into third_party/, from
# Debian's packages: the kernel's sched_ext schedulers, its selftests of sched_ext
# and of the BPF verifier, and rt-app's example workloads. Does nothing for what is there already.
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
LINUX=linux-source-6.12

# .complete: of what this script takes; another name when that changes
if [ -e third_party/linux/.complete-2 ] && [ -e third_party/rt-app/.complete ]; then
	exit 0
fi

die()
{
	echo "fetch: $*" >&2
	exit 1
}

command -v apt-get >/dev/null ||
	die "this system has no apt; put tools/sched_ext, tools/include and tools/testing/selftests" \
		"of a Linux 6.12 source into third_party/linux with an empty file .complete-2, and" \
		"rt-app's doc/examples into third_party/rt-app with an empty file .complete"

mkdir -p third_party
tmp=$(mktemp -d "$PWD/third_party/.fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# The files of package $1 into $tmp/$1.
unpack()
{
	echo "fetch: $1"
	(cd "$tmp" && apt-get -qq download "$1" 2>/dev/null) ||
		(cd "$tmp" && apt-get -qq update && apt-get -qq download "$1" 2>/dev/null) ||
		die "apt cannot download $1; its release must have the package (Debian 12 or later)"
	dpkg -x "$tmp/$1"_*.deb "$tmp/$1"
}

if [ ! -e third_party/linux/.complete-2 ]; then
	unpack $LINUX
	rm -rf third_party/linux
	mkdir "$tmp/linux"
	tar -xf "$tmp/$LINUX/usr/src/$LINUX.tar.xz" -C "$tmp/linux" --strip-components=1 \
		$LINUX/tools/sched_ext $LINUX/tools/testing/selftests/sched_ext \
		$LINUX/tools/testing/selftests/bpf $LINUX/tools/include $LINUX/COPYING
	touch "$tmp/linux/.complete-2"
	mv "$tmp/linux" third_party/linux
fi

if [ ! -e third_party/rt-app/.complete ]; then
	unpack rt-app
	rm -rf third_party/rt-app
	mkdir "$tmp/examples"
	cp -r "$tmp"/rt-app/usr/share/doc/rt-app/. "$tmp/examples"
	find "$tmp/examples" -name '*.gz' -exec gunzip {} +
	touch "$tmp/examples/.complete"
	mv "$tmp/examples" third_party/rt-app
fi
