# SPDX-License-Identifier: GPL-2.0-only
"""Generations of Linux: which one a scheduler gets, what is there, what is not."""

import os
import tempfile
import unittest

import vrt as e2e
from vrt import run_json, source, vrt

FIFO = source("schedulers", "fifo.bpf.c")
HELLO_FIFO = source("schedulers", "hello", "fifo.bpf.c")
HELLO_WEIGHTED = source("schedulers", "hello", "weighted.bpf.c")
NEW = source("tests", "e2e", "good", "linux_7_0.bpf.c")
BY_NODE = source("tests", "e2e", "good", "idle_by_node.bpf.c")
MIXED_NAMES = source("tests", "e2e", "bad", "mixed_kernels.bpf.c")
UNFAIR = source("workloads", "unfair.json")
MIXED = source("workloads", "mixed.json")
LINUX = os.path.join(e2e.BUILD, "linux")
TAIL = ("--machine", "4", "--workload", UNFAIR, "--for", "300ms")


def kernels(*args, **kwargs):
    return [run["kernel"] for run in run_json(*args, **kwargs)["runs"]]


def printed(run):
    return [entry["line"] for entry in run["log"] if entry["source"] == "bpf"]


class Auto(e2e.Test):
    def test_each_run_has_its_own(self):
        self.assertEqual(kernels("eevdf", FIFO, HELLO_FIFO, HELLO_WEIGHTED, NEW, *TAIL),
                         ["7.0", "7.0", "6.12", "6.12", "7.0"])

    def test_the_header_says_which(self):
        done = vrt("run", HELLO_FIFO, NEW, *TAIL)
        self.assertIn("kernel    6.12 for fifo, 7.0 for linux_7_0\n", done.stdout)
        done = vrt("run", HELLO_FIFO, HELLO_WEIGHTED, *TAIL)
        self.assertIn("kernel    6.12\n", done.stdout)

    @unittest.skipUnless(os.path.isdir(LINUX), "third-party sources are not there")
    def test_schedulers_of_the_kernel(self):
        names = ("scx_simple", "scx_qmap", "scx_central")
        paths = [os.path.join(LINUX, name + ".bpf.o") for name in names]
        self.assertEqual(kernels(*paths, *TAIL), ["6.12"] * 3)

    def test_no_kernel_fits(self):
        done = vrt("run", MIXED_NAMES, *TAIL)
        self.check_refused(done, 2, "no kernel generation has all", "7.0 has no scx_bpf_dispatch;",
                           "6.12 has no scx_bpf_dsq_insert;", "--kernel any")
        run = run_json(MIXED_NAMES, *TAIL, status=2)["runs"][0]
        self.assertIsNone(run["kernel"])
        self.assertEqual(run["end"]["kind"], "not_loaded")

    def test_what_is_swapped_in_counts(self):
        run = run_json(FIFO, *TAIL, "--at", "100ms:swap=" + HELLO_FIFO)["runs"][0]
        self.assertEqual(run["kernel"], "6.12")
        self.assertIsNone(run["timeline"][0]["error"])
        done = vrt("run", NEW, *TAIL, "--at", "100ms:swap=" + HELLO_FIFO)
        self.check_refused(done, 2, "no kernel generation fits all objects of this run",
                           "linux_7_0.bpf.c fits 7.0", "hello/fifo.bpf.c fits 6.12")


class Chosen(e2e.Test):
    def test_any_has_all_names(self):
        for path in (MIXED_NAMES, HELLO_FIFO, NEW, FIFO):
            run = run_json(path, "--kernel", "any", *TAIL)["runs"][0]
            self.assertEqual(run["kernel"], "any")
            self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_what_is_not_there(self):
        done = vrt("run", NEW, "--kernel", "6.12", *TAIL)
        self.check_refused(done, 2, "is not in this kernel, but in Linux 7.0 (--kernel 7.0)")
        done = vrt("run", HELLO_FIFO, "--kernel", "7.0", *TAIL)
        self.check_refused(done, 2, "is not in this kernel, but in Linux 6.12 (--kernel 6.12)")

    def test_weak_names_run_on_both(self):
        for kernel in ("6.12", "7.0"):
            run = run_json(FIFO, "--kernel", kernel, *TAIL)["runs"][0]
            self.assertEqual(run["kernel"], kernel)
            self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_unknown_generation(self):
        self.check_refused(vrt("run", FIFO, "--kernel", "5.4", *TAIL), 1, "--kernel", "6.12")

    def test_flags_of_a_later_kernel(self):
        with open(HELLO_FIFO, encoding="utf-8") as fifo:
            text = fifo.read().replace(".name =", ".flags = SCX_OPS_BUILTIN_IDLE_PER_NODE, .name =")
        with tempfile.NamedTemporaryFile("w", suffix=".bpf.c") as f:
            f.write(text)
            f.flush()
            self.check_refused(vrt("run", f.name, *TAIL), 2, "fifo_scheduler")


