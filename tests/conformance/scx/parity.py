#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rules of sched_ext, on the simulated machine and on a real kernel.

Runs the programs of this directory on both, a boot for all but hotplug, and compares what
they saw: the facts in their maps (parity.bpf.h), and how they ended. A row that
differs needs a reason in differences.txt. The table is docs/parity.md:

    parity.py             compare, and check the table
    parity.py sim         the simulated machine alone, against the table
    parity.py write       the same as without, and write the table anew

Environment: VRT, VRT_SOURCE, VRT_BUILD as of the end-to-end tests (tests/e2e/vrt.py).
"""

import json
import os
import re
import shutil
import subprocess
import sys

VRT = os.environ["VRT"]
SOURCE = os.environ["VRT_SOURCE"]
BUILD = os.environ["VRT_BUILD"]
HERE = os.path.join(SOURCE, "tests", "conformance", "scx")
TABLE = os.path.join(SOURCE, "docs", "parity.md")
SKIP = 77  # Meson's exit status for a test that could not run

KERNEL = "7.0"
SEEDS = (1, 2, 3)  # facts do not depend on time, so they do not on chance
TIME, MORE_TIME = "500ms", "3s"
COMMON = ("-m", "2", "-w", os.path.join(HERE, "tasks.json"), "--kernel", KERNEL,
          "--print", "facts", "--bundle", "none", "--json", "-q")

# The program with its settings, and the rule.
RULES = (
    ("wakeup", "a wakeup: `select_cpu`, `runnable`, `enqueue`, `running`; no `select_cpu` of a "
               "task that may run on one CPU alone"),
    ("leaving", "a task that goes to sleep: `stopping`, `quiescent`"),
    ("direct", "dispatched by `select_cpu`: `enqueue` is skipped"),
    ("local_on", "`SCX_DSQ_LOCAL_ON`: the task runs on that CPU"),
    ("local_on,forbidden=1", "`SCX_DSQ_LOCAL_ON` and a CPU that is not allowed"),
    ("order,how=0", "a queue by virtual time"),
    ("order,how=1", "a queue without: first in, first out"),
    ("order,how=2", "`SCX_ENQ_HEAD`: before all others"),
    ("pick", "the pick: who runs and has slice left, the local queue, the global one, "
             "`dispatch`"),
    ("last", "the slice is over and there is no other task: it goes on"),
    ("enq_last", "the same with `SCX_OPS_ENQ_LAST`: `enqueue` with `SCX_ENQ_LAST`"),
    ("tick", "the end of a slice is noticed at a tick"),
    ("preempted", "preempted by a higher class: first in the local queue, without `enqueue`"),
    ("kick", "a kick without flags takes no CPU away"),
    ("kick,preempt=1", "`SCX_KICK_PREEMPT` ends the slice"),
    ("kick_wait", "`SCX_KICK_WAIT` waits until the other CPU has picked"),
    ("kick_wait,wait=0", "without it, the CPU that kicks goes on"),
    ("partial", "`SCX_OPS_SWITCH_PARTIAL`: tasks of policy `SCHED_EXT` alone"),
    ("counts", "`init`, `init_task`, `enable`, `disable`, `exit_task`, `exit`: each once, in "
               "this order"),
    ("init_fails", "`init` fails: attached, then thrown out"),
    ("init_fails,at_task=1", "`init_task` fails: attached, then thrown out"),
    ("errors,mistake=0", "dispatched twice"),
    ("errors,mistake=1", "a DSQ that there is not"),
    ("errors,mistake=2", "virtual time in a built-in DSQ"),
    ("errors,mistake=3", "`select_cpu` gives a CPU that there is not"),
    ("errors,mistake=4", "enqueue flags of the kernel's own"),
    ("errors,mistake=5", "`scx_bpf_error()`"),
    ("errors,mistake=6", "moving from a DSQ that there is not"),
    ("errors,mistake=7", "kicking a CPU that there is not"),
    ("errors,mistake=8", "the flags that `enqueue` gets at a wakeup"),
    ("errors,mistake=9", "the flags that `enqueue` gets at a fork"),
    ("errors,mistake=10", "the flags that `quiescent` gets when a task goes to sleep"),
    ("stall", "the watchdog: a task that is in no queue"),
)


# These run apart from the others, on a boot of their own: CPU 1 goes and comes back.
HOTPLUG_RULES = (
    ("hotplug", "a CPU goes, and the scheduler cannot do with that: unregistered, with an exit "
                "code"),
    ("hotplug_told", "`cpu_offline` and `cpu_online`: a scheduler that has them stays"),
)
HOTPLUG = ("--at", "150ms:offline=1", "--at", "300ms:online=1")

ALL_RULES = RULES + HOTPLUG_RULES
ALL = tuple(p for p, _ in ALL_RULES)
GROUPS = (
    (tuple(p for p, _ in RULES), ()),
    (tuple(p for p, _ in HOTPLUG_RULES), HOTPLUG),
)


def path_of(program):
    """NAME,SETTINGS as vrt takes it."""
    name, comma, settings = program.partition(",")
    return os.path.join(HERE, name + ".bpf.c") + comma + settings


def run(programs, *args):
    """The runs of a document, by the program with its settings."""
    done = subprocess.run([VRT, "run", *map(path_of, programs), *COMMON, *args],
                          capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600, check=False)
    if done.returncode not in (0, 3):
        print(done.stderr[-8000:], file=sys.stderr)
    try:
        runs = json.loads(done.stdout)["runs"]
    except ValueError:
        sys.exit(f"parity: no result of {args} (status {done.returncode})")
    return {program: r for program, r in zip(programs, runs, strict=True)}


def run_all(programs, *args):
    """The runs of @programs, in as few commands as possible."""
    results = {}
    for group, more in GROUPS:
        wanted = [p for p in group if p in programs]
        if wanted:
            results.update(run(wanted, *more, *args))
    return results


def without_numbers(text):
    """What of a message is not by chance: not pids, not times."""
    text = re.sub(r"\[\d+\]", "[PID]", text)
    return re.sub(r"\d+\.\d+s\b", "TIME", text)


def outcome(r):
    """What there is to compare of a run, as lines."""
    lines = []
    end = r["end"]
    if end["kind"].startswith("error"):
        lines.append(f"{end['kind']}: {without_numbers(end['message'])}".rstrip(": "))
    for entry in r["timeline"]:
        if entry["error"]:
            lines.append(f"{entry['action']}: {entry['error']}")
        # one that was started again has told twice
        for line in (entry["text"] or "").splitlines():
            who, what = re.fullmatch(r'\{\.who = "(.*)", \.what = "(.*)"\} = 1', line).groups()
            fact = what if who == "-" else f"{who}: {what}"
            if fact not in lines:
                lines.append(fact)
    return lines or ["nothing was seen"]


def simulated():
    """The outcome of each program; all seeds must agree."""
    results = {}
    failed = False
    for seed in SEEDS:
        for program, r in run_all(ALL, "--on", "sim", "--seed", str(seed), "-t", TIME).items():
            if r["status"] not in (0, 3) or r.get("books"):
                print(f"parity: {program}: {r['end']}, books {r.get('books')}", file=sys.stderr)
                failed = True
            lines = results.setdefault(program, outcome(r))
            if lines != outcome(r):
                print(f"parity: {program}: not the same with seed {seed}: {lines} and "
                      f"{outcome(r)}", file=sys.stderr)
                failed = True
    if failed:
        sys.exit(1)
    return results


def why_no_vm():
    """None, or why there are no guests here."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not os.path.exists(os.path.join(BUILD, "src", "vm", "guest", "vrt-agent")):
        return "this build has no agent for guests"
    listed = subprocess.run([VRT, "vm", "list"], capture_output=True, text=True, check=False)
    if re.search(rf"^{re.escape(KERNEL)}\.\S+ .*ready", listed.stdout, re.MULTILINE):
        return None
    done = subprocess.run([VRT, "vm", "fetch", KERNEL], capture_output=True, text=True,
                          check=False)
    return None if done.returncode == 0 else done.stderr


