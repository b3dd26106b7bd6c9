#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows what vruntime does: two schedulers that ship with it against what Linux
# runs, on a simulated machine of 32 CPUs. usage: demo.sh [BUILD]
set -eu

cd "$(dirname "$0")/.."
vrt=${1:-build}/vrt

# Prints a command as one would type it, and runs it.
show()
{
	printf '\n$ %s\n' "$*"
	"$@"
}

show "$vrt" run eevdf schedulers/fifo.bpf.c schedulers/vtime.bpf.c \
	--machine 2x8x2 --workload workloads/mixed.json --for 2s --seed 1
show "$vrt" run eevdf schedulers/fifo.bpf.c schedulers/vtime.bpf.c \
	--machine 2x8x2 --workload workloads/unfair.json --for 2s --seed 1
