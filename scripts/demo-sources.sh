#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One short demonstration for each of the five documents that vruntime
# implements; docs/sources.md has all of their points. usage: demo-sources.sh [BUILD]
set -eu

cd "$(dirname "$0")/.."
vrt=${1:-build}/vrt

title()
{
	printf '\n== %s\n' "$1"
}

say()
{
	printf '\n%s\n' "$*" | fold -s -w 79
}

# Prints a command as one would type it, runs it, and prints those of its lines
# that sed finds: $1 is an address.
show()
{
	lines=$1
	shift
	printf '\n'
	{
		printf '$ vrt'
		for arg; do
			case $arg in
			*' '*) printf " '%s'" "$arg" ;;
			*) printf ' %s' "$arg" ;;
			esac
		done
		printf '\n'
	} | fold -s -w 79
	"$vrt" "$@" 2>&1 | sed -nE "${lines}p"
}

# of a comparison: who, each group of tasks, and the most telling rows
short='/^ {24}|^(bursty|hog)$|wakeup latency|share of CPU|^ghOSt|^  (messages|tasks latched)/'

title "ghOSt: a scheduling class for agents, scheduled in BPF alone"
say "Biff, as two functions on the slides and in full, beside the same policy on" \
	"sched_ext and Linux's own scheduler."
show "$short" run biff biff_min fifo eevdf --machine 4 --workload workloads/unfair.json --for 1s -q
say "Do no harm: the agent dies after half a second. All tasks go on under the" \
	"fair class; the run says so and why."
show '/^biff|^    after/' run biff --machine 4 --workload workloads/unfair.json --for 1s -q \
	--at 500ms:kill-agent

title "SchedBPF: periodic BPF programs on kernel threads"
say "A program expires the stale entries of a hash map every 10 ms, on a thread of" \
	"its own that the fair class schedules, or, with a sched_ext scheduler, that one." \
	"Under fifo it stands in the queue with everybody else, and misses its periods."
show '/^ {24}|^bursty|^periodic|^  (runs|missed|wakeup.*p50|share of a CPU)/' run eevdf fifo --with periodic_map_gc \
	--machine 4 --workload workloads/unfair.json --for 1s -q
say "A program that wants half a CPU, in a cgroup that may have a tenth of one."
show '/^(cgroup|periodic)/,/^$/' run eevdf --machine 4 --workload workloads/unfair.json \
	--for 1s -q --cgroup /gc,max=10ms/100ms --with tests/e2e/good/burns.bpf.c

say "The load balancer of a sched_ext scheduler as a periodic program; beside it the same" \
	"scheduler whose balancer only looks."
show '/^ {24}|^query|^machine$|utilization|migrations|request.*p50|imbalance|wasted/' run periodic_balance \
	periodic_balance,fetch=0 --machine 8 --workload workloads/uneven.json --print .bss -q
say "What Linux has kernel threads for, over simulated memory: pages that are the same" \
	"are merged, and what was in use is found by looking at a few."
show '/^periodic|share of a CPU  |memory: [0-9]+ MiB|merged:/' run eevdf --with periodic_ksm --machine 4 \
	--workload workloads/same-pages.json --for 1900ms -q
show '/after|accesses = (1[0-9]|20),/' run eevdf --with periodic_damon --machine 2 \
	--workload workloads/hot-pages.json --for 1s --watch regions=490ms -q

title "Polymorphic kfuncs: one name, the implementation by who calls"
show '/^[a-z_]+ \(ops|source|scx_/' verify --kfuncs schedulers/hello/fifo.bpf.c
say "A call from where it makes no sense is refused when the program is loaded."
show '/^running_dispatches: /,/^$/' verify tests/e2e/bad/contexts.bpf.c --kernel 6.12

title "hello-ebpf: tracing, and first schedulers"
say "HelloWorld prints every file that somebody opens; here on the simulated kernel," \
	"with --on host in this one."
show '1,5' trace hello/helloworld --for 500ms
say "BCC's classic: count by call site, print the map every so often."
show '/after 1/,/exit/' run eevdf --with hello/callers --watch callers=500ms --machine 4 \
	--workload 'hackbench -g 1 -l 20' --for 1s -q
say "The two schedulers of the talk: under FIFO each of twenty Bs gets more than 20" \
	"times what A gets, weighted by virtual time nearly the same."
show '/^ {24}|^[AB]$|share of CPU/' run hello/fifo hello/weighted --machine 1 \
	--workload workloads/slides-weighted.json --for 4s -q

title "LSF/MM/BPF: sched_ext, safe hot swap; a real kernel beside the simulated one"
say "One scheduler replaces another while the machine runs; for a moment everybody is" \
	"under the fair class."
show '/^fifo|^    after/' run fifo --machine 4 --workload workloads/unfair.json --for 1s -q \
	--at 500ms:swap=vtime
say "With 'vrt vm fetch' and QEMU, '--on sim,vm' runs the same on a real kernel, too."
echo
