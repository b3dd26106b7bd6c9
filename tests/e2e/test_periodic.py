# SPDX-License-Identifier: GPL-2.0-only
"""Periodic programs (SchedBPF) beside schedulers, control groups, watched maps."""

import os
import re
import tempfile

import vrt as e2e
from vrt import run_json, source, vrt

BEATS = source("tests", "e2e", "good", "beats.bpf.c")
FAULTS = source("tests", "e2e", "bad", "periodic_faults.bpf.c")
WORKERS = source("tests", "e2e", "good", "workers.bpf.c")
CPUS = source("tests", "e2e", "good", "cpus.bpf.c")
GHOST = source("tests", "e2e", "good", "ghost_periodic.bpf.c")
BURNS = source("tests", "e2e", "good", "burns.bpf.c")
FIFO = source("schedulers", "fifo.bpf.c")
UNFAIR = source("workloads", "unfair.json")
TAIL = ("--machine", "4", "--workload", UNFAIR, "--for", "500ms")


def programs(run):
    return {p["name"]: p for w in run["with"] for p in w["periodic"]}


class Periodic(e2e.Test):
    def test_runs_every_period(self):
        run = run_json("eevdf", "--with", BEATS, *TAIL, "--noise", "none")["runs"][0]
        beside = run["with"][0]
        self.assertEqual((beside["object"], beside["kinds"]), ("beats", ["periodic"]))
        slow, fast = programs(run)["slow"], programs(run)["fast"]
        self.assertEqual((slow["period_ns"], slow["nice"]), (20_000_000, 5))
        self.assertEqual(slow["runs"], 25)
        self.assertEqual(fast["period_ns"], 1_000_000)
        # no run is lost without being counted
        self.assertIn(fast["runs"] + fast["missed"], (499, 500, 501))
        self.assertGreater(fast["runs"], 450)
        self.assertEqual(fast["run_time"]["count"], fast["runs"])
        self.assertEqual(fast["wakeup_latency"]["count"], fast["runs"])

    def test_settings_are_the_objects_own(self):
        short, long = (run_json("eevdf", "--with", f"{BEATS},turns={turns}", *TAIL)["runs"][0]
                       for turns in (1, 10_000))
        self.assertGreater(programs(long)["slow"]["run_time"]["p50_ns"],
                           100 * programs(short)["slow"]["run_time"]["p50_ns"])

    def test_beside_any_scheduler(self):
        runs = run_json("eevdf", FIFO, "--with", BEATS, "--at", f"250ms:swap={FIFO}",
                        *TAIL)["runs"]
        for run in runs:
            self.assertEqual(run["end"]["kind"], "done", run["end"])
            self.assertGreater(programs(run)["slow"]["runs"], 5)

    def test_fault_stops_the_program_alone(self):
        run = run_json("eevdf", "--with", FAULTS, *TAIL, status=3)["runs"][0]
        self.assertEqual(run["end"]["kind"], "done")
        program = programs(run)["bad"]
        self.assertTrue(program["failed"])
        self.assertEqual(program["runs"], 3)
        self.assertIn("instructions",
                      "".join(entry["line"] for entry in run["log"]))
        done = vrt("run", "eevdf", "--with", FAULTS, *TAIL)
        self.assertIn("periodic program bad was stopped", done.stdout)

    def test_same_seed_same_bytes(self):
        first, second = (vrt("run", "eevdf", FIFO, "--with", BEATS, "--watch", "beats=50ms",
                             *TAIL, "--json", "--seed", 5) for _ in range(2))
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, second.stdout)


