# SPDX-License-Identifier: GPL-2.0-only
"""vrt verify: verdicts, sentences, and which kfunc each call gets."""

import json
import os
import sys
import tempfile
import unittest

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
                            ("-f", "insns_diff>3"): "compares no column"}.items():
            self.check_refused(vrt("verify", "fifo", *wrong), 1, text)
        failed = vrt("verify", "fifo", "--set", "nothing=1", "-o", "csv")
        self.check_refused(failed, 2, "fifo: --set nothing=1: the object has no global variable")

    def test_compare(self):
        with tempfile.TemporaryDirectory() as tmp:
            before, after = os.path.join(tmp, "before.csv"), os.path.join(tmp, "after.csv")
            text = vrt("verify", "fifo", "-o", "csv").stdout
            with open(before, "w") as f:
                f.write(text)
            with open(after, "w") as f:
                f.write("\n".join(line.replace("accepted,4,4,", "accepted,4,8,")
                                  for line in text.splitlines() if "fifo_dispatch" not in line))
            def rows(*args, files=(before, after)):
                done = vrt("verify", "-C", *files, "-o", "csv", *args)
                self.assertEqual(done.returncode, 0, done.stderr)
                head, *lines = done.stdout.splitlines()
                return {line.split(",")[1]: dict(zip(head.split(","), line.split(",")))
                        for line in lines}

            same = rows(files=(before, before))
            self.assertEqual(len(same), 4)
            for r in same.values():
                self.assertEqual((r["verdict_diff"], r["insns_diff"]), ("MATCH", "+0 (+0.00%)"))
            # the other way to give them
            self.assertEqual(rows(files=(before, "-C", after)), rows())
            joined = rows()
            self.assertEqual(joined["fifo_init"]["insns_b"], "8")
            self.assertEqual(joined["fifo_init"]["insns_diff"], "+4 (+100.00%)")
            gone = joined["fifo_dispatch"]
            self.assertEqual([gone[c] for c in ("verdict_a", "verdict_b", "verdict_diff", "insns_b",
                                                "insns_diff")],
                             ["accepted", "N/A", "N/A", "N/A", "N/A"])
            self.assertEqual(set(rows("-f", "insns_diff!=0")), {"fifo_init"})
            self.assertEqual(set(rows("-f", "insns_pct>=100")), {"fifo_init"})
            self.assertEqual(set(rows("-f", "insns_b==8")), {"fifo_init"})
            self.assertEqual(set(rows("-f", "verdict_diff==MATCH")), set(joined) - {"fifo_dispatch"})
            # what is not there comes last, and equals stay in order
            order = list(rows("-s", "|insns_diff|!"))
            self.assertEqual((order[0], order[-1]), ("fifo_init", "fifo_dispatch"))
            self.assertEqual(order[1:3], [p for p in joined if p in order[1:3]])
            self.assertEqual(list(rows("-e", "file,prog,insns,states_pct")["fifo_init"]),
                             ["file", "prog", "insns_a", "insns_b", "insns_diff", "states_pct"])
            text = vrt("verify", "-C", before, after).stdout
            self.assertIn("verdict (A)  verdict (B)  verdict (DIFF)", text)
            self.assertIn("MATCH", text)
            for wrong in ((before,), (before, after, after)):
                self.check_refused(vrt("verify", "-C", *wrong), 1, "expected two files")
            self.check_refused(vrt("verify", "-C", before, after, "-f", "insn_diff>1"), 1,
                               "compares no column", "_diff")
            with open(after, "a") as f:
                f.write("\nfifo,x\n")
            self.check_refused(vrt("verify", "-C", before, after), 1, "after.csv:5: 2 fields")

    # --- variants

    def test_variants(self):
        programs = [r["prog"] for r in self.rows("fifo", "-G", "slice_ns={1000,2-3}", "-f", "*enqueue*")]
        self.assertEqual(programs, [f"fifo_enqueue[slice_ns={n}]" for n in (1000, 2, 3)])
        # one value is a setting, as of --set
        self.assertEqual(len(self.rows("fifo", "-G", "slice_ns=1000", "-f", "fifo_enqueue")), 1)
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "modes.bpf.c")
            with open(path, "w") as f:
                f.write(MODES)
            rows = self.rows(path, "-G", "mode={SLOW,FAST}", "-G", "times={0,FAST}")
            insns = {r["prog"]: int(r["insns"]) for r in rows}
            self.assertEqual(list(insns), [f"count[mode={m}][times={t}]" for m in ("SLOW", "FAST")
                                           for t in ("0", "FAST")])
            # constants decide which way it goes, and an integer takes an enumerator
            self.assertGreater(insns["count[mode=SLOW][times=FAST]"],
                               insns["count[mode=SLOW][times=0]"])
            self.assertGreater(insns["count[mode=FAST][times=0]"], insns["count[mode=SLOW][times=0]"])
            done = vrt("verify", path, "-G", "mode={SLOW,FAS}", "-o", "csv")
            self.check_refused(done, 2, "'FAS' is no value of mode; did you mean FAST?")
            objects, _ = self.verify(path, "-G", "times={1,2}")
            self.assertEqual([o["variant"] for o in objects], ["[times=1]", "[times=2]"])
        for wrong, text in {"slice_ns={1,": "expected one '}'", "slice_ns={1,,2}": "an empty value",
                            "slice_ns={5-1}": "the range 5-1 is empty", "slice_ns": "expected VAR=VALUE",
                            "slice_ns={0..5000}": "more than 4096 values"}.items():
            self.check_refused(vrt("verify", "fifo", "-G", wrong), 1, "--set-global", text)
        # as a shell makes it of -G slice_ns={1,2}
        self.check_refused(vrt("verify", "fifo", "-G", "slice_ns=1", "slice_ns=2"), 1, "need quotes")

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


