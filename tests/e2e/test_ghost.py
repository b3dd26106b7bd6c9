# SPDX-License-Identifier: GPL-2.0-only
"""ghOSt schedulers: enclaves, how they end, and that nobody is harmed."""

import vrt as e2e
from vrt import run_json, source, vrt

# first in, first out, with switches for what may go wrong
PROBE = source("tests", "unit", "ghost_probe.bpf.c")
FIFO = source("schedulers", "fifo.bpf.c")
BIFF = source("schedulers", "biff.bpf.c")
BIFF_MIN = source("schedulers", "biff_min.bpf.c")
UNFAIR = source("workloads", "unfair.json")
TAIL = ("--machine", "4", "--workload", UNFAIR, "--for", "500ms")


def run_probe(*args, status=0):
    return run_json(PROBE, "--set", "kick_cpus=4", *TAIL, *args, status=status)["runs"][0]


class Enclave(e2e.Test):
    def test_all_cpus(self):
        run = run_probe()
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        ghost = run["attachments"][0]["ghost"]
        self.assertEqual((ghost["cpus"], ghost["tasks"]), ("0-3", 12))
        self.assertEqual(ghost["messages"]["TASK_NEW"]["produced"], 12)
        self.assertGreater(ghost["latched"], 3)
        self.assertEqual(ghost["messages_produced"],
                         sum(m["produced"] for m in ghost["messages"].values()))
        self.assertGreater(run["metrics"]["utilization_ppm"], 950_000)
        self.assertGreater(run["metrics"]["attached_ns"], 499_000_000)
        self.check_documented(run)

    def test_some_cpus(self):
        run = run_probe("--enclave", "1-2", "--noise", "none")
        self.assertEqual(run["attachments"][0]["ghost"]["cpus"], "1-2")
        # hogs that nobody preempts hold these two, and nothing of it is elsewhere
        self.assertLess(run["metrics"]["utilization_ppm"], 510_000)

    def test_same_seed_same_bytes(self):
        first, second = (vrt("run", PROBE, "eevdf", *TAIL, "--json", "--seed", 3)
                         for _ in range(2))
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, second.stdout)

    def test_swap_between_kinds(self):
        run = run_json(FIFO, "--at", f"100ms:swap={PROBE}", "--at", "200ms:swap=eevdf",
                       "--at", f"300ms:swap={PROBE}", "--at", f"400ms:swap={FIFO}",
                       *TAIL)["runs"][0]
        self.assertEqual([a["ghost"] is not None for a in run["attachments"]],
                         [False, True, False, True, False])
        self.assertEqual([a["end"] for a in run["attachments"]], ["swapped"] * 4 + ["done"])
        self.assertEqual([e["error"] for e in run["timeline"]], [None] * 4)

    def test_swap_under_stress(self):
        """Tasks are made, die and change while every one of them changes hands."""
        for seed in 2, 4:
            run = run_json(BIFF, "-m", "2x4x2", "-w", "stress", "-t", "300ms", "--seed", seed,
                           "--noise", "heavy", "--enclave", "0-9", "--at", "50ms:offline=3",
                           "--at", "90ms:online=3", "--at", f"200ms:swap={FIFO}",
                           "--at", f"250ms:swap={BIFF}")["runs"][0]
            self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_bad_cpus(self):
        for cpus, text in (("4", "0 to 3"), ("", "no CPUs"), ("two", "list of CPUs")):
            self.check_refused(vrt("run", PROBE, *TAIL, "--enclave", cpus), 1, "--enclave", text)

    def test_enclave_without_ghost(self):
        done = vrt("run", FIFO, *TAIL, "--enclave", "0-1")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--enclave: this is no ghOSt scheduler", done.stderr)


class Policies(e2e.Test):
    """Those that ship."""

    def test_biff_is_fifo(self):
        biff, fifo = (r["metrics"] for r in run_json(BIFF, FIFO, *TAIL)["runs"])
        # the same policy by another mechanism: it switches as often, within a fifth
        self.assertAlmostEqual(biff["context_switches"]["total"] /
                               fifo["context_switches"]["total"], 1, delta=0.2)
        self.assertAlmostEqual(biff["lag"]["p99_ns"] / fifo["lag"]["p99_ns"], 1, delta=0.2)

    def test_biff_min_never_preempts(self):
        run = run_json(BIFF_MIN, *TAIL)["runs"][0]
        self.assertGreater(run["metrics"]["utilization_ppm"], 990_000)
        self.assertLess(run["metrics"]["context_switches"]["total"], 50)

    def test_no_task_is_lost(self):
        """Forks, exits, affinities that change, yields, CPUs that come and go."""
        run = run_json(BIFF, "-m", "2x2x2", "-w", "stress", "-t", "500ms",
                       "--runnable-timeout", "400ms", "--at", "100ms:offline=3",
                       "--at", "300ms:online=3")["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        self.assertGreater(run["attachments"][0]["ghost"]["latched"], 100)


class DoNoHarm(e2e.Test):
    """However an enclave ends, its tasks go on under eevdf."""

    def check_tasks_go_on(self, run, utilization_ppm=950_000):
        self.assertGreater(run["metrics"]["utilization_ppm"], utilization_ppm)
        bursty = next(g for g in run["groups"] if g["name"] == "bursty")
        self.assertGreater(bursty["ops"], 20)

    def test_agent_dies(self):
        run = run_probe("--at", "100ms:kill-agent")
        self.assertEqual(run["end"]["kind"], "agent_gone")
        self.assertEqual(run["end"]["time_ns"] // 1_000_000, 100)
        self.assertEqual(run["timeline"][0]["error"], None)
        self.check_tasks_go_on(run)

    def test_destroyed(self):
        run = run_probe("--at", "100ms:destroy-enclave")
        self.assertEqual(run["end"]["kind"], "destroyed")
        self.check_tasks_go_on(run)

    def test_ended_twice(self):
        run = run_probe("--at", "100ms:destroy-enclave", "--at", "200ms:kill-agent", status=2)
        self.assertEqual(run["end"]["kind"], "destroyed")
        self.assertIn("ended before", run["timeline"][1]["error"])

    def test_not_under_others(self):
        run = run_json(FIFO, *TAIL, "--at", "100ms:kill-agent", status=2)["runs"][0]
        self.assertIn("no ghOSt scheduler", run["timeline"][0]["error"])

    def test_lost_tasks(self):
        run = run_probe("--set", "forget=1", "--runnable-timeout", "100ms", status=3)
        self.assertEqual((run["end"]["kind"], run["end"]["reason"]),
                         ("error_stall", "runnable task stall"))
        self.assertIn("0.100s", run["end"]["message"])
        # nobody ran until then: a fifth of the time
        self.check_tasks_go_on(run, 750_000)

    def test_no_timeout(self):
        run = run_probe("--set", "forget=1", "--runnable-timeout", "0s")
        self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_faults(self):
        for program, name in ((1, "probe_pnt"), (2, "probe_msg")):
            run = run_probe("--set", f"fault_in={program}", status=3)
            self.assertEqual(run["end"]["kind"], "error")
            self.assertIn(f"program {name}: ghost_probe.bpf.c:", run["end"]["message"])
            self.check_tasks_go_on(run)


if __name__ == "__main__":
    e2e.main()