class New(e2e.Test):
    """What 7.0 has and 6.12 has not, used in earnest."""

    def test_names_of_7_0(self):
        for args in (("--machine", "4x2", "--workload", UNFAIR),
                     ("--machine", "2x4x2", "--workload", MIXED)):
            run = run_json(NEW, *args, "--for", "500ms")["runs"][0]
            self.assertEqual(run["end"]["kind"], "done", run["end"])
            self.assertEqual(printed(run), ["direct 1 selected 1 moved 1", "reenqueued 1 initialized 1"])
            self.assertEqual(run["books"], [])

    def test_idle_masks_by_node(self):
        args = ("--machine", "2x4x2", "--workload", MIXED, "--for", "500ms")
        run = run_json(BY_NODE, *args)["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        self.assertEqual(printed(run), ["here 1 elsewhere 1"])
        run = run_json(BY_NODE, *args, "--set", "ask_for_machine=true", status=3)["runs"][0]
        self.assertIn("per-node idle tracking is enabled", run["end"]["message"])

    def test_default_choice_of_a_cpu_stays_near(self):
        """Four LLCs with idle CPUs in all of them: 7.0 looks into its own first."""
        far = {}
        for kernel in ("6.12", "7.0"):
            run = run_json(FIFO, "--kernel", kernel, "--machine", "1x4x8x1", "--workload",
                           source("workloads", "web.json"), "--for", "300ms")["runs"][0]
            moved = run["metrics"]["migrations"]
            self.assertGreater(moved["total"], 1000)
            far[kernel] = moved["node"] / moved["total"]
        self.assertGreater(far["6.12"], 0.5)
        self.assertLess(far["7.0"], 0.3)


class Slides(e2e.Test):
    """The claims of the hello-ebpf talk about its two schedulers."""

    @staticmethod
    def share(run, name):
        group = next(g for g in run["groups"] if g["name"] == name)
        return group["share_ppm"] / group["tasks"]

    def ratios(self, workload):
        runs = run_json("eevdf", HELLO_FIFO, HELLO_WEIGHTED, "--machine", "1", "--workload",
                        source("workloads", workload + ".json"))["runs"]
        for run in runs:
            self.assertEqual(run["end"]["kind"], "done", run["end"])
        return [self.share(run, "B") / self.share(run, "A") for run in runs]

    def test_fifo_runs_b_20_times_longer(self):
        eevdf, fifo, weighted = self.ratios("slides-fifo")
        self.assertLess(eevdf, 3)
        # slices of 20 ms end with a tick, of which there is one every 4 ms
        self.assertGreater(fifo, 19)
        self.assertLess(fifo, 25)
        # no slice is cut short, and there is nobody else to be before
        self.assertAlmostEqual(weighted, fifo, delta=1)

    def test_weighted_is_fair(self):
        eevdf, fifo, weighted = self.ratios("slides-weighted")
        self.assertGreater(fifo, 19)
        self.assertLess(fifo, 25)
        self.assertLess(weighted, 1.25)
        self.assertGreater(weighted, 0.8)
        self.assertLess(abs(eevdf - 1), 0.25)

    def test_side_by_side(self):
        runs = run_json("eevdf", HELLO_FIFO, HELLO_WEIGHTED, "--machine", "4", "--workload",
                        UNFAIR, "--for", "2s")["runs"]
        eevdf, fifo, weighted = [self.share(run, "hog") / self.share(run, "bursty")
                                 for run in runs]
        self.assertGreater(fifo, 19)
        self.assertLess(weighted, fifo / 1.5)
        self.assertLess(eevdf, weighted)


if __name__ == "__main__":
    e2e.main()
