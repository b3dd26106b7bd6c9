#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The verifier against the kernel's own verifier selftests (progs/verifier_*.c).

Compiles them, unmodified, from third_party/linux, asks for the verdict on each
test (verdicts.c) and holds it against what the test expects, and against
expectations.txt, which lists every disagreement with its cause. That file may
only shrink: a line that is not needed any more is an error, as is a
disagreement without a line. A test that must be rejected and is accepted can
not be listed at all.

With --others, the same for the programs of all other selftests that say what
they expect of the verifier (dynptrs, iterators, graphs...), and
expectations-others.txt.

usage: selftests.py BUILD [--others] [--host] [--files] [--list] [--messages] [FILE...]
  --others    the programs that are not in progs/verifier_*.c
  --host      ask this host's kernel instead (root; expectations are not looked at)
  --files     a line per file
  --list      print the disagreements as lines for expectations.txt
  --messages  print the messages that a test wants in the log and that are not there
  FILE        only these, as verifier_bounds
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SELFTESTS = ROOT / "third_party/linux/tools/testing/selftests/bpf"
SKIP = 77  # what meson takes for "skipped"


def die(text, status=1):
    print(f"selftests.py: {text}", file=sys.stderr)
    sys.exit(status)


def multiarch():
    cc = os.environ.get("CC", "cc").split()[-1]
    return subprocess.run([cc, "-print-multiarch"], capture_output=True, text=True,
                          check=True).stdout.strip()


# Files whose tests Linux runs without some privilege: their verdicts are others.
UNPRIVILEGED = {"verifier_mtu": "runs without CAP_PERFMON"}


def compile_one(source, out, include, system, others):
    """The object, or None and the first error."""
    obj = out / (source.stem + ".o")
    newest = max(p.stat().st_mtime for p in (source, include / "vmlinux.h", HERE / "missing.h"))
    if obj.exists() and obj.stat().st_mtime > newest:
        return obj, None
    clang = os.environ.get("CLANG", "clang-19")
    done = subprocess.run(
        [clang, "--target=bpf", "-mcpu=v3", "-g", "-O2", "-D__TARGET_ARCH_x86",
         "-DENABLE_ATOMICS_TESTS", "-Wno-compare-distinct-pointer-types",
         *(["-include", str(HERE / "missing.h")] if others else []), f"-I{include}",
         f"-I{SELFTESTS}", f"-I{SELFTESTS / 'progs'}",
         f"-I{ROOT / 'third_party/linux/tools/include/uapi'}", "-idirafter",
         f"/usr/include/{system}", "-c", str(source), "-o", f"{obj}.tmp"],
        capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if " error: " in line]
        return None, errors[0].split(" error: ")[1] if errors else "clang failed"
    os.replace(f"{obj}.tmp", obj)
    return obj, None


def sources_of(names, others):
    sources = sorted((SELFTESTS / "progs").glob("*.c"))
    if others:
        sources = [s for s in sources if not s.stem.startswith("verifier_")
                   and re.search(r"\b__(success|failure)\b", s.read_text())]
    else:
        sources = [s for s in sources if s.stem.startswith("verifier_")
                   and s.stem not in UNPRIVILEGED]
    sources = [s for s in sources if not names or s.stem in names]
    if not sources:
        die(f"no such file in {SELFTESTS / 'progs'}")
    return sources


def compile_all(build, names, host, others):
    out = build / ("verifier-selftests-host" if host else "verifier-selftests")
    out.mkdir(exist_ok=True)
    include = build / "include"
    if host:
        include = out
        if not (out / "vmlinux.h").exists():
            with open(out / "vmlinux.h", "w") as f:
                subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux",
                                "format", "c"], stdout=f, check=True)
    sources = sources_of(names, others)
    system = multiarch()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda s: compile_one(s, out, include, system, others), sources))
    objects = [obj for obj, _ in done if obj]
    failed = {s.stem: err for s, (obj, err) in zip(sources, done) if not obj}
    return objects, failed


def ask(build, objects, host):
    command = [str(build / "tests/conformance/verifier/verdicts")] + ["--host"] * host

    def part(objs):
        return subprocess.run(command + [str(o) for o in objs], capture_output=True, text=True)

    tests = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(part, [[o] for o in objects]):
            if done.returncode:
                die(done.stderr.strip())
            tests += [json.loads(line) for line in done.stdout.splitlines()]
    for t in tests:
        t["file"] = t["file"].removesuffix(".o")
    return tests


POINTER_VALUE = 0xBADCAFE


def disagreement(t):
    """None, or the kind of it."""
    if t["verdict"] not in ("accept", "reject"):
        return t["verdict"].replace(" ", "-")
    if t["verdict"] != t["expect"]:
        return "wrongly-accepted" if t["verdict"] == "accept" else "wrongly-rejected"
    if t["verdict"] == "reject" and "insns" not in t and "missing" in t:
        return "not-asked"  # refused before the verifier, for something else
    if t["verdict"] == "accept" and "expect_retval" in t and t["expect"] == "accept":
        want = t["expect_retval"]
        if "retval" not in t:
            return "not-run"
        if want != POINTER_VALUE and (t["retval"] - want) % (1 << 32):
            return "wrong-result"
    return None