class Workers(e2e.Test):
    """Two programs share a thread, and one manages its periods itself."""

    def test_all_kinds(self):
        for interp in ((), ("--interp",)):
            run = run_json("eevdf", "--with", WORKERS, *TAIL, "--noise", "none", *interp)["runs"][0]
            left, right, loop = (programs(run)[name] for name in ("left", "right", "loop"))
            self.assertEqual((left["worker"], right["worker"], loop["worker"]),
                             ("both", "both", None))
            self.assertEqual(left["pid"], right["pid"])
            self.assertEqual([p["mode"] for p in (left, right, loop)],
                             ["framework", "framework", "program"])
            self.assertEqual((left["nice"], right["nice"]), (2, 2))
            self.assertEqual((left["runs"] + left["missed"], right["runs"] + right["missed"]),
                             (125, 62))
            # 4 ms after each run is the next, though the period is 20
            self.assertIn(loop["runs"], range(115, 122))
            self.assertEqual(loop["failed"], False)
            for p in (left, right, loop):
                self.check_documented(p)

    def test_changes_while_it_runs(self):
        run = run_json("eevdf", "--with", WORKERS, "--cgroup", "/slow,max=1ms/20ms", "--at",
                       "100ms:cgroup=bpf/loop:/slow", "--at", "200ms:nice=bpf/both:7", "--at",
                       "300ms:cpus=bpf/loop:3", *TAIL)["runs"][0]
        self.assertEqual([e["error"] for e in run["timeline"]], [None] * 3)
        self.assertEqual(programs(run)["loop"]["cgroup"], "/slow")
        self.assertEqual(programs(run)["right"]["nice"], 7)
        run = run_json("eevdf", "--with", WORKERS, "--at", "100ms:cgroup=bpf/loop:/none", "--at",
                       "200ms:nice=bpf/nobody:7", *TAIL, status=2)["runs"][0]
        self.assertEqual([e["error"] for e in run["timeline"]],
                         ["there is no cgroup '/none': --cgroup makes one",
                          "there is no task 'bpf/nobody'"])

    def test_disagree(self):
        self.check_refused(vrt("run", "eevdf", "--with", f"{WORKERS},right.nice=3", *TAIL), 2,
                           "'right' could not be attached",
                           'nice is 3: the other programs of worker "both" have 2')
        self.check_refused(vrt("run", "eevdf", "--with", f"{WORKERS},loop.worker=both", *TAIL), 2,
                           "a program that manages its periods itself needs a thread of its own")


class Tasks(e2e.Test):
    """Threads of programs are tasks, for whoever looks at them."""

    def test_in_the_trace(self):
        """Woken by a timer, switched in and out, preempted, throttled: like all others."""
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "trace.txt")
            run = run_json("eevdf", "--with", BURNS, "--cgroup", "/gc,max=2ms/20ms", "--machine",
                           "1", "--workload", "schbench -m 1 -t 1", "--for", "200ms", "--trace",
                           path)["runs"][0]
            with open(path, encoding="utf-8") as f:
                lines = [line for line in f if "bpf/burner" in line]
        burner = programs(run)["burner"]
        pid = burner["pid"]
        woken = [line for line in lines if re.search(rf"sched_wakeup: .*pid={pid} ", line)]
        ins = [line for line in lines if re.search(rf"sched_switch: .*next_pid={pid} ", line)]
        outs = [line for line in lines if re.search(rf"sched_switch: .*prev_pid={pid} ", line)]
        # one wakeup for each run, but those whose time came in the run before
        self.assertLessEqual(abs(len(woken) - burner["runs"]), 2 + burner["missed"])
        self.assertLessEqual(abs(len(ins) - len(outs)), 1)
        # in the middle of its runs it has lost the CPU: it was runnable still
        self.assertGreater(sum("prev_state=R" in line for line in outs), 5)
        self.assertGreater(burner["throttled_ns"], 50_000_000)
        self.assertGreater(burner["delay_ns"], 10_000_000)

    def test_compiled_and_interpreted_are_the_same(self):
        """To the nanosecond: when they run, who preempts them, what they are told."""
        runs = [run_json("eevdf", "--with", WORKERS, "--with", BURNS, "--with",
                         "periodic_map_gc", "--cgroup", "/gc,max=2ms/20ms", *TAIL, *how)["runs"][0]
                for how in ((), ("--interp",))]
        self.assertEqual(runs[0]["trace_hash"], runs[1]["trace_hash"])
        self.assertEqual(runs[0]["with"], runs[1]["with"])


class SharedMaps(e2e.Test):
    """A ghOSt scheduler and a periodic program of one object work together."""

    def figures(self, run):
        text = run["timeline"][-1]["text"]
        return {name: int(n) for name, n in re.findall(r"(\w+) = (\d+)", text)}

    def test_ghost(self):
        free, tight = run_json(GHOST, GHOST + ",allowance=4", "-m", "4", "-w", "hackbench", "-t",
                               "500ms", "--print", ".bss")["runs"]
        for run in (free, tight):
            self.assertEqual(run["end"]["kind"], "done", run["end"])
            attachment = run["attachments"][0]
            looker, ghost = attachment["periodic"][0], attachment["ghost"]
            seen = self.figures(run)
            self.assertEqual(looker["name"], "looker")
            self.assertAlmostEqual(looker["runs"], 250, delta=8)
            # what the scheduler has written the program has read, but for the last 2 ms
            self.assertEqual(seen["nr_picked"], ghost["latched"])
            self.assertLessEqual(seen["nr_summed"], seen["nr_picked"])
            self.assertGreater(seen["nr_summed"], 0.9 * seen["nr_picked"] - 10)
        # and the other way round: so many picks between two looks
        self.assertEqual(self.figures(free)["nr_denied"], 0)
        seen = self.figures(tight)
        self.assertLessEqual(seen["nr_picked"], 4 * (seen["nr_looks"] + 1))
        self.assertGreater(seen["nr_picked"], 3 * seen["nr_looks"])
        self.assertGreater(self.figures(free)["nr_picked"], seen["nr_picked"])