def needs_more_time(sim, kernel):
    """A fact may take longer than we gave it; and a host that is busy stops a guest's clock.

    Facts that should not be there are never given another chance.
    """
    return set(kernel) < set(sim) | {"nothing was seen"} or "error_stall" in kernel[0]


def on_a_kernel(sim):
    """The outcome of each program on a real kernel."""
    where = ("--on", f"vm:{KERNEL}")
    results = {p: outcome(r) for p, r in run_all(ALL, *where, "-t", TIME).items()}
    again = [p for p in ALL if sim[p] != results[p] and needs_more_time(sim[p], results[p])]
    if again:
        print(f"parity: {', '.join(again)}: once more, for {MORE_TIME}")
        results.update((p, outcome(r)) for p, r in run_all(again, *where, "-t", MORE_TIME).items())
    return results


# --- the table -----------------------------------------------------------------------


def cell(lines):
    """Lines in a cell of a table."""
    return "<br>".join(line.replace("|", "\\|").replace("_", "\\_") for line in lines)


def reasons():
    """Of rows that differ: program -> why."""
    found = {}
    with open(os.path.join(HERE, "differences.txt"), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                program, reason = line.split(":", 1)
                found[program] = reason.strip()
    return found


def row(program, rule, sim, kernel, why):
    """A line of the table."""
    equal = "yes" if sim == kernel else f"no: {why.get(program, 'NOT EXPLAINED')}"
    return f"| `{program}` | {rule} | {cell(sim)} | {cell(kernel)} | {equal} |"


def committed():
    """program -> line of the table, and the text before them."""
    with open(TABLE, encoding="utf-8") as f:
        text = f.read()
    rows = {m.group(1): m.group(0) for m in re.finditer(r"^\| `(.*?)` \|.*$", text, re.MULTILINE)}
    return text, rows


def columns(line):
    """The simulator's and the kernel's column of a line of the table."""
    return tuple(re.split(r"(?<!\\) \| ", line)[2:4])


def compare(sim, kernel, why):
    """How many rows differ without a reason."""
    bad = 0
    for program, _ in ALL_RULES:
        if sim[program] == kernel[program]:
            if program in why:
                print(f"parity: {program}: differences.txt has it, and it is equal")
                bad += 1
            continue
        print(f"parity: {program}: {why.get(program, 'DIFFERENT')}\n"
              f"    simulator    {sim[program]}\n    real kernel  {kernel[program]}")
        bad += program not in why
    print(f"parity: {len(ALL_RULES)} rules, {bad} that are not as they should be")
    return bad


def check_table(sim, kernel):
    """How many rows of docs/parity.md are out of date; kernel None: the simulator's half."""
    _, rows = committed()
    bad = 0
    for program, rule in ALL_RULES:
        line = rows.pop(program, "| | | | |")
        want = row(program, rule, sim[program], (kernel or sim)[program], reasons())
        if columns(line)[:1 + bool(kernel)] != columns(want)[:1 + bool(kernel)]:
            print(f"parity: docs/parity.md is not current, it says\n{line}\nwhere it is\n{want}")
            bad += 1
    for program in rows:
        print(f"parity: docs/parity.md has a row {program}, for which there is no program")
        bad += 1
    return bad


def write_table(sim, kernel, why):
    """docs/parity.md, with the text before its table as it is."""
    text, rows = committed()
    head = text[:text.index("| program |")]
    with open(TABLE, "w", encoding="utf-8") as f:
        f.write(head + "| program | rule | simulator | real kernel | equal? |\n"
                "| --- | --- | --- | --- | --- |\n")
        for program, rule in ALL_RULES:
            f.write(row(program, rule, sim[program], kernel[program], why) + "\n")
    print(f"parity: {len(ALL_RULES)} rows written, there were {len(rows)}")


def main():
    """See above."""
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode not in ("", "sim", "write"):
        sys.exit(__doc__)
    sim = simulated()
    if mode == "sim":
        sys.exit(check_table(sim, None) != 0)
    why_not = why_no_vm()
    if why_not:
        print("NOT COMPARED WITH A REAL KERNEL:", why_not, file=sys.stderr)
        sys.exit(SKIP)
    kernel = on_a_kernel(sim)
    bad = compare(sim, kernel, reasons())
    if mode == "write":
        write_table(sim, kernel, reasons())
    else:
        bad += check_table(sim, kernel)
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
