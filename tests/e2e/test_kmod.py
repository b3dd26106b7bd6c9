# SPDX-License-Identifier: GPL-2.0-only
"""Periodic programs on real Linux: the module kmod/schedbpf in a stock Debian kernel.

Needs QEMU, and what 'vrt vm module' needs: packages of Debian's archive, gcc and pahole.
Where something is missing this test says so and is skipped.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from vrt import BUILD, SKIP, Test, main, run_json, source, vrt

BURNS = source("tests", "e2e", "good", "burns.bpf.c")
INIT = os.path.join(BUILD, "tests", "e2e", "kmod-init")
RELEASE = None  # of the kernel that has the module

EINVAL, EEXIST, ENOENT, ERANGE, ENODATA, EAGAIN = -22, -17, -2, -34, -61, -11


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ["HOME"], ".cache")
    return os.path.join(base, "vruntime", "kernels", RELEASE)


def cpio(files):
    """An initramfs in the "newc" format."""
    out = bytearray()

    def add(name, data, mode):
        encoded = name.encode() + b"\0"
        fields = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        out.extend(b"070701" + b"".join(b"%08x" % f for f in fields) + encoded)
        out.extend(bytes(-len(out) % 4))
        out.extend(data)
        out.extend(bytes(-len(out) % 4))

    for name, path in files.items():
        with open(path, "rb") as f:
            add(name, f.read(), 0o100755)
    add("TRAILER!!!", b"", 0)
    return bytes(out)


def compile_object(tmp):
    out = os.path.join(tmp, "kmod.bpf.o")
    subprocess.run([os.environ.get("CLANG", "clang-19"), "--target=bpf", "-mcpu=v3", "-g", "-O2",
                    "-D__TARGET_ARCH_x86", "-I", os.path.join(BUILD, "include"),
                    "-idirafter/usr/include/x86_64-linux-gnu", "-c",
                    source("tests", "e2e", "good", "kmod.bpf.c"), "-o", out], check=True)
    return out


def boot(*options):
    """What the guest's console says: (lines "=name value" as a dict, all text)."""
    with tempfile.TemporaryDirectory() as tmp:
        initramfs = os.path.join(tmp, "initramfs")
        files = {"init": INIT, "schedbpf.ko": os.path.join(cache(), "schedbpf.ko"),
                 "kmod.bpf.o": compile_object(tmp)}
        with open(initramfs, "wb") as f:
            f.write(cpio(files))
        done = subprocess.run(
            ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-m", "768",
             "-kernel", os.path.join(cache(), "vmlinuz"), "-initrd", initramfs, "-append",
             " ".join(("console=ttyS0 panic=-1 oops=panic loglevel=5 no_timer_check rdinit=/init",)
                      + options),
             "-serial", "stdio"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False)
    text = done.stdout.decode(errors="replace")
    told = dict(re.findall(r"^=(\S+) (.*?)\r?$", text, re.MULTILINE))
    return told, text