class CrossCore(e2e.Test):
    """What CPUs do, for programs; and what looking does to them."""

    def run_beside(self, *with_):
        return run_json("eevdf", *with_, "-m", "8", "-w", "schbench -m 1 -t 12", "-t", "500ms",
                        "--noise", "none", "--print", "loads", "--print", ".bss")["runs"][0]

    def test_is_told(self):
        run = self.run_beside("--with", CPUS)
        rows = [{k: int(v) for k, v in re.findall(r"\.(\w+) = (\d+)", line)}
                for line in run["timeline"][0]["text"].splitlines()]
        self.assertEqual(len(rows), 8)
        for row in rows:
            self.assertAlmostEqual(row["busy_ms"] + row["idle_ms"], 500, delta=3)
            # who runs there is one of those that are counted
            self.assertLessEqual(row["pid"] > 0, row["nr_running"] > 0)
        sums = dict(re.findall(r"(\w+) = (\d+)", run["timeline"][1]["text"]))
        for which in ("busy_ms", "idle_ms"):
            self.assertAlmostEqual(int(sums["all_" + which]), sum(r[which] for r in rows), delta=8)
        # since boot, which is a little before the workload begins
        self.assertAlmostEqual(int(sums["all_idle_ms"]), run["metrics"]["idle_ns"] / 1e6, delta=8)

    def test_looking_interferes(self):
        """Every 10 us: CPUs wait for their own runqueues to come back."""
        none, some, often = (
            run["metrics"]["overhead"]["lock_ns"] for run in (
                self.run_beside(), self.run_beside("--with", CPUS),
                self.run_beside("--with", CPUS + ",looker.period_ns=10000")))
        self.assertLess(none, some)
        self.assertLess(some + 0.1 * none, often)


class MapGc(e2e.Test):
    """The lesson: 5 new connections a millisecond, 200 old ones."""

    def left(self, max_age, sched="eevdf", more=""):
        run = run_json(sched, "--with", f"periodic_map_gc,max_age_ns={max_age}{more}",
                       "--at", "480ms:print=periodic.bss", "--noise", "none", *TAIL)["runs"][0]
        self.assertFalse(any(p["failed"] for p in programs(run).values()))
        self.assertEqual(programs(run)["map_gc"]["nice"], 10)
        text = run["timeline"][0]["text"]
        left = {line.split()[0]: int(line.split()[2]) for line in text.splitlines()}
        left["program"] = programs(run)["map_gc"]
        return left

    def test_work_has_a_bound(self):
        few, many = (self.left(2_000_000_000, more=f",max_checks={n}") for n in (100, 4096))
        # as many entries in both, more than one run looks at; one run each looks at all
        self.assertGreater(few["nr_left"], 2000)
        # those of the last 20 ms come after what is printed
        self.assertIn(few["nr_scanned"], [100 * (few["program"]["runs"] - n) for n in range(4)])
        self.assertGreater(many["nr_scanned"], 8 * few["nr_scanned"])
        self.assertLess(many["nr_scanned"], many["nr_left"] * many["program"]["runs"])
        self.assertLess(few["program"]["run_time"]["max_ns"] * 5,
                        many["program"]["run_time"]["max_ns"])
        # with too few checks garbage stays longer, but none is lost
        slow = self.left(20_000_000, more=",max_checks=60")
        self.assertGreater(slow["nr_left"], self.left(20_000_000)["nr_left"] + 100)
        self.assertEqual(slow["nr_gone"], 0)

    def test_what_is_over_is_not_taken_for_alive(self):
        """200 connections with 35 packets a millisecond: most pauses are longer than 2 ms."""
        left = self.left(2_000_000)
        self.assertGreater(left["nr_renewed"], 1000)
        self.assertLess(left["nr_left"], 200)

    def test_young_ones_are_left(self):
        for age in (20, 100):
            left = self.left(age * 1_000_000)
            self.assertAlmostEqual(left["nr_left"], 200 + 5 * age, delta=30 + age)
            self.assertEqual(left["nr_lost"], 0)
            self.assertGreater(left["nr_expired"], 5 * (480 - age) - 200)

    def test_nobody_is_old(self):
        left = self.left(2_000_000_000)
        self.assertEqual(left["nr_expired"], 0)
        self.assertGreater(left["nr_left"], 2000)

    def test_under_fifo(self):
        # the threads are tasks: this scheduler lets them stand in line like all others
        self.assertGreater(self.left(20_000_000, FIFO)["nr_expired"], 200)


