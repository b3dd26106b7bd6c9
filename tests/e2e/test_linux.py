# SPDX-License-Identifier: GPL-2.0-only
"""Programs nobody here wrote: the kernel's schedulers, rt-app's examples."""

import glob
import os
import sys

import vrt as e2e
from vrt import run_json, source, vrt

OBJECTS = os.path.join(e2e.BUILD, "linux")
EXAMPLES = source("third_party", "rt-app")
MIXED = source("workloads", "mixed.json")


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

    def test_qmap_stall_is_noticed(self):
        run = run_json(os.path.join(OBJECTS, "scx_qmap.bpf.o"), "--machine", "4", "--workload",
                       MIXED, "--for", "8s", "--set", "stall_user_nth=100",
                       status=3)["runs"][0]
        self.assertEqual(run["end"]["kind"], "error_stall", run["end"])


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