@unittest.skipUnless(os.geteuid() == 0, "only root may load programs into this host's kernel")
class Host(e2e.Test):
    def entries(self, done):
        document = json.loads(done.stdout)
        with_asked = [o for o in document["objects"] if "asked" in o]
        self.assertEqual(with_asked, document["objects"])
        self.check_documented(document["objects"][0]["programs"][0]["asked"])
        return {p["name"]: p["asked"][0] for o in document["objects"] for p in o["programs"]}

    def test_this_kernel(self):
        """Whatever it says, it is told of every program, and with a reason."""
        if not os.path.exists(os.path.join(e2e.BUILD, "src", "vm", "guest", "vrt-agent")):
            self.skipTest("this build has no agent")
        done = vrt("verify", "--on", "host", source("tests", "e2e", "good", "host_switches.bpf.c"),
                   source("tests", "e2e", "good", "burns.bpf.c"), "--json")
        entries = self.entries(done)
        self.assertEqual(set(entries), {"on_switch", "burn"})
        for e in entries.values():
            self.assertEqual((e["on"], e["kernel"]), ("host", os.uname().release))
        self.assertEqual(entries["burn"]["verdict"], "not asked")
        self.assertIn("known to vruntime only", entries["burn"]["message"])
        self.assertIsNone(entries["burn"]["agrees"])
        if entries["on_switch"]["verdict"] == "not asked":
            self.skipTest(entries["on_switch"]["message"])
        self.assertEqual((done.returncode, entries["on_switch"]["verdict"]), (0, "accepted"))
        self.assertTrue(entries["on_switch"]["agrees"])
        self.assertGreater(entries["on_switch"]["processed"], 5)
        self.assertGreater(entries["on_switch"]["host"]["duration_ns"], 0)

    def fake(self, tmp, programs):
        """An agent that gives these answers."""
        path = os.path.join(tmp, "agent")
        with open(path, "w") as f:
            f.write(f"#!{sys.executable}\nANSWER = {json.dumps(programs)!r}\n" + AGENT)
        os.chmod(path, 0o755)
        return {"VRT_AGENT": path}

    def test_other_verdicts(self):
        said = [{"name": "fifo_select_cpu", "verdict": "accepted", "processed": 24, "states": 2,
                 "peak_states": 2, "duration_ns": 123000},
                {"name": "fifo_enqueue", "verdict": "refused", "processed": 7, "states": 1,
                 "peak_states": 1, "duration_ns": 5000, "message": "5: (b7) r0 = 0\nR0 is bad"},
                {"name": "fifo_dispatch", "verdict": "not asked", "message": "it has no such thing"},
                {"name": "fifo_init", "verdict": "not asked", "message": "it has no such thing"}]
        with tempfile.TemporaryDirectory() as tmp:
            env = self.fake(tmp, said)
            done = vrt("verify", "--on", "host", "fifo", "--json", env=env)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertEqual({n: (e["verdict"], e["agrees"]) for n, e in self.entries(done).items()},
                             {"fifo_select_cpu": ("accepted", True), "fifo_enqueue": ("refused", False),
                              "fifo_dispatch": ("not asked", None), "fifo_init": ("not asked", None)})
            text = vrt("verify", "--on", "host", "fifo", env=env).stdout
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, line)
                self.assertEqual(line, line.rstrip())
            self.assertRegex(text, r"1\.2-fake +accepted +24 +2 +2 +123 us  agrees\n")
            self.assertRegex(text, r"1\.2-fake +refused +7 +1 +1 +5\.00 us  differs\n"
                                   r"      \| 5: \(b7\) r0 = 0\n      \| R0 is bad\n")
            self.assertIn("not asked: it has no such thing\n", text)
            self.assertIn("not asked, as above\n", text)
            self.assertIn("host (Linux 1.2-fake): 1 agree, 1 differ, 2 not asked\n", text)
            done = vrt("verify", "--on", "host", "fifo", "-o", "csv", "-f", "agrees==differs", env=env)
            head, line = done.stdout.splitlines()
            row = dict(zip(head.split(","), line.split(",")))
            self.assertEqual((row["prog"], row["kernel"], row["verdict"], row["insns"]),
                             ("fifo_enqueue", "1.2-fake", "refused", "7"))
            # what it refuses agrees if we do, and then it is our status
            done = vrt("verify", "--on", "host", "fifo", env=self.fake(tmp, said[:1]))
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_no_answer(self):
        with tempfile.TemporaryDirectory() as tmp:
            done = vrt("verify", "--on", "host", "fifo", env=self.fake(tmp, None))
            self.check_refused(done, 2, "does not answer any more", "not asked")
        self.check_refused(vrt("verify", "--on", "mars", "fifo"), 1, "'mars' is no place to run")


# On a descriptor, as src/vm/channel.h has it: READY, and END to the first RUN.
AGENT = """
import json, os, struct, sys
fd = int(sys.argv[1])

def send(kind, value):
    body = json.dumps(value).encode()
    os.write(fd, struct.pack("<III", 0x76727401, kind, len(body)) + body)

def take(n):
    data = b""
    while len(data) < n:
        part = os.read(fd, n - len(data))
        if not part:
            sys.exit()
        data += part
    return data

send(1, {"release": "1.2-fake", "cpus": 1})
while True:
    magic, kind, size = struct.unpack("<III", take(12))
    take(size)
    if kind == 3:
        programs = json.loads(ANSWER)
        if programs is None:
            sys.exit()
        send(6, {"release": "1.2-fake", "programs": programs, "message": "", "warnings": []})
"""

MODES = """
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
enum mode { SLOW = 3, FAST = 9 };
const volatile enum mode mode;
const volatile int times;
int out;
SEC("raw_tp/sched_switch") int count(void *ctx)
{
	for (int i = 0; i < times && i < 100; i++)
		out += i;
	if (mode == FAST)
		out++;
	return 0;
}
char _license[] SEC("license") = "GPL";
"""


if __name__ == "__main__":
    e2e.main()