def read_expectations(name):
    """(file, program) -> (kind, reason)"""
    known = {}
    for number, line in enumerate((HERE / name).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(None, 3)
        if len(fields) != 4 or fields[2] not in KINDS:
            die(f"{name}:{number}: expected 'file program kind reason', with a kind of "
                + ", ".join(KINDS))
        known[fields[0], fields[1]] = (fields[2], fields[3])
    return known


# What may be listed. not-applicable: no verdict can be asked for here. not-asked: it is
# refused, as it should be, but before the verifier sees it: that says nothing of its verdict.
KINDS = ("wrongly-rejected", "not-asked", "wrong-result", "not-run", "not-applicable")


def per_file(tests, kinds):
    print(f"{'file':36} {'tests':>6} {'agree':>6} {'rejected':>9} {'accepted':>9} {'other':>6}")
    files = collections.defaultdict(collections.Counter)
    for t, kind in zip(tests, kinds):
        files[t["file"]][kind] += 1
    for name, c in sorted(files.items()):
        other = sum(n for k, n in c.items()
                    if k not in (None, "wrongly-rejected", "wrongly-accepted"))
        print(f"{name:36} {sum(c.values()):6} {c[None]:6} {c['wrongly-rejected']:9} "
              f"{c['wrongly-accepted']:9} {other:6}")


def summary(tests, kinds, failed, known, others):
    count = collections.Counter(kinds)
    listed = sum(kind == "not-applicable" and key in {(t["file"], t["program"]) for t in tests}
                 for key, (kind, _) in known.items())
    applicable = len(tests) - listed
    messages = [t for t, kind in zip(tests, kinds) if t["messages"] and kind is None]
    executed = [t for t in tests if "expect_retval" in t and t["expect"] == "accept"]
    print(f"tests                    {len(tests):5}   of {len({t['file'] for t in tests})} files; "
          f"{len(failed)} files do not compile")
    for name, why in () if others else UNPRIVILEGED.items():
        print(f"{'':24}         {name} is left out: {why}")
    print(f"agree                    {count[None]:5}   "
          f"{100 * count[None] / max(applicable, 1):.1f}% of {applicable} applicable")
    print(f"wrongly rejected         {count['wrongly-rejected']:5}")
    print(f"wrongly accepted         {count['wrongly-accepted']:5}")
    print(f"executed, right result   {sum('retval' in t for t in executed) - count['wrong-result']:5}"
          f"   of {len(executed)}")
    for kind in sorted(set(filter(None, count)) - {"wrongly-rejected", "wrongly-accepted"}):
        print(f"{kind:24} {count[kind]:5}")
    print(f"messages in the log      {sum('missing' not in t for t in messages):5}   "
          f"of {len(messages)} tests that want some")
    for name, error in sorted(failed.items()):
        print(f"  {name}: {error}")


def judge(tests, kinds, failed, known, partial):
    """What is not as the file of expectations says."""
    wrong = []
    seen = set()
    for t, kind in zip(tests, kinds):
        key = (t["file"], t["program"])
        seen.add(key)
        expected = known.get(key, (None, None))[0]
        if expected == "not-applicable" and kind and kind != "wrongly-accepted":
            continue
        if kind == expected:
            continue
        if kind is None:
            wrong.append(f"{key[0]} {key[1]}: agrees now: remove its line")
        else:
            wrong.append(f"{key[0]} {key[1]} {kind}: {t.get('why') or t.get('description')}")
    for name, error in failed.items():
        if known.get((name, "*"), (None,))[0] != "not-applicable":
            wrong.append(f"{name} * not-applicable: does not compile: {error}")
    for key in known:
        if not partial and key not in seen and not (key[1] == "*" and key[0] in failed):
            wrong.append(f"{key[0]} {key[1]}: no such test: remove its line")
    return wrong


def main():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="*")
    for flag in ("host", "files", "list", "messages"):
        parser.add_argument("--" + flag, action="store_true", dest="show_" + flag)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    args = parser.parse_args()
    if args.help:
        print(__doc__)
        return 0
    if not SELFTESTS.exists():
        die("the kernel's selftests are not there; scripts/fetch.sh fetches them", SKIP)
    objects, failed = compile_all(args.build.resolve(), args.files, args.show_host,
                                  args.others)
    tests = ask(args.build.resolve(), objects, args.show_host)
    kinds = [disagreement(t) for t in tests]
    known = {} if args.show_host else read_expectations(
        "expectations-others.txt" if args.others else "expectations.txt")
    if args.show_files:
        per_file(tests, kinds)
    if args.show_messages:
        for t, kind in zip(tests, kinds):
            if kind is None and "missing" in t:
                print(f"{t['file']} {t['program']}: not in the log: {t['missing']}")
    summary(tests, kinds, failed, known, args.others)
    wrong = judge(tests, kinds, failed, known, bool(args.files))
    if args.show_list:
        print("\n".join(wrong))
    elif wrong:
        print("\n".join(f"  {w}" for w in wrong[:20]))
        if len(wrong) > 20:
            print(f"  and {len(wrong) - 20} more (--list)")
    return 1 if wrong and not args.show_host else 0


sys.exit(main())
