#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows what vruntime does: two schedulers that ship with it against what Linux
# runs, on simulated machines. usage: demo.sh [BUILD]
set -eu

cd "$(dirname "$0")/.."
vrt=${1:-build}/vrt

say()
{
	printf '\n%s\n' "$*" | fold -s -w 79
}

# Prints a command as one would type it, and runs it.
show()
{
	printf '\n$ %s\n' "$*"
	"$@"
}

say "1. FIFO is not fair. Tasks that compute 1 ms and sleep (bursty) share four" \
	"CPUs with tasks that never stop (hog). Look at how long a bursty task waits" \
	"after it wakes up: under fifo it stands behind hogs that use their whole" \
	"slices of 20 ms. vtime lets whoever has had the least go first, but does not" \
	"preempt: the wait is for the slices that run. eevdf preempts."
show "$vrt" run eevdf schedulers/fifo.bpf.c schedulers/vtime.bpf.c \
	--machine 4 --workload workloads/unfair.json --for 2s --seed 1

say "2. The same three on a machine of 32 CPUs, with a mix of audio, web and frame" \
	"rendering tasks beside batch jobs that would like all of it."
show "$vrt" run eevdf schedulers/fifo.bpf.c schedulers/vtime.bpf.c \
	--machine 2x8x2 --workload workloads/mixed.json --for 2s --seed 1
