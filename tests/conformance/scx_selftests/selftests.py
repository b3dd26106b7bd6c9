#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's sched_ext selftests, on the simulator and on a real Linux 6.12.

Compiles their BPF programs, unmodified, from third_party/linux, runs them as
cases.py says, and holds what came of it against what the selftest's driver
expects: the same on both. The real kernel is one that 'vrt vm build 6.12' has
made, if a cache has it; without one the simulator is held against the drivers
alone, which is said.

expectations.txt lists what is otherwise, and which selftests are not here, each
with its reason. It may only shrink: a line that is not needed is an error, as
is a difference without a line.

usage: selftests.py [SELFTEST...]	with the environment of the end-to-end tests
"""

import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "e2e"))

from cases import CASES, CPUS, variables  # noqa: E402
from vrt import BUILD, SOURCE, vrt  # noqa: E402

SELFTESTS = pathlib.Path(SOURCE, "third_party/linux/tools/testing/selftests/sched_ext")
OBJECTS = pathlib.Path(BUILD, "linux/selftests")
AGENT = os.path.join(BUILD, "src/vm/guest/vrt-agent")  # not in a build with sanitizers
KINDS = ("simulator", "kernel", "both", "not-here")
NAMES = {"sim": "simulator", "vm": "kernel"}


def compile_all():
    done = subprocess.run([pathlib.Path(SOURCE, "scripts/build-linux-schedulers.sh"),
                           "--skip-if-missing", BUILD], capture_output=True, text=True)
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        sys.exit(done.returncode)


def find_kernel():
    """The image of a 6.12 of our own, of the tests' cache or the user's, or None."""
    if not shutil.which("qemu-system-x86_64") or not os.path.exists(AGENT):
        return None
    caches = [os.environ.get("XDG_CACHE_HOME"), os.path.expanduser("~/.cache")]
    for cache in filter(None, caches):
        images = glob.glob(os.path.join(cache, "vruntime/kernels/6.12*-vrt/vmlinuz"))
        if images:
            return max(images, key=lambda path: list(map(int, re.findall(r"\d+", path[len(cache):]))))
    return None


def read_expectations():
    """name -> (kind, reason)"""
    known = {}
    for number, line in enumerate((HERE / "expectations.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 3 or fields[1] not in KINDS or not fields[2]:
            sys.exit(f"expectations.txt:{number}: expected 'name | kind | reason', with a kind of "
                     + ", ".join(KINDS))
        known[fields[0]] = (fields[1], fields[2])
    return known


# --- running -----------------------------------------------------------------


def run_group(cases, target, on):
    """All of them, which differ in nothing but the object, by one command: one boot."""
    first = cases[0]
    command = ["run"]
    for case in cases:
        obj = OBJECTS / ((case.object or case.selftest) + ".bpf.o")
        command += [str(obj) + case.settings] * case.repeat
    workload = str(HERE / first.workload) if first.workload.endswith(".json") else first.workload
    command += ["--machine", str(CPUS), "--workload", workload, "--for", first.time, "--kernel",
                "6.12", "--contexts", "run", "--on", on, "--json"]
    command += [option.format(object=obj) for option in first.options]
    for name in first.prints:
        command += ["--print", name]
    done = vrt(*command)
    try:
        runs = json.loads(done.stdout)["runs"]
    except json.JSONDecodeError:
        sys.exit(f"vrt {' '.join(command)}\nexited with {done.returncode}: {done.stderr.strip()}")
    results = {}
    for case in cases:
        results[case.name, target] = judge(case, runs[:case.repeat])
        runs = runs[case.repeat:]
    return results


def run_all(cases, target, on):
    groups = {}
    for case in cases:
        if target in case.targets:
            key = (case.workload, case.prints, case.options, case.time)
            groups.setdefault(key, []).append(case)
    results = {}
    for group in groups.values():
        results |= run_group(group, target, on)
    return results


def judge(case, runs):
    """(what it came to, whether that is what the selftest wants); of several runs all do."""
    for run in runs:
        text, good = judge_run(case, run)
        if not good:
            break
    return text, good


def judge_run(case, run):
    end = run["end"]
    if run["status"] == 5:
        return f"{end['kind']}: the books do not balance", False
    text = f"{end['kind']}: {end['message']}" if end["message"] else end["kind"]
    # the verifier says more than one thing, and vrt explains it
    lines = end["message"].splitlines() or [""]
    if not case.ends(end["kind"]) or not any(map(case.says, lines)):
        return text, False
    if not case.prints:
        return text, True
    printed = [variables(entry["text"]) for entry in run["timeline"]
               if entry["action"].startswith("print=") and entry["text"]]
    if not printed:
        return f"{text}, nothing printed", False
    found = printed[0] | {"later": printed[1:]}
    try:
        holds = case.values[1](found)
    except (KeyError, IndexError):
        holds = False
    return text if holds else f"{text}, {found}", holds


# --- the table ---------------------------------------------------------------


def cell(result):
    if not result:
        return "-"
    text, good = result
    return text.partition(",")[0].partition(":")[0] + ("" if good else " (differs)")


def print_table(cases, results):
    line = "{:27} {:15} {:11} {}"
    print(line.format("selftest", "simulator", "kernel 6.12", "expected"))
    for case in cases:
        sim, vm = (cell(results.get((case.name, target))) for target in ("sim", "vm"))
        print(line.format(case.name, sim, vm, case.expected()))


def compare(cases, results, known):
    """What is not as expectations.txt says, a line each."""
    wrong = []
    for case in cases:
        listed = known.get(case.name, ("", ""))[0]
        for target in case.targets:
            if (case.name, target) not in results:
                continue
            text, good = results[case.name, target]
            excused = listed in (NAMES[target], "both")
            if good and excused:
                wrong.append(f"{case.name}: the {NAMES[target]} does as expected now: take it out "
                             "of expectations.txt")
            elif not good and not excused:
                wrong.append(f"{case.name}: on the {NAMES[target]}: {text}; expected "
                             f"{case.expected()}")
    drivers = {path.stem for path in SELFTESTS.glob("*.c") if not path.name.endswith(".bpf.c")}
    here = {case.selftest for case in CASES}
    for name, (kind, _) in known.items():
        if kind == "not-here" and (name in here or name not in drivers):
            wrong.append(f"{name}: is here, or is no selftest: take it out of expectations.txt")
        elif kind != "not-here" and name not in {case.name for case in CASES}:
            wrong.append(f"{name}: there is no such case: take it out of expectations.txt")
    for name in sorted(drivers - here - {"runner", "util"} - set(known)):
        wrong.append(f"{name}: neither in cases.py nor in expectations.txt")
    return wrong


def main():
    names = sys.argv[1:]
    cases = [case for case in CASES if not names or case.selftest in names]
    if not cases:
        sys.exit(f"there is none of {', '.join(names)}")
    compile_all()
    known = read_expectations()
    results = run_all(cases, "sim", "sim")
    kernel = find_kernel()
    if kernel:
        results |= run_all(cases, "vm", f"vm:{kernel}")
    print_table(cases, results)
    if not kernel:
        print("NOT HELD AGAINST A REAL KERNEL: that needs QEMU, an agent in this build, and a 6.12 "
              "of our own in a cache ('vrt vm build 6.12' makes one)", file=sys.stderr)
    wrong = compare(cases, results, known)
    for line in wrong:
        print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
