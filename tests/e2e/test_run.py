# SPDX-License-Identifier: GPL-2.0-only
"""Good runs: determinism, the books, the policies that ship, scale."""

import json
import tempfile

import vrt as e2e
from vrt import run_json, source, vrt

FIFO = source("schedulers", "fifo.bpf.c")
VTIME = source("schedulers", "vtime.bpf.c")
PERCPU = source("schedulers", "percpu.bpf.c")
MIXED = source("workloads", "mixed.json")
UNFAIR = source("workloads", "unfair.json")


def group(run, name):
    return next(g for g in run["groups"] if g["name"] == name)


class Determinism(e2e.Test):
    ARGS = ("run", "eevdf", FIFO, VTIME, "--machine", "1x4x2", "--workload", MIXED,
            "--for", "300ms", "--json")

    def test_same_seed_same_bytes(self):
        first = vrt(*self.ARGS, "--seed", 7)
        second = vrt(*self.ARGS, "--seed", 7)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, second.stdout)

    def test_other_seed_other_trace(self):
        hashes = set()
        for seed in (1, 2, 3):
            done = vrt(*self.ARGS, "--seed", seed)
            hashes |= {run["trace_hash"] for run in json.loads(done.stdout)["runs"]}
        self.assertEqual(len(hashes), 9)

    def test_order_of_schedulers_does_not_matter(self):
        tail = self.ARGS[4:]
        ab = json.loads(vrt("run", FIFO, VTIME, *tail).stdout)["runs"]
        ba = json.loads(vrt("run", VTIME, FIFO, *tail).stdout)["runs"]
        self.assertEqual(ab[0]["trace_hash"], ba[1]["trace_hash"])
        self.assertEqual(ab[1]["trace_hash"], ba[0]["trace_hash"])

    def test_engines(self):
        """Compiled or interpreted: nothing but the name of the engine differs."""
        runs = []
        for option in ((), ("--interp",), ("--checked",)):
            runs += json.loads(vrt(*self.ARGS, *option).stdout)["runs"][2:]
        engines = [run.pop("engine") for run in runs]
        self.assertIn(engines[0], ("jit (x86-64)", "interpreter"))
        self.assertEqual(engines[1:], ["interpreter"] * 2)
        self.assertEqual(runs[0], runs[1])
        self.assertEqual(runs[0], runs[2])


