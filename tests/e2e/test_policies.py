# SPDX-License-Identifier: GPL-2.0-only
"""Every policy there is, ours and the kernel's, on the simulator and on real kernels.

What runs where is the table of docs/vm.md, which this test reads: each row must
be true, and no policy may lack one. Real kernels are those that are there, one
boot each; it is said which are not.
"""

import glob
import os
import re
import sys

from test_vm import prepare
from vrt import BUILD, Test, main, run_json, source, vrt

UNFAIR = source("workloads", "unfair.json")
LINUX = os.path.join(BUILD, "linux")
KERNELS = {"Linux 7.0": "7.0", "Linux 6.12": "6.12"}  # columns of the table; guests

# What cells of the table say, and how such a run must end: kinds, and a part of the message.
CELLS = {
    "runs": (["done"], ""),
    "lacks `scx_bpf_consume()`": (["not_loaded"], "kfunc 'scx_bpf_consume' is not in this kernel"),
    "is balanced by a periodic program": (["not_loaded"], "has periodic programs"),
    "no ghOSt": (["not_loaded"], "has ghOSt programs, which this kernel does not know"),
    "by chance": (["done", "error_bpf"], "init from non-central CPU"),
}
BESIDE = "beside a scheduler, simulator only"


def table():
    """{policy: {column: cell}} of docs/vm.md."""
    with open(source("docs", "vm.md"), encoding="utf-8") as f:
        text = f.read()
    rows = re.search(r"^\| policy \|.*?\n\n", text, re.M | re.S).group(0).split("\n")[:-2]
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in rows]
    head = cells[0]
    return {row[0].strip("`"): dict(zip(head[1:], row[1:])) for row in cells[2:]}


def objects():
    """{policy: file}: everything that ships, and the kernel's if they were compiled."""
    ours = glob.glob(source("schedulers", "**", "*.bpf.c"), recursive=True)
    found = {os.path.relpath(f, source("schedulers"))[:-len(".bpf.c")]: f for f in ours}
    for path in glob.glob(os.path.join(LINUX, "*.bpf.o")):
        found[os.path.basename(path)[:-len(".bpf.o")]] = path
    return found


class Table(Test):
    def test_has_every_policy(self):
        rows = {name for name in table() if not name.startswith("scx_")}
        self.assertEqual(rows, {name for name in objects() if not name.startswith("scx_")})

    def test_beside(self):
        """Periodic and tracing programs: no schedulers, wherever one tries them as one."""
        for name, row in table().items():
            if BESIDE not in row.values():
                continue
            with self.subTest(name):
                self.assertEqual(set(row.values()), {BESIDE})
                run = run_json("eevdf", "--with", objects()[name], "-m", "4", "-w", UNFAIR, "-t",
                               "100ms")["runs"][0]
                self.assertEqual(run["end"]["kind"], "done")
                self.check_refused(vrt("run", "eevdf", "--with", objects()[name], "-m", "4", "-w",
                                       UNFAIR, "--on", "vm"), 1, "--with: only the simulated machine")


class Targets(Test):
    def schedulers(self):
        found = objects()
        if not any(name.startswith("scx_") for name in found):
            print("NOT TESTED: the kernel's schedulers; scripts/fetch.sh fetches them, and "
                  "scripts/build-linux-schedulers.sh compiles them", file=sys.stderr)
        return {name: (found[name], row) for name, row in table().items()
                if name in found and BESIDE not in row.values()}

    def check_cell(self, run, cell):
        kinds, message = CELLS[cell]
        self.assertIn(run["end"]["kind"], kinds, run["end"])
        if run["end"]["kind"] != "done":
            self.assertIn(message, run["end"]["message"])
            return
        shares = {g["name"]: g["share_ppm"] for g in run["groups"]}
        self.assertGreater(run["metrics"]["context_switches"]["total"], 4)
        self.assertEqual({g["name"]: g["tasks"] for g in run["groups"] if g["name"] != "system"},
                         {"bursty": 4, "hog": 8})
        self.assertGreater(shares["hog"], shares["bursty"])

    def run_all(self, on, column):
        policies = self.schedulers()
        runs = run_json(*[path for path, _ in policies.values()], "-m", "4", "-w", UNFAIR, "-t",
                        "500ms", "--on", on, "-q", status=None)["runs"]
        self.assertEqual(len(runs), len(policies))
        for run, (name, (_, row)) in zip(runs, policies.items()):
            with self.subTest(name, on=on):
                self.check_cell(run, row[column])

    def test_simulator(self):
        self.run_all("sim", "simulator")

    def test_real_kernels(self):
        why = prepare()
        if why:
            self.skipTest("NOT TESTED ON A REAL KERNEL: " + why)
        there = re.findall(r"^(\d+\.\d+)\S* +ready", vrt("vm", "list").stdout, re.M)
        for column, kernel in KERNELS.items():
            if kernel in there:
                self.run_all("vm:" + kernel, column)
            else:
                print(f"NOT TESTED ON {column}: it is not there ('vrt vm fetch {kernel}' or 'vrt vm "
                      f"build {kernel}')", file=sys.stderr)
        if not set(there) & set(KERNELS.values()):
            self.skipTest("no kernel that the table of docs/vm.md is about")


if __name__ == "__main__":
    main()
