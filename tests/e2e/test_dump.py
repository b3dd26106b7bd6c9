# SPDX-License-Identifier: GPL-2.0-only
"""vrt prog dump and vrt map dump, as bpftool has them."""

import json
import os
import platform
import re
import shutil
import tempfile
import unittest

import vrt as e2e
from vrt import Test, vrt

INSN = re.compile(r" *(\d+): \(([0-9a-f]{2})\) (.*)")

COUNTS = """
#include <vrt/scx.bpf.h>
char _license[] SEC("license") = "GPL";
const volatile int never;
u64 nr_enqueued;
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

static __noinline void count(u32 pid)
{
	u64 one = 1, *seen = bpf_map_lookup_elem(&counts, &pid);

	if (seen)
		++*seen;
	else
		bpf_map_update_elem(&counts, &pid, &one, BPF_ANY);
}

void SCX_OP(counts_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (never)
		bpf_printk("this is dead");
	nr_enqueued++;
	count(p->pid);
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops counts_ops = { .enqueue = (void *)counts_enqueue, .name = "counts" };
"""


class Dump(Test):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.object = os.path.join(cls.dir.name, "counts.bpf.c")
        with open(cls.object, "w", encoding="utf-8") as f:
            f.write(COUNTS)

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def dump(self, what, *args):
        done = vrt("prog", "dump", what, self.object, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_xlated(self):
        text = self.dump("xlated")
        self.assertTrue(text.startswith("counts_enqueue (struct_ops/counts_enqueue)\n"))
        insns = [INSN.fullmatch(line).groups() for line in text.splitlines() if INSN.match(line)]
        texts = [insn[2] for insn in insns]
        # every instruction, in order; 64-bit loads have two slots
        numbers = [int(insn[0]) for insn in insns]
        steps = [2 if insn[1] == "18" else 1 for insn in insns]
        for number, step, following in zip(numbers, steps, numbers[1:]):
            if not texts[numbers.index(number)].startswith("trap"):
                self.assertEqual(following, number + step)
        self.assertIn("call bpf_map_lookup_elem#1", texts)
        self.assertTrue(any(re.fullmatch(r"r\d = map\[counts\]", t) for t in texts), texts)
        self.assertTrue(any(re.fullmatch(r"r\d = map\[\S*bss\]\[0\]\+\d+", t) for t in texts), texts)
        self.assertTrue(any(re.fullmatch(r"call pc\+\d+#count", t) for t in texts), texts)
        self.assertTrue(any(re.fullmatch(r"call scx_bpf_dsq_insert\S*#\d+", t) for t in texts), texts)
        # what a constant makes dead, is dead
        self.assertTrue(any(t.startswith("trap (never reached: call bpf_trace_") for t in texts), texts)
        alive = vrt("prog", "dump", "xlated", self.object + ",never=1").stdout
        self.assertRegex(alive, r"\) call bpf_trace_")
        self.assertNotIn("never reached: call bpf_trace_", alive)
        # source
        self.assertIn("\n; count(p->pid);\n", text)
        self.assertIn("\ncount:\n", text)

    def test_opcodes_and_lines(self):
        text = self.dump("xlated", "counts_enqueue", "--opcodes", "--linum")
        number = COUNTS.splitlines().index("\tcount(p->pid);") + 1
        self.assertIn(f"; count(p->pid); [counts.bpf.c:{number}]\n", text)
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if INSN.match(line):
                opcodes = lines[number + 1].split()
                self.assertIn(len(opcodes), (8, 16), lines[number + 1])
                if "trap" not in line:
                    self.assertEqual(opcodes[0], INSN.match(line).group(2))

    def test_json(self):
        document = json.loads(self.dump("xlated", "--json"))
        self.check_documented(document)
        self.assertEqual(document["schema"], "vruntime-prog-1")
        (program,) = document["programs"]
        text = self.dump("xlated")
        for insn in program["insns"]:
            self.assertIn(f"{insn['insn']:4}: {insn['disasm']}\n", text)

    @unittest.skipUnless(platform.machine() == "x86_64", "there is a compiler for x86-64")
    def test_jited(self):
        if not shutil.which("objdump"):
            self.skipTest("no objdump")
        document = json.loads(self.dump("jited", "--json"))
        self.check_documented(document)
        (program,) = document["programs"]
        code = program["jited"]
        operations = [line["operation"] for line in code]
        self.assertIn("ret", [op.split()[0] for op in operations])
        self.assertFalse([op for op in operations if "bad" in op])
        # it is whole, and every instruction that is reached has some
        position = 0
        for line in code:
            self.assertEqual(line["pc"], position)
            position += len(line["opcodes"].split())
        made = {line["insn"] for line in code if "insn" in line}
        for insn in program["insns"]:
            if "exit" in insn["disasm"]:
                self.assertIn(insn["insn"], made)
        text = self.dump("jited")
        self.assertIn("; count(p->pid);\n", text)
        self.assertIn("call bpf_map_lookup_elem#1\n", text)
        self.assertEqual(text, self.dump("jited"))  # nothing of this process in it

    @unittest.skipUnless(platform.machine() == "x86_64", "there is a compiler for x86-64")
    def test_no_objdump(self):
        """Without the tool it is said what is missing."""
        with tempfile.TemporaryDirectory() as tools:
            clang = shutil.which(os.environ.get("CLANG", "clang"))
            os.symlink(clang, os.path.join(tools, "clang"))
            done = vrt("prog", "dump", "jited", self.object, env={"PATH": tools})
        self.check_refused(done, 2, "objdump", "binutils")

    def test_prog_errors(self):
        self.check_refused(vrt("prog"), 1, "expected 'dump'")
        self.check_refused(vrt("prog", "dump", "blue", "fifo"), 1, "xlated", "jited")
        self.check_refused(vrt("prog", "dump", "xlated"), 1, "no object given")
        self.check_refused(vrt("prog", "dump", "xlated", "nowhere.bpf.o"), 2, "nowhere.bpf.o")
        self.check_refused(vrt("prog", "dump", "xlated", "fifo", "fifo_enqeue"), 2,
                           "did you mean fifo_enqueue?")

    def test_map(self):
        done = vrt("map", "dump", self.object, "counts", "-t", "100ms", "-m", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "counts:")
        entries = dict(re.fullmatch(r"  (\d+) = (\d+)", line).groups() for line in lines[1:])
        self.assertGreater(len(entries), 2)

        # all of them: the sum of the one is the other
        done = vrt("map", "dump", self.object, "-t", "100ms", "-m", "2")
        everything = done.stdout
        self.assertIn("\n".join(lines), everything)
        nr_enqueued = re.search(r"nr_enqueued = (\d+)", everything)
        self.assertEqual(int(nr_enqueued.group(1)), sum(map(int, entries.values())))

        done = vrt("map", "dump", self.object, "counts", "-t", "100ms", "-m", "2", "--json")
        document = json.loads(done.stdout)
        self.check_documented(document)
        (one,) = document["maps"]
        self.assertEqual(one["name"], "counts")
        self.assertEqual(["  " + entry for entry in one["entries"]], lines[1:])

    def test_map_is_run_print(self):
        """What the same run prints with --print."""
        args = ["-t", "50ms", "-m", "4", "-w", "hackbench -g 1"]
        run = vrt("run", self.object, *args, "--print", "counts").stdout
        lines = vrt("map", "dump", self.object, "counts", *args).stdout.splitlines()[1:]
        self.assertGreater(len(lines), 10)
        for line in lines:
            self.assertIn(line.strip() + "\n", run)

    def test_map_errors(self):
        self.check_refused(vrt("map", "show"), 1, "expected 'dump'")
        self.check_refused(vrt("map", "dump"), 1, "no scheduler given")
        self.check_refused(vrt("map", "dump", "eevdf"), 1, "eevdf is a class of the kernel", "--with")
        self.check_refused(vrt("map", "dump", self.object, "count"), 2, "counts", "did you mean")


if __name__ == "__main__":
    e2e.main()
