# SPDX-License-Identifier: GPL-2.0-only
"""Programs nobody here wrote: the kernel's schedulers, rt-app's examples."""

import glob
import json
import os
import sys
import tempfile

import vrt as e2e
from vrt import run_json, source, vrt

OBJECTS = os.path.join(e2e.BUILD, "linux")
EXAMPLES = source("third_party", "rt-app")
MIXED = source("workloads", "mixed.json")
UNFAIR = source("workloads", "unfair.json")


class Schedulers(e2e.Test):
    def run_one(self, name, *args):
        run = run_json(os.path.join(OBJECTS, name + ".bpf.o"), "--machine", "2x4x2",
                       "--workload", MIXED, "--for", "1s", *args)["runs"][0]
        self.assertEqual(run["end"]["kind"], "done", run["end"])
        self.assertGreater(run["metrics"]["utilization_ppm"], 500_000)
        return run

    def test_simple(self):
        self.run_one("scx_simple")

    def test_simple_fifo(self):
        self.run_one("scx_simple", "--set", "fifo_sched=true")

    def test_qmap(self):
        self.run_one("scx_qmap")

    def test_qmap_options(self):
        self.run_one("scx_qmap", "--set", "highpri_boosting=true", "--set", "dsp_batch=4")

    def test_central(self):
        self.run_one("scx_central")

    def test_flatcg(self):
        """Weights at every level, by scx_flatcg as by the fair class."""
        def hogs(group):
            return {"instance": 4, "taskgroup": group, "run": 5000}

        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump({"tasks": {"light": hogs("/top/light"), "heavy": hogs("/top/heavy"),
                                 "side": hogs("/side")}}, f)
            f.flush()
            runs = run_json(os.path.join(OBJECTS, "scx_flatcg.bpf.o"), "eevdf",
                            "--set", "cgrp_slice_ns=20000000", "--machine", "2",
                            "--workload", f.name, "--for", "5s", "--cgroup", "/top",
                            "--cgroup", "/side", "--cgroup", "/top/light,weight=100",
                            "--cgroup", "/top/heavy,weight=300")["runs"]
        for run in runs:
            self.assertEqual(run["end"]["kind"], "done", run["end"])
            usage = {c["path"]: c["usage_ns"] / 1e9 for c in run["cgroups"]}
            self.assertAlmostEqual(usage["/side"], 5, delta=0.3)
            self.assertAlmostEqual(usage["/top/light"], 1.25, delta=0.3)
            self.assertAlmostEqual(usage["/top/heavy"], 3.75, delta=0.3)

    def test_qmap_stall_is_noticed(self):
        run = run_json(os.path.join(OBJECTS, "scx_qmap.bpf.o"), "--machine", "4", "--workload",
                       MIXED, "--for", "8s", "--set", "stall_user_nth=100",
                       status=3)["runs"][0]
        self.assertEqual(run["end"]["kind"], "error_stall", run["end"])


class Selftests(e2e.Test):
    """The kernel's sched_ext selftests: how each must end, and with which words.

    Contexts are checked as Linux 6.12 does it: while running.
    """

    ENDS = {
        "create_dsq": ("done", ""),
        "ddsp_bogus_dsq_fail": ("error", "non-existent DSQ 0xcafef00d"),
        "ddsp_vtimelocal_fail": ("error", "cannot use vtime ordering for built-in DSQs"),
        "dsp_local_on": ("done", ""),
        "enq_last_no_enq_fails": ("error", "SCX_OPS_ENQ_LAST requires ops.enqueue()"),
        "enq_select_cpu_fails": ("error", "kfunc with mask 0x8 called from an operation"),
        "exit": ("unreg_bpf", ""),
        "hotplug": ("done", ""),
        "init_enable_count": ("done", ""),
        "maximal": ("done", ""),
        "maybe_null": ("done", ""),
        "maybe_null_fail_dsp": ("error", "NULL pointer"),
        "maybe_null_fail_yld": ("error", "NULL pointer"),
        "minimal": ("done", ""),
        "select_cpu_dfl": ("done", ""),
        "select_cpu_dfl_nodispatch": ("done", ""),
        "select_cpu_dispatch": ("done", ""),
        "select_cpu_dispatch_bad_dsq": ("error", "non-existent DSQ 0xcafef00d"),
        "select_cpu_dispatch_dbl_dsp": ("error", "already direct-dispatched"),
        "select_cpu_vtime": ("done", ""),
    }

    def test_ends(self):
        for name, (kind, message) in self.ENDS.items():
            with self.subTest(name):
                run = run_json(os.path.join(OBJECTS, "selftests", name + ".bpf.o"), "--machine",
                               "2x2x2", "--workload", UNFAIR if name != "maybe_null_fail_yld"
                               else "stress -y 4", "--for", "200ms", "--contexts", "run",
                               status=3 if kind == "error" else 0)["runs"][0]
                self.assertEqual(run["end"]["kind"], kind, run["end"])
                self.assertIn(message, run["end"]["message"])


    def test_contexts_at_load(self):
        """What Linux finds out while running is found at load; the others still load."""
        for name, (kind, message) in self.ENDS.items():
            with self.subTest(name):
                refused = name == "enq_select_cpu_fails"
                run = run_json(os.path.join(OBJECTS, "selftests", name + ".bpf.o"), "--machine",
                               "4", "--workload", UNFAIR, "--for", "1ms", "--kernel", "6.12",
                               status=None)["runs"][0]
                self.assertEqual(run["end"]["kind"] == "not_loaded", refused, run["end"])
                if refused:
                    self.assertIn("kfunc scx_bpf_select_cpu_dfl cannot be called from "
                                  "ops.enqueue: it may be called from ops.select_cpu",
                                  run["end"]["message"])


class Hotplug(e2e.Test):
    def test_restart_as_asked(self):
        for seed in (1, 2):
            run = run_json(os.path.join(OBJECTS, "scx_central.bpf.o"), "--machine", "2x4x2",
                           "--workload", MIXED, "--for", "1s", "--seed", seed,
                           "--at", "300ms:offline=3", "--at", "500ms:online=3")["runs"][0]
            self.assertEqual(run["end"]["kind"], "done", run["end"])
            self.assertEqual(len(run["attachments"]), 3)
            self.assertEqual(run["attachments"][0]["end"], "unreg_kern")


class RtApp(e2e.Test):
    def test_every_example(self):
        files = sorted(glob.glob(EXAMPLES + "/**/*.json", recursive=True))
        self.assertGreater(len(files), 15)
        for path in files:
            with self.subTest(os.path.relpath(path, EXAMPLES)):
                done = vrt("run", "eevdf", "--machine", "4", "--workload", path, "--for", "300ms",
                           "--json")
                # fragments and files in the grammar before rt-app 1.0 are refused, by name
                if done.returncode == 1:
                    self.assertIn(os.path.basename(path), done.stderr)
                    self.assertTrue("/merge/" in path or path.endswith("taskset.json"),
                                    done.stderr)
                else:
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    if not os.path.isdir(OBJECTS) or not os.path.isdir(EXAMPLES):
        print("third-party sources are not there: scripts/fetch.sh fetches them, and "
              "scripts/build-linux-schedulers.sh compiles them")
        sys.exit(e2e.SKIP)
    e2e.main()