class Policies(e2e.Test):
    def test_percpu_deals_tasks_out_and_leaves_them_there(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump({"tasks": {"t": {"instance": 24, "loop": -1, "run": 200, "sleep": 50}}}, f)
            f.flush()
            percpu, fifo = run_json(PERCPU, FIFO, "-m", "1x4x2", "-w", f.name, "-t", "500ms",
                                    "--noise", "none")["runs"]
        self.assertEqual(percpu["end"]["kind"], "done", percpu["end"])
        # three to each of eight CPUs, all of them busy, and nobody moves any more
        self.assertGreater(percpu["metrics"]["utilization_ppm"], 980_000)
        self.assertLessEqual(percpu["metrics"]["migrations"]["total"], 24)
        self.assertGreater(fifo["metrics"]["migrations"]["total"], 10 * 24)
        # the lock of the one queue is what fifo waits for
        self.assertLess(percpu["metrics"]["overhead"]["lock_ns"],
                        fifo["metrics"]["overhead"]["lock_ns"] / 4)

    def test_fifo_is_unfair_and_vtime_is_not(self):
        runs = run_json("eevdf", FIFO, VTIME, "--machine", "4", "--workload", UNFAIR,
                        "--for", "2s")["runs"]
        for run in runs:
            self.assertEqual(run["end"]["kind"], "done", run["end"])
        p50 = [group(run, "bursty")["wakeup_latency"]["p50_ns"] for run in runs]
        # behind hogs with slices of 20 ms, against a clock that favours the sleeper
        self.assertGreater(p50[1], 10_000_000)
        self.assertLess(p50[2], p50[1] / 2)
        self.assertLess(p50[0], p50[1] / 2)

    def test_settings_change_the_policy(self):
        run = run_json(FIFO, "--set", "slice_ns=2000000", "--machine", "4", "--workload", UNFAIR,
                       "--for", "2s")["runs"][0]
        self.assertLess(group(run, "bursty")["wakeup_latency"]["p50_ns"], 10_000_000)

    def test_settings_of_one_scheduler(self):
        """Each has its own, on top of what --set sets for all."""
        runs = run_json("fifo,slice_ns=2000000", "fifo", "eevdf", "--set", "fifo_ops.timeout_ms=9000",
                        "--machine", "4", "--workload", UNFAIR, "--for", "1s",
                        "--at", "900ms:swap=fifo,slice_ns=3000000")["runs"]
        self.assertEqual([r["scheduler"] for r in runs], ["fifo,slice_ns=2000000", "fifo", "eevdf"])
        common = "fifo_ops.timeout_ms=9000"
        self.assertEqual([r["settings"] for r in runs],
                         [[common, "slice_ns=2000000"], [common], [common]])
        p50 = [group(run, "bursty")["wakeup_latency"]["p50_ns"] for run in runs]
        self.assertLess(p50[0], 10_000_000)
        self.assertGreater(p50[1], 10_000_000)
        for run in runs:
            self.assertEqual([a["error"] for a in run["timeline"]], [None], run["timeline"])
            self.assertEqual(run["attachments"][1]["scheduler"], "fifo,slice_ns=3000000")
        # only one has the variable
        self.check_refused(vrt("run", "fifo,slice_us=1", "vtime", "--machine", "4",
                               "--workload", UNFAIR, "--for", "10ms"), 2, "slice_us")


class Features(e2e.Test):
    def test_reads_runqueues_of_all_cpus(self):
        run = run_json(source("tests", "e2e", "good", "reads_runqueues.bpf.c"), "--machine", "4",
                       "--workload", UNFAIR, "--for", "300ms")["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_what_turns_out_to_be_unmodelled(self):
        """In the file, and while it runs; each once."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            f.write('{"tasks": {"a": {"fork": "b", "mem": 100, "run": 10},'
                    '"b": {"instance": 0, "loop": 1, "run": 1}}}')
            f.flush()
            run = run_json("eevdf", "-m", "2", "-w", f.name, "-t", "200ms")["runs"][0]
        self.assertEqual(len(run["unmodelled"]), 2)
        self.assertIn('"mem" is modelled as', run["unmodelled"][0])
        self.assertIn('"b" was forked 1024 times', run["unmodelled"][1])

    def test_a_thousand_queues(self):
        run = run_json(source("tests", "e2e", "good", "many_dsqs.bpf.c"), "--machine", "2x16x2",
                       "--workload", MIXED, "--for", "100ms")["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        self.assertEqual(run["books"], [])


class Scale(e2e.Test):
    def test_detaching_catches_tasks_in_the_middle_of_going_to_sleep(self):
        """They change class between leaving their queue and leaving the CPU."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump({"tasks": {"t": {"instance": 256, "loop": -1, "run": 20, "sleep": 50}}}, f)
            f.flush()
            for swap in range(100, 110):
                run = run_json("fifo", "-m", "2x16x2", "-w", f.name, "-t", "120ms", "--noise", "none",
                               "--at", f"{swap}ms:swap=eevdf", "--seed", swap)["runs"][0]
                self.assertEqual(run["books"], [])

    def test_512_cpus_and_10000_tasks(self):
        run = run_json(FIFO, "--machine", "2x8x16x2", "--workload",
                       "schbench -m 16 -t 624", "--for", "50ms")["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        self.assertGreater(run["metrics"]["context_switches"]["total"], 10_000)


if __name__ == "__main__":
    e2e.main()
