# SPDX-License-Identifier: GPL-2.0-only
"""The jobs that ship as periodic programs: what each of them really did."""

import os
import re
import tempfile

import vrt as e2e
from vrt import run_json, source, vrt

UNFAIR = source("workloads", "unfair.json")
UNEVEN = source("workloads", "uneven.json")


def printed(run, name):
    """Maps and variables of --print: {key: value}, for a map keys are numbers."""
    text = [e for e in run["timeline"] if e["action"] == "print=" + name][-1]["text"]
    found = re.findall(r"^\[?(\w+)\]? = (-?\d+)$", text, re.M)
    return {int(k) if k.isdigit() else k: int(v) for k, v in found}


def program(run, name):
    return {p["name"]: p for w in run["with"] for p in w["periodic"]}[name]


def group(run, name):
    return {g["name"]: g for g in run["groups"]}[name]


class Histogram(e2e.Test):
    def runs(self, *args):
        return run_json(*args, "--with", "periodic_histogram", "-m", "4", "-w", UNFAIR, "-t", "1s",
                        "--noise", "none", "--print", "waits", "--print", ".bss")["runs"]

    def test_counts_what_the_trace_counts(self):
        """Its histogram and the run's own, made of the same wakeups by other means."""
        for run in self.runs("eevdf", "fifo"):
            waits, bss = printed(run, "waits"), printed(run, ".bss")
            self.assertEqual(sum(waits.values()), bss["nr_waits"])
            self.assertEqual(bss["nr_folds"], program(run, "fold")["runs"])
            own = run["metrics"]["wakeup_latency"]
            # the last period is not folded any more, and those that wait in the end not counted
            self.assertLess(abs(own["count"] - bss["nr_waits"]), own["count"] * 0.15 + 10)
            half = sum(waits.values()) / 2
            seen = 0
            for slot in sorted(waits):
                seen += waits[slot]
                if seen > half:
                    break
            self.assertLess(2 ** slot, own["p50_ns"] * 2)
            self.assertGreater(2 ** (slot + 1), own["p50_ns"] / 2)

    def test_tells_policies_apart(self):
        eevdf, fifo = (printed(run, ".bss") for run in self.runs("eevdf", "fifo"))
        self.assertLessEqual(eevdf["last_p99_below_ns"], 2 ** 24)
        self.assertGreaterEqual(fifo["last_p99_below_ns"], 2 ** 25)


class Balance(e2e.Test):
    def runs(self, *variants):
        return run_json(*variants, "-m", "8", "-w", UNEVEN, "-t", "2s", "--print", ".bss")["runs"]

    def test_against_itself_without(self):
        with_it, without = self.runs("periodic_balance", "periodic_balance,fetch=0")
        a, b = printed(with_it, ".bss"), printed(without, ".bss")
        self.assertGreater(a["nr_looks"], 1900)
        # tasks move when a CPU fetches them, and only then
        self.assertEqual((b["nr_told"], b["nr_fetched"]), (0, 0))
        self.assertEqual(without["metrics"]["migrations"]["total"], 0)
        self.assertGreater(a["nr_fetched"], 100)
        self.assertLessEqual(a["nr_fetched"], a["nr_told"])
        self.assertLess(abs(with_it["metrics"]["migrations"]["total"] - a["nr_fetched"]), 20)
        # and what is it good for?
        self.assertLess(a["wasted"] * 2, b["wasted"])
        self.assertGreater(with_it["metrics"]["utilization_ppm"],
                           without["metrics"]["utilization_ppm"] * 1.05)
        query, stuck = group(with_it, "query"), group(without, "query")
        self.assertLess(query["request_latency"]["p99_ns"] * 1.3,
                        stuck["request_latency"]["p99_ns"])
        self.assertGreater(query["ops"], stuck["ops"])


