# SPDX-License-Identifier: GPL-2.0-only
"""Bad input and bad schedulers: a clear message, the documented exit status."""

import os
import subprocess
import tempfile

import vrt as e2e
from vrt import run_json, source, vrt

FIFO = source("schedulers", "fifo.bpf.c")
MIXED = source("workloads", "mixed.json")
TAIL = ("--machine", "4", "--workload", MIXED, "--for", "1s")


def bad(name):
    return source("tests", "e2e", "bad", name + ".bpf.c")


class Refused(e2e.Test):
    """Status 1 (usage) and 2 (could not load)."""

    def run_text(self, text, suffix, *args):
        with tempfile.NamedTemporaryFile("w", suffix=suffix) as f:
            f.write(text)
            f.flush()
            return vrt("run", *[f.name if a is None else a for a in args])

    def test_unsafe(self):
        """What the verifier says: what is wrong, where, what is known, what helps."""
        for name, texts in {
                "out_of_bounds": ("unbounded memory access", "out_of_bounds.bpf.c:",
                                  "sum += value[which]", "known: R", "hint:"),
                "writes_kernel": ("write access of 4 bytes at off", "p->pid = 1", "writes_kernel.bpf.c:7"),
                "infinite_loop": ("infinite loop detected", "infinite_loop.bpf.c:", "hint:"),
                "no_null_check": ("R0 invalid mem access 'map_value_or_null'", "*n += 1",
                                  "path: common.h:", "goes on",
                                  "hint: compare the pointer with NULL"),
        }.items():
            with self.subTest(name):
                self.check_refused(vrt("run", bad(name), *TAIL), 2, "program 'bad_enqueue' was refused",
                                   *texts)

    def test_no_such_file(self):
        self.check_refused(vrt("run", "nowhere.bpf.o", *TAIL), 2, "nowhere.bpf.o")

    def test_not_elf(self):
        done = self.run_text("not an object\n" * 20, ".bpf.o", None, *TAIL)
        self.check_refused(done, 2, "ELF")

    def test_truncated_elf(self):
        with tempfile.TemporaryDirectory() as tmp:
            whole = os.path.join(tmp, "fifo.bpf.o")
            subprocess.run([os.environ.get("CLANG", "clang-19"), "--target=bpf", "-g", "-O2",
                            "-D__TARGET_ARCH_x86", "-I" + os.path.join(e2e.BUILD, "include"),
                            "-I" + source("schedulers", "include"), "-idirafter",
                            "/usr/include/x86_64-linux-gnu", "-c", FIFO, "-o", whole],
                           check=True)
            with open(whole, "rb") as f:
                data = f.read()
            for size in (0, 10, 63, 64, 200, len(data) // 2, len(data) - 1):
                cut = os.path.join(tmp, f"cut{size}.bpf.o")
                with open(cut, "wb") as f:
                    f.write(data[:size])
                self.check_refused(vrt("run", cut, *TAIL), 2, os.path.basename(cut))
            stripped = os.path.join(tmp, "nobtf.bpf.o")
            subprocess.run(["llvm-objcopy-19", "--remove-section=.BTF",
                            "--remove-section=.BTF.ext", whole, stripped], check=True)
            self.check_refused(vrt("run", stripped, *TAIL), 2, "BTF")

    def test_full_disk(self):
        for args in (("run", "eevdf", *TAIL), ("run", "eevdf", "--json", *TAIL), ("--help",)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([e2e.VRT, *args], stdout=full, stderr=subprocess.PIPE,
                                      text=True)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn("could not be written to the end", done.stderr)
        # /dev/full is no name of a trace: a link is
        with tempfile.TemporaryDirectory() as tmp:
            trace = os.path.join(tmp, "full.txt")
            os.symlink("/dev/full", trace)
            self.check_refused(vrt("run", "eevdf", *TAIL, "--trace", trace, "--json"), 2,
                               "--trace: " + trace, "the trace is incomplete")

    def test_native_elf(self):
        self.check_refused(vrt("run", e2e.VRT, *TAIL), 2, "BPF")

    def test_compile_error(self):
        done = self.run_text("int main( {\n", ".bpf.c", None, *TAIL)
        self.check_refused(done, 2, "error:")

    def test_unknown_kfunc(self):
        self.check_refused(vrt("run", bad("unknown_kfunc"), *TAIL), 2,
                           "scx_bpf_dispach_to_the_moon")

    def test_unknown_map(self):
        self.check_refused(vrt("run", bad("unknown_map"), *TAIL), 2, "odd", "9999")

    def test_two_pnt(self):
        self.check_refused(vrt("run", bad("two_pnt"), *TAIL), 2,
                           "'pick_first' and 'pick_second' are both SEC(\"ghost_sched/pnt\")")

    def test_no_msg(self):
        self.check_refused(vrt("run", bad("no_msg"), *TAIL), 2,
                           "none in SEC(\"ghost_msg/msg_send\")", "no task would ever run")

    def test_scx_and_ghost(self):
        self.check_refused(vrt("run", bad("scx_and_ghost"), *TAIL), 2,
                           "both a table sched_ext_ops and ghOSt programs")

    def test_unknown_section(self):
        self.check_refused(vrt("run", bad("unknown_section"), *TAIL), 2,
                           "program 'look': SEC(\"fenrty/do_exit\")", "did you mean \"fentry/\"?",
                           "known are struct_ops/")

    def test_bad_period(self):
        self.check_refused(vrt("run", bad("bad_period"), *TAIL), 2,
                           "program 'always' in SEC(\"periodic/0ms\")",
                           "a multiple of 10us from 10us")

    def check_with_refused(self, name, *texts):
        done = vrt("run", "eevdf", "--with", bad(name), *TAIL)
        self.check_refused(done, 2, f"{name}.bpf.c: 'bad_ops' could not be attached", *texts)

    def test_periodic(self):
        self.check_with_refused("periodic_nice", "nice is 99: expected -20 to 19")
        self.check_with_refused("periodic_period", "period_ns is 0: expected 10000 (10 us)")
        self.check_with_refused("periodic_cgroup", "cgroup is \"/no/such/group\"",
                                "none of that name")

    def test_split_static(self):
        self.check_refused(vrt("run", "eevdf", "--with", bad("split_static"), *TAIL), 2,
                           "its BTF was refused", "DATASEC .bss", "Invalid size",
                           "hint: clang splits a static variable of a struct type")

    def test_scheduler_beside_another(self):
        done = vrt("run", "eevdf", "--with", FIFO, *TAIL)
        self.check_refused(done, 2, "is a scheduler", "as SCHED")

    def test_nothing_to_schedule_with(self):
        done = vrt("run", source("tests", "e2e", "good", "beats.bpf.c"), *TAIL)
        self.check_refused(done, 2, "nothing to schedule with", "--with")

    def test_no_such_tracepoint(self):
        self.check_refused(vrt("run", bad("no_such_tracepoint"), *TAIL), 2,
                           "this kernel has no tracepoint 'sched_swich' (near: 'sched_switch')")

    def test_unknown_variable(self):
        done = vrt("run", FIFO, "--set", "slice_n=3", *TAIL)
        self.check_refused(done, 2, "slice_n", "slice_ns")

    def test_machine(self):
        for spec in ("0", "100000", "2x", "axb", "0x4", "-1"):
            done = vrt("run", FIFO, "--machine", spec, "--workload", MIXED)
            self.check_refused(done, 1, "machine")

    def test_workload_json(self):
        done = self.run_text('{\n\t"tasks" : {\n\t\t"a" : { "run" 100 }\n\t}\n}\n', ".json",
                             FIFO, "--machine", "4", "--workload", None)
        self.check_refused(done, 1, ":3:")

    def test_workload_generator(self):
        done = vrt("run", FIFO, "--machine", "4", "--workload", "schbench -m x")
        self.check_refused(done, 1, "-m")
        done = vrt("run", FIFO, "--machine", "4", "--workload", "scbench")
        self.check_refused(done, 1, "schbench")

    def test_options(self):
        self.check_refused(vrt("run", FIFO, "--wrokload", "x"), 1, "--workload")
        self.check_refused(vrt("rn"), 1, "run")
        self.check_refused(vrt("run", FIFO, "--with", "nowhere.bpf.o", *TAIL), 1, "nowhere.bpf.o")
        self.check_refused(vrt("run", FIFO, "--cgroup", "/a,max=5us", *TAIL), 1, "max: '5us'")
        self.check_refused(vrt("run", FIFO, "--at", "1ms:prnt=m", *TAIL), 1,
                           "did you mean print?")
        self.check_refused(vrt("run", FIFO, "--watch", "nothing", *TAIL), 2,
                           "has no map 'nothing'")
        self.check_refused(vrt("run", FIFO, "--for", "3parsecs", *TAIL[:4]), 1, "3parsecs")


class ThrownOut(e2e.Test):
    """Status 3: the scheduler is gone, the tasks go on under fair, books balance."""

    def thrown_out(self, name, kind, *texts, args=TAIL):
        run = run_json(bad(name), *args, status=3)["runs"][0]
        self.assertEqual(run["end"]["kind"], kind, run["end"])
        for text in texts:
            self.assertIn(text, run["end"]["message"])
        # do no harm: the machine went on working
        self.assertGreater(run["metrics"]["utilization_ppm"], 300_000)
        return run

    def test_drops_tasks(self):
        self.thrown_out("drops_tasks", "error_stall", "failed to run for")

    def test_no_such_dsq(self):
        self.thrown_out("no_such_dsq", "error", "non-existent DSQ 0xdeadbeef")

    def test_never_returns(self):
        self.thrown_out("never_returns", "error", "bad_enqueue", "instructions")

    def test_init_fails(self):
        self.thrown_out("init_fails", "error", "ops.init() failed (-12)")

    def test_dispatch_twice(self):
        self.thrown_out("dispatch_twice", "error", "already direct-dispatched")

    def test_vtime_on_builtin(self):
        self.thrown_out("vtime_on_builtin", "error",
                        "cannot use vtime ordering for built-in DSQs")

    def test_wrong_context(self):
        self.thrown_out("wrong_context", "error", "kfunc with mask 0x2 called from an operation",
                        args=(*TAIL, "--contexts", "run"))

    def test_bpf_error(self):
        self.thrown_out("bpf_error", "error_bpf", "has had enough of cpu 7")

    def test_dump_is_shown(self):
        done = vrt("run", bad("drops_tasks"), *TAIL)
        self.check_refused(done, 3, "runnable task stall", "CPU states", "ops_state/qseq=2/")


if __name__ == "__main__":
    e2e.main()