class Watch(e2e.Test):
    def test_watch_and_print(self):
        run = run_json("eevdf", "--with", BEATS, "--watch", "beats=200ms",
                       "--at", "250ms:print=beats.bss", *TAIL)["runs"][0]
        entries = [(e["time_ns"], e["action"]) for e in run["timeline"]]
        self.assertEqual([name for _, name in entries],
                         ["watch=beats", "250ms:print=beats.bss", "watch=beats"])
        for (time, _), due in zip(entries, (200_000_000, 250_000_000, 400_000_000)):
            self.assertLess(abs(time - due), 100_000)
        self.check_documented(run)
        texts = [entry["text"].splitlines() for entry in run["timeline"]]
        # four keys, and every value is the number of the run that wrote it
        values = [int(line.split(" = ")[1]) for line in texts[0]]
        self.assertEqual(sorted(values), list(range(min(values), min(values) + 4)))
        self.assertRegex(" ".join(texts[1]), "nr_fast = 24[0-9] nr_slow = 1[23] last_due = ")

    def test_below_the_table(self):
        done = vrt("run", "eevdf", "--with", BEATS, "--at", "250ms:print=beats.bss", *TAIL)
        self.assertIn("after 250 ms: print=beats.bss\n        nr_fast = ", done.stdout)
        self.assertIn("periodic slow\n", done.stdout)

    def test_printed_in_the_end(self):
        run = run_json("eevdf", "--with", BEATS, "--print", ".bss", "--print", "beats",
                       *TAIL)["runs"][0]
        self.assertEqual([e["action"] for e in run["timeline"]], ["print=.bss", "print=beats"])
        self.assertGreaterEqual(min(e["time_ns"] for e in run["timeline"]), 500_000_000)
        self.assertRegex(run["timeline"][0]["text"], r"^nr_fast = \d+\nnr_slow = 2[45]\n")
        self.assertEqual(len(run["timeline"][1]["text"].splitlines()), 4)
        self.check_refused(vrt("run", "eevdf", "--with", BEATS, "--print", "bets", *TAIL), 2,
                           "has no map 'bets' (did you mean 'beats'?)")

    def test_no_such_map_during_the_run(self):
        run = run_json("eevdf", "--with", BEATS, "--at", "250ms:print=bets", *TAIL,
                       status=2)["runs"][0]
        self.assertIn("no object of this run has a map 'bets'", run["timeline"][0]["error"])


class Cgroups(e2e.Test):
    def test_made_and_told(self):
        run = run_json("eevdf", "--cgroup", "/a/b,weight=50,max=10ms/50ms", "--cgroup", "c",
                       *TAIL)["runs"][0]
        first, second = run["cgroups"]
        self.assertEqual((first["path"], first["weight"], first["quota_ns"], first["period_ns"]),
                         ("/a/b", 50, 10_000_000, 50_000_000))
        self.assertEqual((second["path"], second["weight"], second["quota_ns"]),
                         ("/c", 100, None))
        self.check_documented(run)

    def burn(self, cgroup):
        run = run_json("eevdf", "--with", BURNS, "--cgroup", cgroup, "--machine", "4",
                       "--workload", "pipe", "--for", "1s")["runs"][0]
        return run["cgroups"][0], programs(run)["burner"]

    def test_without_quota(self):
        cgroup, program = self.burn("/gc")
        self.assertAlmostEqual(cgroup["usage_ns"], 500_000_000, delta=10_000_000)
        self.assertEqual((cgroup["nr_throttled"], program["throttled_ns"]), (0, 0))

    def test_quota_holds(self):
        cgroup, program = self.burn("/gc,max=1ms/10ms")
        self.assertAlmostEqual(cgroup["usage_ns"], 100_000_000, delta=1_000_000)
        self.assertEqual(cgroup["nr_periods"], 100)
        self.assertGreater(cgroup["nr_throttled"], 90)
        self.assertEqual(program["cgroup"], "/gc")
        self.assertAlmostEqual(program["cpu_ppm"], 100_000, delta=1_000)
        self.assertGreater(program["throttled_ns"], 500_000_000)

    def test_needs_its_cgroup(self):
        done = vrt("run", "eevdf", "--with", BURNS, *TAIL)
        self.check_refused(done, 2, "cgroup is \"/gc\"", "none of that name")


if __name__ == "__main__":
    e2e.main()