class Damon(e2e.Test):
    HOT = (range(4096, 5120), range(10240, 11264), range(4096, 5120))  # each for half a second
    PAGES = 16384

    def regions(self, text):
        rows = re.findall(r"start = (\d+), \.end = (\d+), \.nr_accesses = (\d+)", text)
        found = [tuple(int(n) for n in row) for row in rows]
        # they cover all of the memory, in order
        self.assertEqual((found[0][0], found[-1][1]), (0, self.PAGES))
        for before, after in zip(found, found[1:]):
            self.assertEqual(before[1], after[0])
        return found

    def run_it(self, *settings):
        return run_json("eevdf", "--with", ",".join(["periodic_damon", *settings]), "-m", "2", "-w",
                        source("workloads", "hot-pages.json"), "-t", "1500ms", "--watch",
                        "regions=490ms", "--print", "periodic.bss")["runs"][0]

    def test_finds_what_is_in_use(self):
        run = self.run_it()
        watched = [e["text"] for e in run["timeline"] if e["action"].startswith("watch")][:3]
        for text, hot in zip(watched, self.HOT):
            regions = self.regions(text)
            found = {page for start, end, n in regions if n >= 10 for page in range(start, end)}
            self.assertGreater(len(found & set(hot)), 0.6 * len(hot), text)
            self.assertGreater(len(found & set(hot)), 0.6 * len(found), text)
            # a quarter of the pages each time, in the first 8 MiB
            level = {0: 0, 1: 0}
            for start, end, n in regions:
                warm = start < 2048
                level[warm] += n * (end - start) if start not in hot else 0
            self.assertGreater(level[1] / 2048, 2)
        bss = printed(run, "periodic.bss")
        self.assertGreater(bss["nr_merged"], 50)
        self.assertGreater(bss["nr_split"], 50)
        # and it is cheap: of all pages only so many are looked at
        self.assertLess(bss["nr_looks"], bss["nr_samples"] * 60)
        self.assertLess(program(run, "damon")["cpu_ppm"], 3000)

    def test_price_does_not_depend_on_memory(self):
        few, many = (self.run_it(f"min_regions={n}", f"max_regions={2 * n}") for n in (10, 200))
        for run, regions in ((few, 10), (many, 200)):
            bss = printed(run, "periodic.bss")
            self.assertLessEqual(bss["nr_regions"], 2 * regions)
            self.assertGreaterEqual(bss["nr_looks"], bss["nr_samples"] * regions)
        self.assertGreater(program(many, "damon")["runtime_ns"],
                           5 * program(few, "damon")["runtime_ns"])


def memory(run):
    """The numbers of the figures about memory, in order."""
    return [int(n) for line in run["figures"] for n in re.findall(r"\d+", line)]


class OomReaper(e2e.Test):
    BATCH = 24576  # pages

    def run_it(self, *args):
        run = run_json("eevdf", *args, "-m", "2", "-w",
                       source("workloads", "out-of-memory.json"))["runs"][0]
        self.assertEqual(run["books"], [])
        kernel = [e for e in run["log"] if e["source"] == "kernel"]
        self.assertEqual(len(kernel), 1, run["log"])
        self.assertRegex(kernel[0]["line"], r"^Out of memory: Killed process \d+ \(batch\) "
                                            r"total-vm:98304kB, anon-rss:98304kB$")
        return run, kernel[0]["time_ns"]

    def test_nobody_waits_for_the_dying(self):
        with_it, killed = self.run_it("--with", "periodic_oom_reaper", "--print", "periodic.bss")
        without, _ = self.run_it()
        reaped = [e for e in with_it["log"] if e["source"] == "bpf"]
        self.assertIn("(batch), now anon-rss:0kB", reaped[0]["line"])
        # 8192 pages a run, every 10 ms
        self.assertLess(reaped[0]["time_ns"] - killed, 60_000_000)
        self.assertEqual(printed(with_it, "periodic.bss"),
                         {"nr_processes": 1, "nr_pages": self.BATCH})
        in_use, total, most, faults, copied, _, _, _, kills, nr_reaped = memory(with_it)
        self.assertEqual((total, most, kills, nr_reaped), (128, 128, 1, self.BATCH))
        self.assertLess(in_use, 100)
        self.assertEqual(memory(without)[-2:], [1, 0])
        self.assertLess(group(with_it, "web")["request_latency"]["max_ns"], 60_000_000)
        self.assertGreater(group(without, "web")["request_latency"]["max_ns"], 500_000_000)

    def test_spares_the_living(self):
        run = run_json("eevdf", "--with", "periodic_oom_reaper", "-m", "2", "-w",
                       source("workloads", "hot-pages.json"), "-t", "200ms", "--print",
                       "periodic.bss")["runs"][0]
        self.assertEqual(printed(run, "periodic.bss"), {"nr_processes": 0, "nr_pages": 0})
        self.assertEqual(memory(run)[0], 64)


