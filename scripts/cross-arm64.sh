#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds for arm64 on another Debian machine, and runs the unit tests and the vectors of
# the instruction set under qemu: programs are interpreted there.
#
# usage: scripts/cross-arm64.sh [DIR [TEST...]]	(default: build-arm64)
#
# Needs gcc-aarch64-linux-gnu. Libraries, and qemu if there is none, are fetched by apt
# into DIR/sysroot with a package database of their own: the host's packages stay
# as they are, and root is not needed.
set -eu

cd "$(dirname "$0")/.."
dir=$(realpath -m "${1:-build-arm64}")
[ $# -eq 0 ] || shift
sysroot=$dir/sysroot
build=$dir/build
packages="libc6-dev libelf-dev zlib1g-dev libzstd-dev liblzma-dev libjson-c-dev libcmocka-dev libmd-dev libxxhash-dev"
# what must be recent, from where scripts/setup.sh has it from
recent="libbpf-dev libbpf1 linux-libc-dev"

if ! command -v aarch64-linux-gnu-gcc > /dev/null; then
	echo "cross-arm64: no aarch64-linux-gnu-gcc; install gcc-aarch64-linux-gnu" >&2
	exit 2
fi

# apt-get with its own lists, cache and status
private_apt() {
	apt-get -qq -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" \
		-o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
		-o APT::Architectures::="$(dpkg --print-architecture)" \
		-o APT::Install-Recommends=false -o Debug::NoLocking=1 "$@"
}

fetch() {
	apt=$dir/apt
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$sysroot"
	touch "$apt/status"
	private_apt update
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME-backports")
	if apt-cache policy | grep -q "n=$suite"; then
		recent=$(printf "%s/$suite " $recent)
	fi
	# shellcheck disable=SC2086
	private_apt install --download-only --yes $packages $recent > /dev/null
	if ! command -v qemu-aarch64-static > /dev/null; then
		(cd "$apt/archives" &&
		 private_apt download "qemu-user-static:$(dpkg --print-architecture)")
	fi
	for deb in "$apt"/archives/*.deb; do
		dpkg-deb -x "$deb" "$sysroot"
	done
	# absolute links lead out of the sysroot
	find "$sysroot" -type l -lname '/*' | while read -r link; do
		ln -sfn "$sysroot$(readlink "$link")" "$link"
	done
	touch "$dir/fetched"
}

write_cross_file() {
	qemu=$(command -v qemu-aarch64-static || echo "$sysroot/usr/bin/qemu-aarch64-static")
	cat > "$dir/cross.ini" <<-END
	[constants]
	sysroot = ['--sysroot=$sysroot']
	include = '$sysroot/usr/include'

	[binaries]
	c = 'aarch64-linux-gnu-gcc'
	ar = 'aarch64-linux-gnu-ar'
	strip = 'aarch64-linux-gnu-strip'
	pkgconfig = 'pkg-config'
	exe_wrapper = ['$qemu', '-L', '$sysroot']

	[built-in options]
	# before those that come with the compiler
	c_args = sysroot + ['-isystem', include / 'aarch64-linux-gnu', '-isystem', include]
	c_link_args = sysroot

	[properties]
	sys_root = '$sysroot'
	pkg_config_libdir = '$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig'

	[host_machine]
	system = 'linux'
	cpu_family = 'aarch64'
	cpu = 'aarch64'
	endian = 'little'
	END
}

mkdir -p "$dir"
[ -e "$dir/fetched" ] || fetch
write_cross_file
[ -e "$build/build.ninja" ] || meson setup "$build" --cross-file "$dir/cross.ini"
ninja -C "$build"
if [ $# -gt 0 ]; then
	meson test -C "$build" --no-rebuild "$@"
else
	meson test -C "$build" --no-rebuild --suite unit --suite bpf -t 10
fi
