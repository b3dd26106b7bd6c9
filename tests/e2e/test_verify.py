# SPDX-License-Identifier: GPL-2.0-only
"""vrt verify: verdicts, sentences, and which kfunc each call gets."""

import json
import tempfile
import os

import vrt as e2e
from vrt import run_json, source, vrt

SHARED = source("tests", "e2e", "good", "shared_function.bpf.c")
UNFAIR = source("workloads", "unfair.json")


def bad(name):
    return source("tests", "e2e", "bad", name + ".bpf.c")


class Verify(e2e.Test):
    def verify(self, *args, status=0):
        """The objects of the document, by name of program, and what people see."""
        done = vrt("verify", *args, "--json")
        self.assertEqual(done.returncode, status, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual(document["schema"], "vruntime-verify-1")
        text = vrt("verify", *args)
        self.assertEqual(text.returncode, status, text.stdout)
        for line in text.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertEqual(line, line.rstrip())
        return document["objects"], " ".join(text.stdout.split())

    def programs(self, *args, status=0):
        objects, text = self.verify(*args, status=status)
        return {p["name"]: p for p in objects[0]["programs"]}, text

    def calls(self, program, kfunc):
        return {(c["from"], c["implementation"]) for c in program["kfuncs"]
                if c["kfunc"] == kfunc}

    # --- what it took

    def test_statistics(self):
        programs, text = self.programs("fifo")
        for p in programs.values():
            self.assertGreater(p["processed"], 0)
            self.assertLessEqual(p["processed"], p["instructions"]) # no loops
            self.assertNotIn("host", p)
        self.assertEqual(vrt("verify", "fifo", "--json").stdout, vrt("verify", "fifo", "--json").stdout)
        with_time = json.loads(vrt("verify", "fifo", "--json", "--host-stats").stdout)
        self.assertGreater(with_time["objects"][0]["programs"][0]["host"]["duration_ns"], 0)

    def rows(self, *args, status=0):
        done = vrt("verify", *args, "--output", "csv")
        self.assertEqual(done.returncode, status, done.stderr)
        head, *lines = done.stdout.splitlines()
        return [dict(zip(head.split(","), line.split(","))) for line in lines]

    def test_rows(self):
        usual = self.rows("fifo", "vtime,slice_ns=1000000")
        self.assertEqual(set(usual[0]), {"file", "prog", "verdict", "size", "insns", "states",
                                         "peak_states"})
        self.assertEqual({r["file"] for r in usual}, {"fifo", "vtime;slice_ns=1000000"})
        largest = self.rows("fifo", "vtime", "--emit", "prog,total_insns", "--sort", "insns!")
        insns = [int(r["insns"]) for r in largest]
        self.assertEqual(insns, sorted(insns, reverse=True))
        self.assertEqual({r["prog"] for r in self.rows("fifo", "vtime", "-f", "*enqueue")},
                         {"fifo_enqueue", "vtime_enqueue"})
        self.assertEqual({r["prog"] for r in self.rows("fifo", "vtime", "-f", "fifo/*",
                                                       "-f", f"insns>={insns[1]}")},
                         {r["prog"] for r in largest if int(r["insns"]) >= insns[1]
                          and r["prog"].startswith("fifo")})
        self.assertEqual(len(self.rows("fifo", "-f", "!*enqueue")), 3)
        self.assertEqual(len(self.rows(bad("no_null_check"), "-f", "verdict==refused", status=2)), 1)
        for wrong, text in {("-e", "inns"): "no column 'inns'; there are file, prog",
                            ("-f", "inns>3"): "compares no column",
                            ("-f", "insns>many"): "expected a number",
                            ("-C", "a.csv"): "expected two files"}.items():
            self.check_refused(vrt("verify", "fifo", *wrong), 1, text)

    def test_compare(self):
        with tempfile.TemporaryDirectory() as tmp:
            before, after = os.path.join(tmp, "before.csv"), os.path.join(tmp, "after.csv")
            text = vrt("verify", "fifo", "-o", "csv").stdout
            with open(before, "w") as f:
                f.write(text)
            with open(after, "w") as f:
                f.write("\n".join(line.replace("accepted,4,4,", "accepted,4,8,")
                                  for line in text.splitlines() if "fifo_dispatch" not in line))
            done = vrt("verify", "-C", before, "-C", before)
            self.assertEqual((done.returncode, done.stdout), (0, "0 of 4 programs differ\n"))
            done = vrt("verify", "-C", before, "-C", after)
            self.assertIn("+4 (+100.0%)", done.stdout)
            self.assertIn("fifo/fifo_dispatch: only in the first", done.stdout)
            self.assertIn("2 of 4 programs differ", done.stdout)
            with open(after, "a") as f:
                f.write("\nfifo,x\n")
            self.check_refused(vrt("verify", "-C", before, "-C", after), 1, "after.csv:5: 2 fields")

    def test_explanation(self):
        programs, text = self.programs(bad("no_null_check"), status=2)
        why = programs["bad_enqueue"]["explanation"]
        self.assertEqual(why["message"], "R0 invalid mem access 'map_value_or_null'")
        self.assertEqual(why["at"]["where"], "no_null_check.bpf.c:17")
        self.assertIn("map_value_or_null", why["known"]["R0"])
        self.assertFalse(why["path"][-1]["taken"])
        self.assertIn("NULL", why["hint"])
        self.assertGreater(programs["bad_enqueue"]["processed"], 0)

    def test_log(self):
        log = vrt("verify", bad("no_null_check"), "--log", "kernel").stdout
        self.assertIn("0: R1=ctx() R10=fp0\n", log)
        self.assertRegex(log, r"\nprocessed \d+ insns \(limit 1000000\) ")
        self.assertIn("from ", vrt("verify", "fifo", "--log", "full").stdout)

    def test_accepted(self):
        programs, text = self.programs("fifo")
        self.assertEqual({p["verdict"] for p in programs.values()}, {"accepted"})
        self.assertEqual(programs["fifo_enqueue"]["member"], "enqueue")
        self.assertEqual(programs["fifo_enqueue"]["section"], "struct_ops/fifo_enqueue")
        self.assertGreater(programs["fifo_enqueue"]["instructions"], 5)
        self.assertIn("fifo: accepted", text)
        self.assertNotIn("implementation", text)

    def test_objects_of_different_kernels(self):
        """Each is checked against its own kernel, with its own settings."""
        objects, _ = self.verify("hello/fifo", "fifo,slice_ns=1000000",
                                 source("tests", "e2e", "good", "linux_7_0.bpf.c"))
        self.assertEqual([(o["kernel"], o["verdict"]) for o in objects],
                         [("6.12", "accepted"), ("7.0", "accepted"), ("7.0", "accepted")])

    # --- polymorphic kfuncs

    def test_implementations(self):
        for kernel, name in (("6.12", "scx_bpf_dispatch"), ("7.0", "scx_bpf_dsq_insert")):
            programs, text = self.programs(SHARED, "--kfuncs", "--kernel", kernel)
            self.assertEqual(self.calls(programs["shared_enqueue"], name),
                             {("enqueue", "scx_bpf_dispatch_direct")})
            self.assertEqual(self.calls(programs["shared_dispatch"], name),
                             {("dispatch", "scx_bpf_dispatch_buffered")})
            # behind a constant that is false
            self.assertEqual(self.calls(programs["shared_running"], name), {("", None)})
            self.assertIn(name + " scx_bpf_dispatch_direct", text)
            self.assertIn(name + " scx_bpf_dispatch_buffered", text)
            self.assertIn(name + " (cannot be reached)", text)

    def test_implementations_run(self):
        for kernel in ("6.12", "7.0"):
            for contexts in ("load", "run"):
                run = run_json(SHARED, "-m", "4", "-w", UNFAIR, "-t", "300ms", "--kernel",
                               kernel, "--contexts", contexts)["runs"][0]
                self.assertEqual(run["end"]["kind"], "done", run["end"])
                self.assertEqual(run["contexts"], contexts)
                self.assertGreater(run["metrics"]["utilization_ppm"], 900_000)
                load = run["trace_hash"] if contexts == "load" else load
                # who chooses makes no difference to what happens
                self.assertEqual(run["trace_hash"], load)

    def test_constant_decides(self):
        programs, text = self.programs(SHARED, "--set", "no_such_luck=1", "--kernel", "6.12",
                                       status=2)
        self.assertEqual(programs["shared_running"]["verdict"], "refused")
        self.assertIn("kfunc scx_bpf_dispatch cannot be called from ops.running: it may be "
                      "called from ops.select_cpu, ops.enqueue and ops.dispatch", text)

    # --- refusals

    REFUSALS = {
        "enqueue_consumes": "kfunc scx_bpf_consume cannot be called from ops.enqueue: it may be "
                            "called from ops.dispatch",
        "dequeue_counts_slots": "kfunc scx_bpf_dispatch_nr_slots cannot be called from "
                                "ops.dequeue: it may be called from ops.dispatch",
        "dispatch_wants_cgroup": "kfunc scx_bpf_task_cgroup cannot be called from ops.dispatch: "
                                 "it may be called from ops.select_cpu, ops.enqueue, "
                                 "ops.dequeue, ops.tick, ops.runnable, ops.running, ",
        "tick_dumps": "kfunc scx_bpf_dump_bstr cannot be called from ops.tick: it may be called "
                      "from ops.dump, ops.dump_cpu and ops.dump_task",
        "runnable_selects": "kfunc scx_bpf_select_cpu_dfl cannot be called from ops.runnable: it "
                            "may be called from ops.select_cpu",
        "running_dispatches": "kfunc scx_bpf_dispatch cannot be called from ops.running: it may "
                              "be called from ops.select_cpu, ops.enqueue and ops.dispatch",
        "stopping_dispatches_vtime": "kfunc scx_bpf_dispatch_vtime cannot be called from "
                                     "ops.stopping: it may be called from ops.select_cpu, "
                                     "ops.enqueue and ops.dispatch",
        "quiescent_reenqueues": "kfunc scx_bpf_reenqueue_local cannot be called from "
                                "ops.quiescent: it may be called from ops.cpu_release",
        "enable_creates": "kfunc scx_bpf_create_dsq cannot be called from ops.enable: it may be "
                          "called from ops.init_task, ",
    }

    def test_contexts(self):
        programs, text = self.programs(bad("contexts"), "--kernel", "6.12", status=2)
        self.assertEqual(programs.pop("select_cpu_is_fine")["verdict"], "accepted")
        self.assertEqual(set(programs), set(self.REFUSALS))
        for name, sentence in self.REFUSALS.items():
            with self.subTest(name):
                program = programs[name]
                self.assertEqual(program["verdict"], "refused")
                lines = program["message"].split("\n")
                # the sentence, the source line, the instruction
                self.assertTrue(lines[0].startswith(sentence), lines[0])
                self.assertRegex(lines[1], r"^  at:    contexts\.bpf\.c:\d+: .*scx_bpf_")
                self.assertRegex(lines[2], r"^ +\d+: call scx_bpf_")
                self.assertIn(sentence, text)

    def test_select_cpu_is_wider_later(self):
        """Linux 7.0 lets ops.enqueue choose, too."""
        for kernel, verdict in (("6.12", "refused"), ("any", "refused")):
            programs, text = self.programs(bad("contexts"), "--kernel", kernel, status=2)
            self.assertEqual(programs["runnable_selects"]["verdict"], verdict)
        self.assertIn("scx_bpf_select_cpu_dfl cannot be called from ops.runnable: it may be called "
                      "from ops.select_cpu, ops.enqueue, ops.init_task, ", text)

    def test_timer(self):
        programs, text = self.programs(bad("timer_dispatches"), "--kernel", "6.12", status=2)
        self.assertEqual(programs["timer_init"]["verdict"], "refused")
        self.assertIn("kfunc scx_bpf_dispatch cannot be called from a callback of a timer: it may "
                      "be called from ops.select_cpu, ops.enqueue and ops.dispatch", text)

    def test_own_name(self):
        for contexts in ("load", "run"):
            done = vrt("run", bad("own_name"), "-m", "4", "-w", UNFAIR, "-t", "10ms",
                       "--contexts", contexts)
            self.check_refused(done, 2, "kfunc scx_bpf_dispatch_direct cannot be called by this "
                                        "name: call scx_bpf_dsq_insert")

    def test_refused_at_load(self):
        """vrt run says the same, once, and nothing has run."""
        done = vrt("run", bad("wrong_context"), "-m", "4", "-w", UNFAIR, "-t", "10ms",
                   "--kernel", "6.12")
        self.check_refused(done, 2, "program 'bad_enqueue' was refused",
                           "kfunc scx_bpf_consume cannot be called from ops.enqueue")
        done = vrt("run", bad("timer_dispatches"), "-m", "4", "-w", UNFAIR, "-t", "10ms",
                   "--contexts", "run")
        self.check_refused(done, 3, "kfunc with mask 0x6 called from an operation only allowing "
                                    "0x0")

    # --- bad input

    def test_others_go_on(self):
        objects, text = self.verify("fifo", "nowhere.bpf.o", bad("unknown_kfunc"), status=2)
        self.assertEqual([o["verdict"] for o in objects], ["accepted", "failed", "failed"])
        self.assertIn("nowhere.bpf.o: no such file", text)
        self.assertIn("scx_bpf_dispach_to_the_moon", text)

    def test_usage(self):
        self.check_refused(vrt("verify"), 1, "no object given")
        self.check_refused(vrt("verify", "fifo", "--kfunc"), 1, "--kfuncs")
        self.check_refused(vrt("verify", "fifo", "-m", "0"), 1, "machine")
        self.check_refused(vrt("verify", "fifo", "--set", "slice_n=1"), 2, "slice_n", "slice_ns")


if __name__ == "__main__":
    e2e.main()
