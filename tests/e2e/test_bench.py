# SPDX-License-Identifier: GPL-2.0-only
"""vrt bench --quick: what is measured, and whether the figures can be.

No threshold of time: what is checked holds on any host, however slow or busy.
"""

import json
import os
import tempfile
import unittest

from vrt import Test, source, vrt

MICRO = {
    "isa": ["exit", "alu64", "alu32", "mul", "div", "shift", "swap", "memory", "atomic-add",
            "atomic-fetch", "branch", "branch-random", "loop"],
    "call": ["function", "callback", "tail", "ktime", "cpu", "prandom"],
    "map": ["array-lookup", "array-update", "percpu-lookup", "hash-lookup", "hash-update",
            "hash-insert", "lru-lookup", "lru-update", "lpm-lookup", "ringbuf"],
    "program": ["jhash", "siphash", "sort", "sieve"],
}
PLAIN = {"exit", "alu64", "alu32", "mul", "div", "shift", "swap", "memory", "atomic-add", "jhash",
         "siphash"}


def bench_json(*args):
    done = vrt("bench", *args, "--quick", "--json", timeout=900)
    if done.returncode:
        raise AssertionError(f"vrt bench {args} exited with {done.returncode}:\n"
                             f"{done.stderr[-4000:]}")
    return json.loads(done.stdout)


