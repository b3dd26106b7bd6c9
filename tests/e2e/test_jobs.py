# SPDX-License-Identifier: GPL-2.0-only
"""The jobs that ship as periodic programs: what each of them really did."""

import re

import vrt as e2e
from vrt import run_json, source

UNFAIR = source("workloads", "unfair.json")
UNEVEN = source("workloads", "uneven.json")


def printed(run, name):
    """Maps and variables of --print: {key: value}, for a map keys are numbers."""
    text = [e for e in run["timeline"] if e["action"] == "print=" + name][-1]["text"]
    found = re.findall(r"^\[?(\w+)\]? = (-?\d+)$", text, re.M)
    return {int(k) if k.isdigit() else k: int(v) for k, v in found}


def program(run, name):
    return {p["name"]: p for w in run["with"] for p in w["periodic"]}[name]


def group(run, name):
    return {g["name"]: g for g in run["groups"]}[name]


class Histogram(e2e.Test):
    def runs(self, *args):
        return run_json(*args, "--with", "periodic_histogram", "-m", "4", "-w", UNFAIR, "-t", "1s",
                        "--noise", "none", "--print", "waits", "--print", ".bss")["runs"]

    def test_counts_what_the_trace_counts(self):
        """Its histogram and the run's own, made of the same wakeups by other means."""
        for run in self.runs("eevdf", "fifo"):
            waits, bss = printed(run, "waits"), printed(run, ".bss")
            self.assertEqual(sum(waits.values()), bss["nr_waits"])
            self.assertEqual(bss["nr_folds"], program(run, "fold")["runs"])
            own = run["metrics"]["wakeup_latency"]
            # the last period is not folded any more, and those that wait in the end not counted
            self.assertLess(abs(own["count"] - bss["nr_waits"]), own["count"] * 0.15 + 10)
            half = sum(waits.values()) / 2
            seen = 0
            for slot in sorted(waits):
                seen += waits[slot]
                if seen > half:
                    break
            self.assertLess(2 ** slot, own["p50_ns"] * 2)
            self.assertGreater(2 ** (slot + 1), own["p50_ns"] / 2)

    def test_tells_policies_apart(self):
        eevdf, fifo = (printed(run, ".bss") for run in self.runs("eevdf", "fifo"))
        self.assertLessEqual(eevdf["last_p99_below_ns"], 2 ** 24)
        self.assertGreaterEqual(fifo["last_p99_below_ns"], 2 ** 25)


class Balance(e2e.Test):
    def runs(self, *variants):
        return run_json(*variants, "-m", "8", "-w", UNEVEN, "-t", "2s", "--print", ".bss")["runs"]

    def test_against_itself_without(self):
        with_it, without = self.runs("periodic_balance", "periodic_balance,fetch=0")
        a, b = printed(with_it, ".bss"), printed(without, ".bss")
        self.assertGreater(a["nr_looks"], 1900)
        # tasks move when a CPU fetches them, and only then
        self.assertEqual((b["nr_told"], b["nr_fetched"]), (0, 0))
        self.assertEqual(without["metrics"]["migrations"]["total"], 0)
        self.assertGreater(a["nr_fetched"], 100)
        self.assertLessEqual(a["nr_fetched"], a["nr_told"])
        self.assertLess(abs(with_it["metrics"]["migrations"]["total"] - a["nr_fetched"]), 20)
        # and what is it good for?
        self.assertLess(a["wasted"] * 2, b["wasted"])
        self.assertGreater(with_it["metrics"]["utilization_ppm"],
                           without["metrics"]["utilization_ppm"] * 1.05)
        query, stuck = group(with_it, "query"), group(without, "query")
        self.assertLess(query["request_latency"]["p99_ns"] * 1.3, stuck["request_latency"]["p99_ns"])
        self.assertGreater(query["ops"], stuck["ops"])


if __name__ == "__main__":
    e2e.main()