class Ksm(e2e.Test):
    SAME, ZEROES, OWN, BUSY, PROCESSES = 2048, 512, 512, 256, 8

    def run_it(self, time, *settings):
        run = run_json("eevdf", "--with", ",".join(["periodic_ksm", *settings]), "-m", "4", "-w",
                       source("workloads", "same-pages.json"), "-t", time, "--print",
                       "periodic.bss")["runs"][0]
        self.assertEqual(run["books"], [])
        return run, memory(run)

    def test_merges_what_is_the_same_and_no_more(self):
        run, (in_use, _, most, faults, copied, pages, into, saved, _, _) = self.run_it("1900ms")
        self.assertEqual(pages, self.PROCESSES * (self.SAME + self.ZEROES))
        self.assertEqual(into, self.SAME + 1)
        self.assertEqual(saved, (pages - into) * 4096 >> 20)
        self.assertEqual(faults, self.PROCESSES * (self.SAME + self.ZEROES + self.OWN + self.BUSY))
        self.assertEqual((in_use, most), ((faults - pages + into) * 4096 >> 20, 104))
        self.assertEqual(copied, 0)
        bss = printed(run, "periodic.bss")
        self.assertEqual((bss["nr_merged"], bss["nr_differed"]), (pages - into, 0))
        # those that are written to all the time, every round anew
        self.assertGreaterEqual(bss["nr_changing"], self.PROCESSES * self.BUSY * bss["nr_rounds"])

    def test_a_write_ends_it(self):
        _, (_, _, _, _, copied, pages, into, _, _, _) = self.run_it("2500ms")
        self.assertEqual(copied, self.PROCESSES * 128)
        self.assertEqual(pages, self.PROCESSES * (self.SAME + self.ZEROES - 128))
        self.assertEqual(into, self.SAME + 1 - 128)

    def test_memory_for_time(self):
        fast, slow = (self.run_it("800ms", f"pages_to_scan={n}") for n in (4000, 500))
        self.assertGreater(fast[1][7], slow[1][7] + 30)
        self.assertGreater(program(fast[0], "ksm")["runtime_ns"],
                           3 * program(slow[0], "ksm")["runtime_ns"])


class Memory(e2e.Test):
    """What programs may do with the memory of tasks, whatever the job."""

    PROLOGUE = ("#include <vrt/mm.bpf.h>\n#include <bpf/bpf_tracing.h>\n"
                "char _license[] SEC(\"license\") = \"GPL\";\ns64 x;\n"
                "SEC(\"periodic/10ms\") int bad(struct bpf_periodic_ctx *tick)\n{\n")

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def file(self, name, text):
        path = os.path.join(self.dir.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def check_verdict(self, body, *message):
        path = self.file("bad.bpf.c", self.PROLOGUE + body + "\treturn 0;\n}\n")
        self.check_refused(vrt("verify", path), 2, *message)

    def test_refused_at_load(self):
        self.check_verdict("struct task_struct *p = bpf_task_from_pid(1);\n"
                           "if (p) { x = bpf_mm_page_flags(p->mm, 0); bpf_task_release(p); }\n",
                           "R1 must be referenced or trusted")
        self.check_verdict("struct mm_struct *mm = mm_of_pid(1);\n"
                           "if (mm) x = bpf_mm_page_flags(mm, 0);\n", "Unreleased reference")
        self.check_verdict("struct mm_struct *mm = mm_of_pid(1);\n"
                           "if (mm) { mm->total_vm = 0; bpf_mm_drop(mm); }\n",
                           "only read is supported")

    def test_kept_beyond_the_process(self):
        ends = self.file("ends.json", '{"tasks": {"a": {"loop": 20, "vm_size": 409600, '
                                      '"mem": {"write": true}, "sleep": 5000}}}')
        keeper = source("tests", "e2e", "good", "mm_kept.bpf.c")
        run = run_json("eevdf", "--with", keeper, "-m", "1", "-w", ends, "-t", "500ms", "--print",
                       ".bss")["runs"][0]
        kept = printed(run, ".bss")
        self.assertGreater(kept["nr_alive"], 5)
        self.assertGreater(kept["nr_after"], 20)
        self.assertEqual(kept["present_after"], 0)
        self.assertEqual(memory(run)[0], 0)
        self.assertEqual(run["books"], [])

    def test_whatever_they_are_doing(self):
        """Killed while they lock, wait, fork and share; under any scheduler the books balance."""
        jobs = ("periodic_oom_reaper", "periodic_ksm", "periodic_damon")
        for seed in (1, 2):
            runs = run_json("eevdf", "fifo", "vtime", "biff", "periodic_balance",
                            *(word for job in jobs for word in ("--with", job)), "-m", "3", "-w",
                            source("tests", "e2e", "good", "memory_stress.json"), "--noise",
                            "heavy", "--seed", seed)["runs"]
            for run in runs:
                self.assertEqual((run["end"]["kind"], run["books"]), ("done", []), run["end"])
                self.assertGreater(memory(run)[-2], 5)
                self.assertEqual(memory(run)[2], 32)

    def test_same_in_both_engines_and_again(self):
        for job, machine, workload in (("periodic_damon", 2, "hot-pages"),
                                       ("periodic_ksm", 4, "same-pages"),
                                       ("periodic_oom_reaper", 2, "out-of-memory")):
            args = ("run", "eevdf", "--with", job, "-m", machine, "-w",
                    source("workloads", workload + ".json"), "-t", "2500ms", "--json")
            first, again = vrt(*args), vrt(*args)
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertEqual(first.stdout, again.stdout)
            hashes = [re.search(r'"trace_hash": "(\w+)"', out).group(1)
                      for out in (first.stdout, vrt(*args, "--interp").stdout)]
            self.assertEqual(*hashes)


if __name__ == "__main__":
    e2e.main()