class Bench(Test):
    def check_spread(self, spread, samples=None):
        self.assertGreater(spread["min"], 0)
        self.assertLessEqual(spread["min"], spread["median"])
        self.assertLessEqual(spread["median"], spread["max"])
        self.assertGreaterEqual(spread["samples"], 2)
        if samples:
            self.assertEqual(spread["samples"], samples)

    def check_named(self, document):
        """Every member is in the manual, but for those named after engines and groups."""
        with open(source("docs", "json.md"), encoding="utf-8") as f:
            manual = f.read()
        micro = dict(document.get("micro", {}))
        micro.pop("geometric_means", None)
        for benchmark in micro.get("benchmarks", []):
            for name in ("ns_per_operation", "ratios"):
                self.assertIn(f"`{name}`", manual)
            self.check_documented([value for key, value in benchmark.items()
                                   if key not in ("ns_per_operation", "ratios")], manual)
        rest = {key: value for key, value in document.items() if key != "micro"}
        self.check_documented(rest, manual)

    def test_micro(self):
        document = bench_json(*MICRO)
        self.assertEqual(document["schema"], "vruntime-bench-2")
        self.assertTrue(document["quick"])
        self.assertEqual(set(document), {"schema", "version", "quick", "micro"})
        micro = document["micro"]
        engines = {e["name"]: e["available"] for e in micro["engines"]}
        self.assertEqual(list(engines), ["interp", "jit", "host", "dpdk"])
        self.assertTrue(engines["interp"])
        for engine in micro["engines"]:
            self.assertEqual(engine["reason"] is None, engine["available"], engine)
        names = {}
        for b in micro["benchmarks"]:
            names.setdefault(b["group"], []).append(b["name"])
            self.assertNotIn("error", b)  # also: all engines compute the same
            self.assertGreater(b["operations"], 0)
            here = {e for e in engines if engines[e] and (e != "dpdk" or b["name"] in PLAIN)}
            measured = {e for e, ns in b["ns_per_operation"].items() if ns}
            self.assertEqual(measured, here, b["name"])
            for engine in here:
                self.check_spread(b["ns_per_operation"][engine], 3)
            self.assertEqual(set(b["ratios"]),
                             {f"{x}/{y}" for x in here for y in here if x != y})
            for ratio in b["ratios"].values():
                self.check_spread(ratio, 3)
        self.assertEqual(names, MICRO)
        means = micro["geometric_means"]
        self.assertEqual(set(means), {*MICRO, "all"})
        for pair, mean in means["all"].items():
            ratios = [b["ratios"][pair]["median"] for b in micro["benchmarks"]
                      if pair in b["ratios"]]
            self.assertTrue(min(ratios) <= mean <= max(ratios), pair)
            back = "/".join(reversed(pair.split("/")))
            self.assertAlmostEqual(mean * means["all"][back], 1, delta=0.5)
        self.check_named(document)

    def test_does_work(self):
        """An operation takes time: more of them in a run take longer."""
        ns = {b["name"]: b["ns_per_operation"]["interp"]["median"] * b["operations"]
              for b in bench_json("isa", "map/hash-lookup")["micro"]["benchmarks"]}
        self.assertEqual(set(ns), {*MICRO["isa"], "hash-lookup"})
        for name, run in ns.items():
            if name != "exit":
                self.assertGreater(run, ns["exit"], name)

    def test_sched(self):
        document = bench_json("sched/fifo", "sched/eevdf")
        self.assertEqual(set(document), {"schema", "version", "quick", "sched"})
        cases = [(c["scheduler"], c["cpus"], c["tasks_per_cpu"], c["tasks_do"] == "compute")
                 for c in document["sched"]]
        loads = (4, False), (100, False), (4, True)
        self.assertEqual(sorted(cases), sorted((s, cpus, *load) for s in ("fifo", "eevdf")
                                               for cpus in (8, 64) for load in loads))
        for case in document["sched"]:
            self.assertEqual(case["tasks"], case["cpus"] * case["tasks_per_cpu"])
            self.check_spread(case["context_switches_per_cpu_second"], 2)
            self.check_spread(case["sim_seconds_per_wall_second"], 2)
            self.check_spread(case["cost_of_smallest"], 2)
            if case["cpus"] == 8:
                self.assertEqual(case["cost_of_smallest"]["max"], 1)
        self.check_named(document)

    def test_start(self):
        document = bench_json("start")
        starts = {s["name"]: s for s in document["start"]}
        self.assertEqual(list(starts), ["eevdf", "object", "source", "compile"])
        for start in starts.values():
            self.check_spread(start["ms"], 3)
        # the compiler takes longer than all the rest
        self.assertGreater(starts["compile"]["ms"]["min"], starts["source"]["ms"]["min"])
        self.check_named(document)

    def test_memory(self):
        document = bench_json("memory")
        found = {m["name"]: m for m in document["memory"]}
        self.assertEqual(list(found), ["cpu", "task"])
        for m in found.values():
            self.assertGreater(m["bytes"], 100)
            self.assertLess(m["bytes"], 10 << 20)
            self.assertGreater(m["large"]["peak_bytes"], m["small"]["peak_bytes"])
        self.check_named(document)

    CONTROL = ["kthread", "worker", "daemon", "timer", "own", "shared", "program"]

    def test_control(self):
        """Table 1: what is said of each way of doing something periodically, measured."""
        document = bench_json("control")
        self.assertEqual(set(document), {"schema", "version", "quick", "control"})
        self.assertEqual([p["on"] for p in document["control"]["places"]], ["sim"])
        self.assertTrue(document["control"]["places"][0]["quiet"])
        rows = {r["name"]: r for r in document["control"]["benchmarks"]}
        self.assertEqual(list(rows), ["none", *self.CONTROL])
        alone = rows["none"]["job_ns"]
        self.assertAlmostEqual(alone, 100000, delta=1000)
        for name in self.CONTROL:
            plain, quota, nice = (rows[name][s] for s in ("plain", "quota", "nice"))
            self.assertAlmostEqual(plain["job_ns"], alone, delta=150, msg=name)
            self.assertGreater(plain["runs"], 900)
            self.assertEqual(quota["limit_percent"], 10)
            self.assertAlmostEqual(nice["limit_percent"], 24.65, delta=0.01)
            self.assertEqual(plain["verified_insns"] > 0, name != "kthread")
            # a probe comes every 1.37 ms, and the job takes a tenth of the time
            self.assertGreater(plain["delay"]["p99_ns"], 50000, name)
            if name == "timer":
                self.assertGreater(quota["used_percent"], 38)  # all that it wants
                self.assertGreater(nice["used_percent"], 55)
                self.assertLess(abs(plain["switches"]), 0.1)
                self.assertLess(plain["late"]["max_ns"], 10000)
            else:
                self.assertLessEqual(abs(quota["error_percent"]), 1, name)
                self.assertLessEqual(abs(nice["error_percent"]), 1, name)
                self.assertTrue(1 < plain["switches"] <= 2.1, name)
        overhead = {name: rows[name]["plain"]["overhead_ns"] for name in self.CONTROL}
        self.assertEqual(min(overhead, key=overhead.get), "timer")
        self.assertLess(overhead["own"], overhead["daemon"])
        self.assertLess(overhead["program"], overhead["worker"])
        # the trampoline, beside what a kernel thread costs
        self.assertAlmostEqual(overhead["own"], overhead["kthread"], delta=100)
        # who gives way to others does so, a timer cannot
        self.assertGreater(rows["timer"]["plain"]["delay"]["mean_ns"],
                           1.3 * rows["own"]["plain"]["delay"]["mean_ns"])
        # the second half waits for the first one
        self.assertGreater(rows["shared"]["plain"]["late"]["p50_ns"],
                           rows["own"]["plain"]["late"]["p50_ns"] + 40000)
        self.check_named(document)

    def test_control_same(self):
        """The simulated machine gives the same figures twice."""
        first, second = (bench_json("control/own", "--work", "20us")["control"] for _ in range(2))
        self.assertEqual(first, second)

    def test_control_plot(self):
        with tempfile.TemporaryDirectory() as directory:
            picture = os.path.join(directory, "delays.svg")
            done = vrt("bench", "control/timer", "control/own", "--quick", "--plot", picture)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
            for word in ("cpu.max 10%", "SchedBPF", "timer", "switches per period"):
                self.assertIn(word, done.stdout)
            with open(picture, encoding="utf-8") as f:
                drawn = f.read()
            for word in ("<svg", "without the job", "timer", "own", "delay, us"):
                self.assertIn(word, drawn)
            self.assertNotIn("daemon", drawn)

    def test_control_bad(self):
        for args, said in ((("control", "--on", "host"), "vm:schedbpf"),
                           (("control", "--on", "moon"), "'moon' is no place"),
                           (("control", "--plot", "x.gif"), "FILE.svg"),
                           (("control", "--work", "1ms"), "--work"),
                           (("memory", "--plot", "x.svg"), "group control")):
            self.check_refused(vrt("bench", *args), 1, said)
        done = vrt("bench", "control", "--plot", "x.svg", env={"PATH": "/nonexistent"})
        self.check_refused(done, 1, "gnuplot-nox")

    def test_tables(self):
        done = vrt("bench", "isa/alu64", "map/array-lookup", "sched/eevdf", "start/eevdf",
                   "memory/task", "--quick")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        for word in ("interp ", "alu64", "array-lookup", "eevdf", "tasks per CPU", "per task",
                     "ns per operation"):
            self.assertIn(word, done.stdout)
        for word in ("alu32", "hash-lookup", "  fifo  ", "  per CPU  "):
            self.assertNotIn(word, done.stdout)

    def test_skips(self):
        """A scheduler that is not built is said."""
        found = bench_json("sched/scx_simple")["sched"]
        built = os.path.exists(os.path.join(os.path.dirname(os.environ["VRT"]),
                                            "linux/scx_simple.bpf.o"))
        if built:
            self.assertEqual(len(found), 6)
        else:
            self.assertEqual([f["scheduler"] for f in found], ["scx_simple"])
            self.assertIn("not built", found[0]["skipped"])

    def test_bad(self):
        for word, said in (("isx", "did you mean 'isa'?"), ("isa/alu", "there are in isa: exit,"),
                           ("isa/", "there are in isa"), ("sched/cfs", "there are in sched: fifo"),
                           ("", "lists the groups"), ("micro", "lists the groups"),
                           ("isax", "did you mean 'isa'?")):
            done = vrt("bench", word)
            self.check_refused(done, 1, f"'{word}'", said)
        self.check_refused(vrt("bench", "--quik"), 1, "did you mean --quick?")


if __name__ == "__main__":
    unittest.main()