class Everything(unittest.TestCase):
    """One guest, with a kernel that preempts programs, and all that its process 1 tells."""

    @classmethod
    def setUpClass(cls):
        cls.told, cls.text = boot("preempt=full")
        if cls.told.get("end") != "0":
            raise AssertionError("the guest did not come to its end:\n" + cls.text[-6000:])

    def number(self, name):
        return int(self.told[name])

    def numbers(self, *names):
        return [self.number(name) for name in names]

    def test_attached(self):
        self.assertEqual(self.numbers("insmod", "load"), [0, 0])
        programs = ("own", "left", "right", "managed", "chosen", "limited", "looking")
        self.assertEqual(self.numbers(*("attach." + p for p in programs)), [0] * 7)
        # two of them share a thread
        self.assertEqual(self.numbers("attached.threads", "attached.directories"), [6, 7])
        self.assertEqual(self.told["left.pid"], self.told["right.pid"])
        self.assertEqual(self.numbers("left.shared", "own.shared"), [1, 0])
        self.assertEqual(self.told["left.worker"], "both")
        # while there are objects the module stays
        self.assertEqual(self.number("remove_busy"), EAGAIN)

    def test_every_period(self):
        """No run is lost without being counted; the clock of all is the guest's."""
        elapsed = [self.number(p + ".period_ns") * (self.number(p + ".runs") + self.number(p + ".missed"))
                   for p in ("own", "left", "right", "managed", "limited")]
        for time in elapsed:
            self.assertGreater(time, 1.8e9)
            # they are read one after the other
            self.assertLess(abs(time - elapsed[0]), 0.25 * elapsed[0])
        for p in ("own", "left", "right", "managed"):
            self.assertGreater(self.number(p + ".runs"), 50, p)
        self.assertEqual(self.told["managed.mode"], "program")
        self.assertEqual(self.told["own.mode"], "framework")

    def test_program_managed(self):
        seen, calls = self.numbers("managed.runs_seen", "managed.calls")
        self.assertGreaterEqual(seen, self.number("managed.runs"))
        # run() returns once a second at the most, not after each period
        self.assertLess(calls, seen / 10)
        self.assertGreaterEqual(calls, 2)
        # every second period is half as long again
        times, runs = self.numbers("chosen.times", "chosen.runs")
        self.assertLess(abs(times - runs / 2), runs / 10)

    def test_looks(self):
        """What programs are told of CPUs and of each other."""
        runs = self.number("look.runs")
        self.assertGreater(runs, 30)
        # of the time since boot a CPU is busy or idle; and there are two
        at = self.number("look.at")
        self.assertLess(abs(self.number("look.one") - at), 0.02 * at + 50e6)
        self.assertLess(abs(self.number("look.all") - 2 * at), 0.04 * at + 100e6)
        self.assertGreater(self.number("look.idle"), 0)
        self.assertEqual(self.number("look.backwards"), 0)
        # it runs itself where it looks; the figures are read a little later
        self.assertGreaterEqual(self.number("look.queued"), runs)
        self.assertLessEqual(abs(self.number("look.self") - runs), 3)
        # the other CPU is idle at times, and a third one there is not
        self.assertIn(self.number("look.other_curr"), range(1, runs + 3))
        self.assertEqual(self.numbers("look.found", "look.not_found"), [0, ENOENT])
        self.assertLessEqual(self.number("look.own.runs"), self.number("look.own.now"))
        self.assertGreater(self.number("look.own.runs"), 50)
        self.assertGreater(self.number("look.own.runtime"), 0)
        self.assertGreater(self.number("look.own.latency_max"), 0)
        self.assertEqual(self.number("look.own.throttled"), -1)

    def test_is_a_task(self):
        stat = self.told["own.stat"].split()
        self.assertEqual(stat[0], self.told["own.pid"])
        self.assertEqual(stat[1], "(bpf/own)")
        self.assertEqual(stat[3], "2")  # kthreadd's child
        self.assertEqual(stat[18], "7")  # nice
        self.assertEqual(stat[17], "27")
        self.assertIn(stat[2], "IRS")
        self.assertEqual(self.told["left.stat"].split()[1], "(bpf/both)")
        self.assertEqual(self.numbers("move", "renice", "moved.back"), [0, 0, 0])
        self.assertEqual((self.told["moved.cgroup"], self.told["moved.nice"]), ("/moved", "12"))

    def test_quota(self):
        """10 ms in 100 ms, and it wants all of a CPU; throttled in the middle of its runs."""
        self.assertEqual(self.told["limited.cgroup"], "/limited")
        periods, usage = self.numbers("quota_periods", "quota_usec")
        self.assertGreaterEqual(periods, 18)
        # ticks of emulated CPUs are late, and a throttled thread first leaves the kernel
        self.assertLess(usage, periods * 10_000 * 1.6)
        self.assertGreater(usage, periods * 10_000 * 0.7)
        self.assertGreater(self.number("limited.delay_ns"), 0)
        self.assertEqual(self.number("quota_left"), 0)

    def test_update(self):
        self.assertEqual(self.number("update"), 0)
        self.assertEqual(self.told["updated.period_ns"], "8000000")
        self.assertEqual(self.told["updated.nice"], "-3")
        # half a second
        self.assertLess(self.number("updated.runs"), 100)
        self.assertGreater(self.number("updated.runs"), 5)
        # the new init() before the old exit(), and the new exit() in the end
        self.assertEqual(self.numbers("updated.inits", "updated.exits", "exits"), [2, 1, 2])
        self.assertEqual(self.number("update_name"), EINVAL)

    def test_refused(self):
        expected = {"period": (ERANGE, "'bad': period_ns is 0: expected 10000 (10 us)"),
                    "nice": (ERANGE, "'bad': nice is 20: expected -20 to 19"),
                    "cgroup": (ENOENT, 'bad: cgroup is "/no/such": there is none of that name'),
                    "mode": (EINVAL, "'bad': mode is 2: expected BPF_PERIODIC_FRAMEWORK (0) or"),
                    "name": (EINVAL, "'a/b': name is \"a/b\": expected letters"),
                    "quota": (EINVAL, "'bad': cpu_quota_us is 1000 and cpu_period_us is 0: expected both"),
                    "disagree": (EINVAL, "'bad': nice is 3: the other programs of worker \"both\" have 2"),
                    "twice": (EEXIST, "'left': there is a program of that name"),
                    "shared": (EINVAL, "'bad': worker is \"both\": a program that manages its periods"),
                    "run": (EINVAL, "'bad': run is missing"),
                    "init": (ENODATA, "'bad': init() failed (-61)")}
        for what, (error, words) in expected.items():
            self.assertEqual(self.number("refused." + what), error, what)
            self.assertIn("schedbpf: " + words, self.text)

    def test_nothing_stays(self):
        for when in ("fresh", "gone", "refused_left", "churned", "reloaded"):
            self.assertEqual(self.numbers(when + ".threads", when + ".directories"), [0, 0], when)
        self.assertEqual(self.numbers("churn", "reload", "rmmod"), [0, 0, 0])
        self.assertEqual(self.number("killed.threads_before"), 7)
        # "out of tree" and "unsigned", and not "has warned": a cache that still has objects
        # when the module goes is told by a warning
        self.assertEqual(self.number("tainted"), 1 << 12 | 1 << 13)
        ours = self.text[self.text.index("=insmod"):]
        for bad in ("Oops", "WARNING:", "BUG:", "Call Trace", "objects remaining"):
            self.assertNotIn(bad, ours)


