#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the kernel's own schedulers, as build-linux-schedulers.sh compiled them.
# usage: demo-linux.sh [BUILD]
set -eu

cd "$(dirname "$0")/.."
build=${1:-build}

set -- "$build/vrt" run eevdf "$build/linux/scx_simple.bpf.o" "$build/linux/scx_qmap.bpf.o" \
	"$build/linux/scx_central.bpf.o" \
	--machine 2x8x2 --workload workloads/mixed.json --for 2s --seed 1
printf '\n$ %s\n' "$*"
exec "$@"
