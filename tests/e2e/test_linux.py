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
    """What the kernel's sched_ext selftests show of vrt's own ways.

    Whether they do what they must is tests/conformance/scx_selftests.
    """

    def test_contexts_at_load(self):
        """What Linux finds out while running is found at load; the others still load."""
        objects = sorted(glob.glob(os.path.join(OBJECTS, "selftests", "*.bpf.o")))
        self.assertGreater(len(objects), 20)
        for path in objects:
            name = os.path.basename(path)[:-len(".bpf.o")]
            if name.startswith("maybe_null_fail"):
                continue
            with self.subTest(name):
                refused = name == "enq_select_cpu_fails"
                run = run_json(path, "--machine", "4", "--workload", UNFAIR, "--for", "1ms",
                               "--kernel", "6.12", status=None)["runs"][0]
                self.assertEqual(run["end"]["kind"] == "not_loaded", refused, run["end"])
                if refused:
                    self.assertIn("kfunc scx_bpf_select_cpu_dfl cannot be called from "
                                  "ops.enqueue: it may be called from ops.select_cpu",
                                  run["end"]["message"])


    def test_tables_and_programs(self):
        """--ops chooses among tables, --at run= among programs; what is not there is said."""
        def run(name, *args):
            return vrt("run", os.path.join(OBJECTS, "selftests", name + ".bpf.o"), "-m", "4", "-w",
                       UNFAIR, "-t", "50ms", "--kernel", "6.12", *args)

        done = run("hotplug", "--ops", "hotplug_nocb_ops", "--json")
        self.assertEqual(json.loads(done.stdout)["runs"][0]["attachments"][0]["ops"],
                         "hotplug_nocb_ops")
        self.assertNotIn("of several", done.stderr)
        self.check_refused(run("hotplug", "--ops", "hotplug"), 2, "no struct_ops table 'hotplug'",
                           "hotplug_cb_ops, hotplug_nocb_ops")
        done = run("prog_run", "--at", "20ms:run=prog_run_syscall")
        self.assertIn("returned 0", done.stdout)
        self.assertIn("left by itself after 20.0 ms", done.stdout)
        self.check_refused(run("prog_run", "--at", "20ms:run=prog"), 2, "no program 'prog' to run")
        self.check_refused(run("prog_run", "--at", "20ms:run=prog_run_exit"), 2,
                           'only SEC("syscall") programs can be run')
        self.check_refused(run("prog_run", "--at", "1ms:swap=eevdf", "--at", "20ms:run=prog"), 2,
                           "no BPF scheduler is in charge")


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