class Run(Test):
    """As a user runs it: the same object and command line on both machines."""

    def program(self, run, name):
        return {p["name"]: p for w in run["with"] for p in w["periodic"]}[name]

    def test_same_object(self):
        """Beside the fair class; and a scheduler, which this kernel cannot run."""
        sim, real, _, none = run_json(
            "eevdf", "fifo", "--with", BURNS, "--with", "periodic_map_gc", "--cgroup",
            "/gc,max=2ms/20ms", "-m", "2", "-w", "schbench -m 1 -t 1", "-t", "1s", "--print",
            "periodic.bss", "--on", "sim,vm:schedbpf", status=2)["runs"]
        self.assertEqual((sim["on"], real["on"], none["on"]), ("sim", "vm", "vm"))
        self.assertEqual(real["kernel"], RELEASE, real["end"])
        a, b = self.program(sim, "burner"), self.program(real, "burner")
        self.assertEqual(set(a) - set(b), {"wakeup_latency"} if real["emulated"] else set())
        for key in ("nice", "period_ns", "cgroup", "failed"):
            self.assertEqual(a[key], b[key], key)
        for p in (a, b):
            # a real one is not stopped to be read
            self.assertLessEqual(abs(p["run_time"]["count"] - p["runs"]), 3 if p is b else 0)
            # 5 ms of work by the clock; the emulated one goes on without the CPU
            self.assertGreaterEqual(p["run_time"]["max_ns"], 4_900_000 if p is b else 1_000_000)
            self.assertGreater(p["runtime_ns"], 0)
        # 1 s of 10 ms each; where it is throttled its last run lasts
        self.assertGreaterEqual(b["runs"] + b["missed"], 40)
        self.check_documented(real["with"])
        group = real["cgroups"][0]
        self.assertEqual((group["path"], group["quota_ns"], group["period_ns"]),
                         ("/gc", 2_000_000, 20_000_000))
        self.assertGreater(group["nr_throttled"], 5)
        # this kernel takes it off the CPU between two runs only
        self.assertLess(group["usage_ns"], group["nr_periods"] * 2_000_000 * 1.6 + 60_000_000)
        self.check_documented(group)
        # the lesson, with a table and SEC("periodic/1ms")
        self.assertEqual(self.program(real, "map_gc")["nice"], 10)
        traffic = self.program(real, "traffic")
        self.assertEqual((traffic["period_ns"], traffic["cgroup"]), (1_000_000, "/bpf"))
        self.assertGreater(traffic["runs"], 20)
        for run in (sim, real):
            printed = run["timeline"][-1]
            self.assertEqual(printed["action"], "print=periodic.bss")
            self.assertGreater(int(re.search(r"nr_scanned = (\d+)", printed["text"]).group(1)), 100)
        self.assertIn("this kernel has no sched_ext", none["end"]["message"])

    def test_with_tracing(self):
        """Tracing programs in the same object count what the periodic one adds up."""
        run = run_json("eevdf", "--with", "periodic_histogram", "-m", "4", "-w",
                       source("workloads", "unfair.json"), "-t", "1s", "--print", "waits",
                       "--print", ".bss", "--on", "vm:schedbpf")["runs"][0]
        self.assertEqual(run["with"][0]["kinds"], ["periodic", "tracing"])
        waits, bss = (run["timeline"][i]["text"] for i in (-2, -1))
        figures = {k: int(v) for k, v in re.findall(r"(\w+) = (\d+)", bss)}
        self.assertGreater(figures["nr_folds"], 2)
        self.assertGreater(figures["nr_waits"], 20)
        # it goes on between the two prints
        self.assertLessEqual(sum(int(n) for n in re.findall(r"\] = (\d+)", waits)),
                             figures["nr_waits"] + 200)

    def test_refused(self):
        """What the module says is in the error."""
        done = vrt("run", "eevdf", "--with", f"{BURNS},burner.cgroup=/no", "-t", "100ms", "-m", "2",
                   "-w", "pipe", "--on", "vm:schedbpf")
        self.check_refused(done, 2, "burns.0.bpf.o: 'burner' could not be attached",
                           'cgroup is "/no": there is none of that name')

    def test_memory_is_simulated(self):
        """No Linux has the kfuncs on the memory of tasks: said by name, with who has them."""
        run = run_json("eevdf", "--with", "periodic_ksm", "-t", "100ms", "-m", "2", "-w",
                       source("workloads", "same-pages.json"), "--on", "vm:schedbpf",
                       status=2)["runs"][0]
        self.assertRegex(run["end"]["message"], r"kfunc 'bpf_mm_\w+' is not in this kernel; the "
                                                r"simulated machine has it \(--on sim\)")
        run = run_json("eevdf", "-t", "300ms", "-m", "2", "-w", source("workloads", "same-pages.json"),
                       "--on", "vm:schedbpf")["runs"][0]
        self.assertTrue([u for u in run["unmodelled"] if "accesses none" in u], run["unmodelled"])

    def test_what_modules_cannot_know(self):
        """It is refused at load, by its name; the simulated machine knows."""
        sim, real = run_json("eevdf", "--with", source("tests", "e2e", "good", "queues.bpf.c"),
                             "-m", "2", "-w", "pipe", "-t", "200ms", "--print", ".bss", "--on",
                             "sim,vm:schedbpf", status=2)["runs"]
        seen = dict(re.findall(r"(\w+) = (\d+)", sim["timeline"][0]["text"]))
        # the program itself is one of them, everywhere
        self.assertGreaterEqual(int(seen["one"]), int(seen["looks"]))
        self.assertGreater(int(seen["queued"]), int(seen["one"]))
        self.assertEqual(real["end"]["kind"], "not_loaded")
        self.assertIn("kfunc 'bpf_cpus_nr_running' is referenced but wasn't resolved",
                      real["end"]["message"] + (real["end"]["log"] or ""))

    def test_is_no_other(self):
        """A stock kernel that cannot run schedulers is none that '--on vm' takes."""
        self.check_refused(vrt("run", "fifo", "-w", "pipe", "--on", "vm:" + RELEASE), 2,
                           "it has no sched_ext", "--on vm:schedbpf")
        self.check_refused(vrt("run", "eevdf", "--with", BURNS, "-w", "pipe", "--on", "vm"), 1,
                           "--with: only the simulated machine", "--on vm:schedbpf")
        self.assertIn("--on vm:schedbpf", " ".join(vrt("vm", "list").stdout.split()))


