# SPDX-License-Identifier: GPL-2.0-only
"""The same objects and workloads on a real kernel, in a guest.

Needs QEMU, and a kernel that 'vrt vm fetch' gets from the archive; where one
of them is missing this test says so and is skipped.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from vrt import BUILD, SKIP, VRT, Test, main, run_json, source, vrt

UNFAIR = source("workloads", "unfair.json")


# what we start inherits this: others may run guests at the same time
MARK = f"VRT_TEST_VM={os.getpid()}"
os.environ.update([MARK.split("=")])


def guests():
    """QEMU processes that come from this test."""
    return processes("virtserialport,chardev=channel,name=vrt")


def agents():
    """Agents on this host that come from this test."""
    return processes("vrt-agent [0-9]+ /")


def processes(pattern):
    found = set()
    for pid in subprocess.run(["pgrep", "-f", pattern],
                              capture_output=True, text=True).stdout.split():
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if MARK.encode() in environ.read().split(b"\0"):
                    found.add(pid)
        except OSError:
            pass  # it has ended
    return found


DETACH, OP = 14, 15  # types of records: src/sched/tracepoint.h
ENQUEUE, INIT, EXIT = 1, 31, 32  # members of struct sched_ext_ops


def read_trace(path):
    """Records: time, type, CPU, pid, a, b."""
    with open(path, "rb") as f:
        return list(struct.iter_unpack("<QHHiQQ", f.read()[32:]))


class Vm(Test):
    def test_list_shows_what_was_refused(self):
        done = vrt("vm", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ready", done.stdout)

    def test_boot(self):
        before = guests()
        done = vrt("vm", "boot", "--cpus", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"Linux \S+ with 2 CPUs on (KVM|TCG)")
        self.assertEqual(guests(), before)

    def test_side_by_side(self):
        runs = run_json("eevdf", source("schedulers", "fifo.bpf.c"),
                        source("schedulers", "vtime.bpf.c"), "-m", "4", "-w", UNFAIR,
                        "-t", "1s", "--on", "sim,vm")["runs"]
        self.assertEqual([(r["scheduler"], r["on"]) for r in runs],
                         [(s, on) for s in ("eevdf", "fifo", "vtime") for on in ("sim", "vm")])
        for sim, vm in zip(runs[::2], runs[1::2]):
            self.assertEqual(vm["end"]["kind"], "done", vm["end"])
            self.assertEqual(vm["events_lost"], 0)
            # the last group is the system's own tasks
            self.assertEqual([(g["name"], g["tasks"]) for g in vm["groups"][:-1]],
                             [(g["name"], g["tasks"]) for g in sim["groups"][:-1]])
            self.assertGreater(vm["metrics"]["context_switches"]["total"], 50)
            if vm["emulated"]:
                self.assertNotIn("wakeup_latency", vm["groups"][0])
            # what the scheduler was asked, and with KVM, how long it took
            asked = vm["metrics"]["scheduler_ops"]
            self.assertEqual(set(asked), set(sim["metrics"]["scheduler_ops"]))
            for name, op in asked.items():
                self.assertGreater(op["calls"], 10, name)
                self.assertEqual("time_ns" in op, not vm["emulated"])
            if vm["scheduler"] != "eevdf":
                # every pick but that of the idle task asks for a dispatch, or goes on
                self.assertLess(asked["dispatch"]["calls"],
                                2 * vm["metrics"]["context_switches"]["total"])
                self.assertEqual(vm["metrics"]["attached_ns"], 1000000000)
            # FIFO or not: hogs get most of the machine
            share = {g["name"]: g["share_ppm"] for g in vm["groups"]}
            self.assertGreater(share["hog"], share["bursty"])
        # the kernel's own log says who was in charge
        log = " ".join(e["line"] for e in runs[3]["log"])
        self.assertIn('BPF scheduler "fifo" enabled', log)
        self.assertNotIn("BPF scheduler", " ".join(e["line"] for e in runs[1]["log"]))

    def test_thrown_out(self):
        """The real kernel's reason is the simulated one's."""
        runs = run_json(source("tests", "e2e", "good", "vm_errors.bpf.c"), "-m", "4", "-w", UNFAIR,
                        "-t", "500ms", "--on", "sim,vm", status=3)["runs"]
        self.assertEqual([r["end"]["kind"] for r in runs], ["error_bpf", "error_bpf"])
        for run in runs:
            self.assertIn("as planned", run["end"]["message"])
            # one format, two kernels
            dump = run["end"]["dump"].split("\n")
            # later kernels name the scheduler before, and the CPU
            head = next(i for i, line in enumerate(dump) if re.match(
                r"\S+\[\d+\] triggered exit kind 1025(?: on CPU \d+)?:$", line))
            self.assertLessEqual(head, 1)
            self.assertEqual(dump[head + 1], "  scx_bpf_error (as planned)")
            self.assertIn("CPU states", dump)
            self.assertTrue(any(line.startswith("CPU ") and ": nr_run=" in line for line in dump))
        self.assertIn("vm_errors_enqueue", runs[1]["end"]["dump"])

    def test_leaves(self):
        """ops.exit() is told more than the kernel's log."""
        with tempfile.TemporaryDirectory() as tmp:
            trace = os.path.join(tmp, "t.bin")
            runs = run_json(source("tests", "e2e", "good", "vm_leaves.bpf.c") + ",after=5",
                            "-m", "4", "-w", UNFAIR, "-t", "500ms", "--on", "sim,vm",
                            "--trace", trace)["runs"]
            traces = sorted(os.listdir(tmp))
            self.assertEqual(len(traces), 2)
            for name in traces:
                records = read_trace(os.path.join(tmp, name))
                ops = [r[4] for r in records if r[1] == OP]
                # init is the first, exit the last; the sixth enqueue ends it
                self.assertEqual((ops[0], ops[-1]), (INIT, EXIT), name)
                self.assertEqual(ops.count(INIT), 1)
                self.assertEqual(ops.count(EXIT), 1)
                self.assertGreaterEqual(ops.count(ENQUEUE), 6)
                self.assertEqual([r[4:] for r in records if r[1] == DETACH], [(65, 42)], name)
        for run in runs:
            end = run["end"]
            self.assertEqual((end["kind"], end["exit_code"], end["message"], end["dump"]),
                             ("unreg_bpf", 42, "enough", None))

    def test_print(self):
        """Maps are told of when the scheduler is out, here and there in the same form."""
        last = source("tests", "e2e", "good", "last_words.bpf.c")
        runs = run_json(last, "-m", "2", "-w", "pipe", "-t", "200ms", "--on", "sim,vm",
                        "--print", "words", "--print", ".bss")["runs"]
        for run in runs:
            self.assertEqual([e["action"] for e in run["timeline"]], ["print=words", "print=.bss"])
            self.assertEqual(run["timeline"][0]["text"], '{.word = "bye"} = 3\n')
            self.assertRegex(run["timeline"][1]["text"], r"^nr_enqueues = [1-9]")
        self.check_refused(vrt("run", last, "-m", "2", "-w", "pipe", "-t", "200ms", "--on", "vm",
                               "--print", "wards"), 2, "has no map 'wards'")

    def test_verify(self):
        """Its verifier has the same verdicts on sched_ext programs, and nothing is attached."""
        done = vrt("verify", "--on", "vm", "-m", "2", source("tests", "e2e", "bad",
                                                             "no_null_check.bpf.c"), "--json")
        self.assertEqual(done.returncode, 2, done.stderr)
        programs = {p["name"]: p["asked"][0] for p in json.loads(done.stdout)["objects"][0]["programs"]}
        self.assertEqual({n: p["verdict"] for n, p in programs.items()},
                         {"bad_enqueue": "refused", "bad_dispatch": "accepted", "bad_init": "accepted"})
        self.assertTrue(all(p["agrees"] for p in programs.values()))
        self.assertIn("R0 invalid mem access 'map_value_or_null'", programs["bad_enqueue"]["message"])

    def test_switch_order(self):
        """One CPU, three periodic tasks: who runs after whom is the same on both kernels.

        Where the host stalls an emulated guest for longer than a period its tasks fall
        behind, and it is asked again; the end of its window may cut off the last. So many
        do not agree by accident.
        """
        for _ in range(5):
            done = vrt("run", "fifo,slice_ns=1000000000", "-m", "1", "-w",
                       source("workloads", "three-periodic.json"), "--warmup", "50ms", "-t", "2s",
                       "--on", "sim,vm")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("switch order of fifo,slice_ns=1000000000 on sim and vm with Linux",
                          done.stdout)
            self.assertTrue(all(len(line) <= 80 for line in done.stdout.splitlines()))
            if re.search(r":\s+equal,\s+2[4-6]\s+switches", done.stdout):
                return
        self.fail(done.stdout)

    def test_switch_order_differs(self):
        """Under another policy it is another order, and that is said."""
        def order(scheduler):
            return run_json(scheduler, "-m", "1", "-w",
                            source("workloads", "three-periodic.json"), "--warmup", "50ms",
                            "-t", "2s")["runs"][0]["order"]
        fifo = order("fifo,slice_ns=1000000000")
        self.assertEqual(fifo[:8], ["often", "twice", "rarely", "often", "twice", "often",
                                    "twice", "rarely"])
        self.assertEqual(len(fifo), 26)
        self.assertNotEqual(order("fifo,slice_ns=1000000"), fifo)

    def test_replay(self):
        """What failed on the simulator fails on the real kernel, in the same words."""
        with tempfile.TemporaryDirectory() as tmp:
            bundle = os.path.join(tmp, "b.vrt-repro")
            done = vrt("run", source("tests", "e2e", "good", "vm_errors.bpf.c"), "-m", "2x2", "-w",
                       "stress", "-t", "200ms", "--bundle", bundle)
            self.assertEqual(done.returncode, 3, done.stderr)
            done = vrt("replay", bundle, "--on", "sim,vm", "--json")
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
            for run in json.loads(done.stdout)["runs"]:
                self.assertTrue(run["replay"]["as_recorded"], run["replay"])
                self.assertEqual(run["end"]["kind"], "error_bpf")
            # not so if the bundle says otherwise
            with open(bundle, encoding="utf-8") as f:
                made_up = json.load(f)
            made_up["result"]["message"] = "as nobody has planned"
            made_up.pop("sha256")
            plain = json.dumps(made_up, separators=(",", ":")).replace("/", "\\/")
            made_up["sha256"] = hashlib.sha256(plain.encode()).hexdigest()
            with open(bundle, "w", encoding="utf-8") as f:
                json.dump(made_up, f)
            done = vrt("replay", bundle, "--on", "vm", "--trace", os.path.join(tmp, "t.txt"))
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertIn("vm        NOT as recorded: message differs; error_bpf", done.stdout)
            self.assertEqual([f for f in os.listdir(tmp) if f.startswith("t")], ["t-vm_errors-vm.txt"])
            self.check_refused(vrt("replay", bundle, "--on", "vm:1.2"), 2, "there is no kernel 1.2")

    def test_workloads(self):
        for spec in ("hackbench -g 1 -l 20", "schbench -m 1 -t 2", "rpc -r 500"):
            with self.subTest(spec):
                run = run_json("eevdf", "-m", "4", "-w", spec, "-t", "500ms", "--on", "vm")["runs"][0]
                self.assertEqual(run["end"]["kind"], "done", run["end"])
                self.assertGreater(run["metrics"]["context_switches"]["total"], 10)

    def test_actions(self):
        """A CPU goes, the scheduler asks for a restart and gets it; the next run has the CPU."""
        runs = run_json("fifo", "fifo,slice_ns=5000000", "-m", "4", "-w", UNFAIR, "-t", "500ms",
                        "--on", "sim,vm", "--at", "100ms:offline=1", "--at", "400ms:run=nothing",
                        status=2)["runs"]
        for run in runs:
            told = [(entry["action"], entry["error"]) for entry in run["timeline"]]
            self.assertEqual(told[0], ("100ms:offline=1", None))
            self.assertIn(("restart, as the scheduler asked for", None), told)
            self.assertRegex(dict(told)["400ms:run=nothing"], "has no program 'nothing' to run")
            self.assertEqual(run["end"]["kind"], "done", run["end"])

    def test_bad(self):
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "moon"), 1, "moon", "vm:KERNEL")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "sim,"), 1, "--on")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "vm:1.2"), 2,
                           "there is no kernel 1.2", "vrt vm fetch 1.2")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "vm:/no/such"), 2, "/no/such")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "vm:" + UNFAIR), 2,
                           "ended before it came up")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "vm", "--at", "1s:swap=fifo"), 1,
                           "--at 1s:swap=fifo", "only the simulated machine")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "host", "-m", "host", "--at",
                               "1s:offline=0"), 1, "the CPUs of this host stay as they are")
        self.check_refused(vrt("run", "eevdf", "-w", UNFAIR, "--on", "vm",
                               env={"VRT_AGENT": "/no/such"}), 2, "/no/such")
        self.check_refused(vrt("vm"), 1, "fetch")
        self.check_refused(vrt("vm", "dance"), 1, "dance")

    def lost(self, agent, timeout):
        return vrt("run", "eevdf", "-m", "1", "-w", "pipe", "-t", "100ms", "--on", "vm",
                   env={"VRT_AGENT": os.path.join(BUILD, "tests", "e2e", agent),
                        "VRT_GUEST_TIMEOUT": timeout})

    def test_panic(self):
        before = guests()
        done = self.lost("panic-agent", "100")
        self.check_refused(done, 3, "the guest has ended; its kernel panicked: Attempted to kill "
                           "init! exitcode=0x00000300", "backtrace:", "do_exit")
        self.assertEqual(guests(), before)

    def test_hang(self):
        before = guests()
        started = time.monotonic()
        done = self.lost("hang-agent", "25")
        self.check_refused(done, 3, "the guest has said nothing for 25 s", "its console ends with")
        self.assertGreater(time.monotonic() - started, 25)
        self.assertEqual(guests(), before)

    def test_interrupt_leaves_nothing(self):
        before = guests()
        p = subprocess.Popen([VRT, "run", "eevdf", "-w", UNFAIR, "-t", "60s", "--on", "vm"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(1200):
            if guests() - before or p.poll() is not None:
                break
            time.sleep(0.05)
        self.assertIsNone(p.poll(), p.poll() is not None and p.stderr.read())
        self.assertTrue(guests() - before)
        p.send_signal(signal.SIGINT)
        p.wait(20)
        p.stderr.close()
        for _ in range(100):
            if guests() == before:
                break
            time.sleep(0.05)
        self.assertEqual(guests(), before)


@unittest.skipUnless(os.geteuid() == 0, "only root may load programs into this host's kernel")
class Host(Test):
    def test_this_kernel(self):
        runs = run_json("eevdf", "-w", "hackbench -g 1 -l 20", "-t", "500ms", "--on",
                        "sim,host", status=None)["runs"]
        if "does not take the tracer" in runs[1]["end"].get("message", ""):
            self.skipTest(runs[1]["end"]["message"])
        self.assertEqual([r["on"] for r in runs], ["sim", "host"])
        self.assertEqual(runs[1]["kernel"], os.uname().release)
        self.assertEqual(runs[1]["end"]["kind"], "done")
        self.assertFalse(runs[1]["emulated"])
        self.assertEqual([g["tasks"] for g in runs[1]["groups"][:2]], [20, 20])
        self.assertGreater(runs[1]["groups"][0]["wakeup_latency"]["p50_ns"], 0)
        self.assertNotIn("overhead", runs[1]["metrics"])

    def test_scheduler(self):
        fifo = source("schedulers", "fifo.bpf.c")
        if os.path.exists("/sys/kernel/sched_ext"):
            self.skipTest("this host has sched_ext: its tasks are not for tests to schedule")
        self.check_refused(vrt("run", fifo, "-w", "pipe", "-t", "100ms", "--on", "host"), 2,
                           "has no sched_ext", "--on vm")

    def test_interrupt_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as tmp:
            p = subprocess.Popen([VRT, "run", "eevdf", "-w", "hackbench -g 1", "-t", "60s", "--on",
                                  "host"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=dict(os.environ, TMPDIR=tmp))
            for _ in range(200):
                if len(agents()) >= 2:
                    break
                time.sleep(0.05)
            # the agent, and its run
            self.assertEqual(len(agents()), 2)
            self.assertTrue(os.listdir(tmp))
            p.send_signal(signal.SIGINT)
            p.wait(20)
            for _ in range(100):
                if not agents() and not os.listdir(tmp):
                    break
                time.sleep(0.05)
            self.assertEqual(agents(), set())
            self.assertEqual(os.listdir(tmp), [])

    def test_other_machine(self):
        self.check_refused(vrt("run", "eevdf", "-m", "64", "-w", "pipe", "--on", "host"), 1,
                           "--machine host")


def prepare():
    """None, or why there are no guests here."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not os.path.exists(os.path.join(BUILD, "src", "vm", "guest", "vrt-agent")):
        return "this build has no agent for guests"
    if "ready" in vrt("vm", "list").stdout:
        return None
    done = vrt("vm", "fetch")
    return None if done.returncode == 0 else done.stderr


if __name__ == "__main__":
    why = prepare()
    if why:
        print("NOT TESTED ON A REAL KERNEL:", why, file=sys.stderr)
        sys.exit(SKIP)
    main()
