#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs what building and testing needs. Quick when nothing is missing. On
# Debian 12, libbpf, bpftool and the kernel's headers come from the backports
# suite of the mirror that this machine already uses.
#
# usage: setup.sh [--with-sources]	also fetch third-party sources (fetch.sh)
set -eu

here=$(dirname "$0")
with_sources=false
for arg; do
	case $arg in
	--with-sources) with_sources=true ;;
	*)
		echo "usage: $0 [--with-sources]" >&2
		exit 1
		;;
	esac
done

LIBBPF_MIN=1.4

# /usr/sbin is not in everybody's PATH, but bpftool is there.
PATH=$PATH:/usr/sbin:/sbin

have()
{
	for name; do
		command -v "$name" >/dev/null 2>&1 && return 0
	done
	return 1
}

# A library as pkg-config knows it: NAME [>= VERSION].
have_lib()
{
	have pkg-config && pkg-config --exists "$1"
}

have_static()
{
	have cc && [ -e "$(cc -print-file-name="lib$1.a")" ]
}

# The kernel's UAPI of 6.9 or later.
have_uapi()
{
	have cc && printf '#include <linux/bpf.h>\n' | cc -E -x c - 2>/dev/null |
		grep -q BPF_MAP_TYPE_ARENA
}

# Prints the Debian packages that are missing; those after "new:" must be recent.
missing()
{
	have cc && have_static ubsan || echo build-essential
	have pkg-config || echo pkg-config
	have meson || echo meson
	have ninja || echo ninja-build
	have clang-19 clang-20 clang-21 || echo clang-19
	have llvm-objcopy-19 llvm-objcopy-20 llvm-objcopy-21 || echo llvm-19
	have xz || echo xz-utils
	have pahole || echo pahole
	have gnuplot || echo gnuplot-nox
	have_lib libelf || echo libelf-dev
	have_lib zlib || echo zlib1g-dev
	have_lib json-c || echo libjson-c-dev
	have_lib cmocka || echo libcmocka-dev
	have_lib libmd || echo libmd-dev
	have_lib libxxhash || echo libxxhash-dev
	have_lib libzstd || echo libzstd-dev
	have_lib liblzma || echo liblzma-dev
	have_lib "libbpf >= $LIBBPF_MIN" && have_static bpf || echo new:libbpf-dev
	have_uapi || echo new:linux-libc-dev
	have bpftool || echo new:bpftool
}

die()
{
	echo "setup: $*" >&2
	exit 1
}

# Would apt install a libbpf that is new enough? $1: suite, empty for the default.
libbpf_candidate_ok()
{
	candidate=$(apt-cache ${1:+-t "$1"} policy libbpf-dev | sed -n 's/^ *Candidate: //p')
	[ -n "$candidate" ] && dpkg --compare-versions "${candidate#*:}" ge "$LIBBPF_MIN"
}

# Adds the backports suite of the mirror that the release itself comes from.
add_backports()
{
	codename=$1
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' | awk -v codename="$codename" '
		$2 == codename && $3 == "main" { print $1; exit }')
	[ -n "$mirror" ] || die "apt has no source of the release '$codename', of which the" \
		"backports suite is needed; add one, or install libbpf $LIBBPF_MIN or later by hand"
	echo "setup: adding $codename-backports to apt's sources"
	{
		echo "# libbpf and bpftool for vruntime; see scripts/setup.sh"
		echo "Types: deb"
		echo "URIs: $mirror"
		echo "Suites: $codename-backports"
		echo "Components: main"
		[ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
			echo "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
	} >/etc/apt/sources.list.d/vruntime-backports.sources
	apt-get -qq update
}

# Sets $suite: where recent packages come from, empty for the default.
find_suite()
{
	suite=
	libbpf_candidate_ok "" && return
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	suite=$codename-backports
	apt-cache policy | grep -q "n=$suite" || add_backports "$codename"
	libbpf_candidate_ok "$suite" ||
		die "neither this release nor $suite has libbpf $LIBBPF_MIN or later;" \
			"Debian 12 or later is needed, or install libbpf from its sources"
}

apt_install()
{
	apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends -y "$@" >/dev/null
}

install_packages()
{
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update || die "apt-get update failed; is there a network?"
	stable=$(printf '%s\n' "$@" | grep -v '^new:' || true)
	recent=$(printf '%s\n' "$@" | sed -n 's/^new://p')
	# In this order, so that only what must be recent is.
	[ -z "$stable" ] || apt_install $stable
	if [ -n "$recent" ]; then
		find_suite
		apt_install ${suite:+-t "$suite"} $recent
	fi
}

packages=$(missing)
if [ -n "$packages" ]; then
	echo "setup: missing:" $(printf '%s\n' "$packages" | sed 's/^new://')
	have apt-get || die "this system has no apt; install the equivalents of the packages above" \
		"(libbpf $LIBBPF_MIN or later with its static library, kernel headers 6.9 or later)"
	[ "$(id -u)" = 0 ] || die "run this as root to install them: sudo $0"
	install_packages $packages
	packages=$(missing)
	[ -z "$packages" ] || die "still missing after installation:" $packages
	echo "setup: done"
fi

if $with_sources; then
	"$here/fetch.sh"
	# the tests on real kernels; they say so when they cannot run
	have qemu-system-x86_64 || {
		echo "setup: installing qemu-system-x86"
		apt-get -qq install -y --no-install-recommends qemu-system-x86 >/dev/null
	}
fi