class Table1(Test):
    """The SchedBPF paper's table, on the real kernel: see test_bench.py for all of it, simulated."""

    def test_table(self):
        done = vrt("bench", "control/kthread", "control/worker", "control/timer", "control/own",
                   "--quick", "--json", "--on", "vm:schedbpf", timeout=800)
        self.assertEqual(done.returncode, 0, done.stderr)
        control = json.loads(done.stdout)["control"]
        self.assertEqual([p["kernel"] for p in control["places"]], [RELEASE])
        rows = {r["name"]: r for r in control["benchmarks"]}
        self.assertEqual(list(rows), ["none", "kthread", "worker", "timer", "own"])
        for name, row in rows.items():
            if name == "none":
                continue
            self.assertGreater(row["plain"]["runs"], 500, name)
            self.assertEqual(row["plain"]["verified_insns"] > 0, name != "kthread")
            if name == "timer":
                self.assertGreater(row["quota"]["used_percent"], 25)
                self.assertGreater(row["nice"]["used_percent"], 40)
                self.assertLess(row["plain"]["switches"], 0.5)
            elif control["places"][0]["emulated"]:  # its clock does not mind the host
                self.assertLess(abs(row["quota"]["error_percent"]), 5, name)
                self.assertLess(abs(row["nice"]["error_percent"]), 5, name)
                self.assertTrue(1 < row["plain"]["switches"] < 3, name)
                self.assertGreater(row["plain"]["overhead_ns"],
                                   rows["timer"]["plain"]["overhead_ns"])


