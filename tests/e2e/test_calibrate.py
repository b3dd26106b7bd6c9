# SPDX-License-Identifier: GPL-2.0-only
"""vrt calibrate: on the simulated machine it must find the costs that this runs with."""

import json
import os
import tempfile

from vrt import Test, main, run_json, source, vrt

SINGLE = {"context_switch", "pick", "wakeup", "enqueue", "dequeue", "syscall", "interrupt", "tick",
          "timer_program", "lock", "fork", "exit", "open", "read"}
IPI = {"ipi_send", "ipi_latency", "cacheline_llc"}
# enqueue is taken to be as dequeue
OTHERS = {"context_switch": 1700, "pick": 333, "wakeup": 451, "enqueue": 120, "dequeue": 120,
          "syscall": 222, "interrupt": 900, "tick": 1500, "timer_program": 333, "ipi_send": 290,
          "ipi_latency": 1200, "lock": 21, "cacheline_smt": 30, "cacheline_llc": 77,
          "cacheline_node": 190, "cacheline_remote": 410, "fork": 31000, "exit": 5000,
          "open": 2500, "read": 600}


class Calibrate(Test):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = tmp.name

    def calibrate(self, *args):
        path = os.path.join(self.tmp, "out.json")
        done = vrt("calibrate", *args, "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, encoding="utf-8") as f:
            measured = json.load(f)
        for line in done.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)
        for name, value in measured.items():
            self.assertRegex(done.stdout, rf"(?m)^{name} +{value} ")
        return measured, done.stdout

    def costs(self, table):
        path = os.path.join(self.tmp, "in.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(table, f)
        return path

    def check(self, measured, expected):
        for name, value in measured.items():
            self.assertAlmostEqual(value, expected[name], delta=max(1, expected[name] * 0.03),
                                   msg=name)

    def test_changed_costs(self):
        given = self.costs(OTHERS)
        for machine, names in (("1", SINGLE), ("4", SINGLE | IPI),
                               ("4x2", SINGLE | IPI | {"cacheline_smt"}),
                               ("2x2x2x1", SINGLE | IPI | {"cacheline_node", "cacheline_remote"})):
            with self.subTest(machine):
                measured, _ = self.calibrate("--on", "sim", "-m", machine, "--costs", given)
                self.assertEqual(set(measured), names)
                self.check(measured, OTHERS)

    def test_one_by_one(self):
        """Whatever is not the changed entry stays what it was."""
        defaults, _ = self.calibrate("--on", "sim", "-m", "4")
        for name in sorted((SINGLE | IPI) - {"enqueue", "dequeue"}):
            with self.subTest(name):
                table = {name: 3 * defaults[name]}
                measured, _ = self.calibrate("--on", "sim", "-m", "4", "--costs", self.costs(table))
                self.check(measured, dict(defaults, **table))

    def test_default_costs(self):
        measured, out = self.calibrate("--on", "sim")
        for name, value in measured.items():
            self.assertRegex(out, rf"(?m)^{name} +{value} +{value}$")
        self.assertRegex(out, r"not measured: [^\0]*\bbpf_insn_ps\b")

    def test_nothing_costs_anything(self):
        measured, _ = self.calibrate("--on", "sim", "-m", "1",
                                     "--costs", self.costs({name: 0 for name in OTHERS}))
        self.assertEqual({v for k, v in measured.items()}, {0})

    def test_host(self):
        measured, _ = self.calibrate()
        # what every kernel has, in what bounds a host is that can run this test
        for name, low, high in (("syscall", 10, 100000), ("context_switch", 10, 1000000),
                                ("fork", 500, 100000000), ("lock", 1, 1000)):
            self.assertIn(name, measured)
            self.assertTrue(low <= measured[name] <= high, (name, measured[name]))
        run = run_json("eevdf", "-m", "2", "-w", "pipe", "-t", "50ms",
                       "--costs", os.path.join(self.tmp, "out.json"))["runs"][0]
        self.assertEqual(run["end"]["kind"], "done")
        # a round trip takes at least two switches
        self.assertGreater(run["groups"][0]["request_latency"]["p50_ns"],
                           2 * measured["syscall"])

    def test_bad(self):
        self.check_refused(vrt("calibrate", "--on", "moon"), 1, "--on", "moon", "vm:KERNEL")
        self.check_refused(vrt("calibrate", "--on", "sim,host"), 1, "one place")
        self.check_refused(vrt("calibrate", "--on", "vm", "--costs", self.costs({})), 1, "--costs")
        self.check_refused(vrt("calibrate", "--on", "sim", "--costs", self.costs({"warp": 1})), 1,
                           "unknown cost 'warp'")
        self.check_refused(vrt("calibrate", "fast"), 1, "fast")
        self.check_refused(vrt("calibrate", "--on", "host", "-m", "4"), 1, "--machine host")
        self.check_refused(vrt("calibrate", "--on", "sim", "-o", "/no/such/file"), 2, "/no/such/file",
                           "cannot be written")


if __name__ == "__main__":
    main()