class Layout(unittest.TestCase):
    """The types of the module are those of the simulated kernel."""

    TYPES = ("bpf_iter_periodic", "bpf_periodic_ctx", "bpf_periodic_ops", "bpf_periodic_stats",
             "bpf_struct_ops_bpf_periodic_ops")

    def types(self, *args):
        text = subprocess.run(["bpftool", *args, "format", "raw", "-j"], check=True,
                              capture_output=True, text=True,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}).stdout
        found = {}
        for t in json.loads(text)["types"]:
            if t["kind"] == "STRUCT" and t["name"] in self.TYPES:
                found[t["name"]] = (t["size"], [(m["name"], m["bits_offset"]) for m in t["members"]])
        return found

    def test_same(self):
        ours = self.types("btf", "dump", "file", os.path.join(BUILD, "kernel", "kernel.btf"))
        vmlinux = os.path.join(cache(), "headers", "usr", "src", "linux-headers-" + RELEASE, "vmlinux")
        theirs = self.types("-B", vmlinux, "btf", "dump", "file",
                            os.path.join(cache(), "schedbpf.ko"))
        self.assertEqual(set(ours), set(self.TYPES))
        self.assertEqual(ours, theirs)


def prepare():
    """None, or why the module cannot be tried here."""
    global RELEASE
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not os.path.exists(INIT):
        return "this build has no static programs for guests"
    done = vrt("vm", "module")
    if done.returncode:
        return done.stderr
    RELEASE = re.search(r"^(\S+) has the module", done.stdout, re.MULTILINE).group(1)
    return None


if __name__ == "__main__":
    why = prepare()
    if why:
        print("NOT TESTED ON A REAL KERNEL:", why, file=sys.stderr)
        sys.exit(SKIP)
    main()
