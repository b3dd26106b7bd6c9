# SPDX-License-Identifier: GPL-2.0-only
"""vrt trace: what programs print, on the simulated machine and on this host."""

import os
import re
import signal
import subprocess
import time
import unittest

import vrt as e2e
from vrt import source, vrt

HELLO = source("tests", "e2e", "good", "says_hello.bpf.c")
SWITCHES = source("tests", "e2e", "good", "host_switches.bpf.c")
FIFO = source("schedulers", "fifo.bpf.c")
TAIL = ("--machine", "4", "--workload", "hackbench -g 1", "--for", "50ms")

# TASK-PID [CPU] flags time: bpf_trace_printk: text
LINE = re.compile(r" *(\S+)-(\d+) +\[(\d{3})\] \S{5} +(\d+\.\d{6}): bpf_trace_printk: (.*)")


class Simulated(e2e.Test):
    def test_lines_as_in_trace_pipe(self):
        done = vrt("trace", HELLO, "--quiet", *TAIL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
        self.assertTrue(all(lines), done.stdout)
        self.assertEqual([m[5] for m in lines], [f"hello {i}" for i in range(5)])
        self.assertEqual({m[1] for m in lines}, {"bpf/hello"})
        for m, due in zip(lines, (1.01, 1.02, 1.03, 1.04, 1.05)):
            self.assertAlmostEqual(float(m[4]), due, delta=0.005)

    def test_settings_and_maps(self):
        done = vrt("trace", HELLO + ",first=7", "--watch", "says_hel.bss=20ms", *TAIL)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].endswith(": hello 7"), lines)
        self.assertRegex(lines[2], r"says_hel\.bss at 1\.020\d{3}:")
        self.assertEqual(lines[3], "nr = 2")
        self.assertEqual(lines[7], "nr = 4")

    def test_same_seed_same_bytes(self):
        first, second = (vrt("trace", HELLO, *TAIL, "--seed", 3) for _ in range(2))
        self.assertEqual(first.stdout, second.stdout)

    def test_reader_who_leaves_early(self):
        with subprocess.Popen([e2e.VRT, "trace", HELLO, *TAIL[:4], "--for", "100s", "-q"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            self.assertIn("hello 0", p.stdout.readline())
            p.stdout.close()
            self.assertEqual(p.stderr.read(), "")
            self.assertEqual(p.wait(), -signal.SIGPIPE)

    def test_program_that_is_stopped(self):
        done = vrt("trace", source("tests", "e2e", "bad", "periodic_faults.bpf.c"), *TAIL)
        self.check_refused(done, 3, "trace: a periodic program was stopped")

    def test_refused(self):
        self.check_refused(vrt("trace"), 1, "no object given")
        self.check_refused(vrt("trace", "nowhere.bpf.o", *TAIL), 1, "nowhere.bpf.o")
        self.check_refused(vrt("trace", FIFO, *TAIL), 2, "is a scheduler", "vrt run")
        self.check_refused(vrt("trace", HELLO, "--watch", "nr", *TAIL), 2, "has no map 'nr'")


class Shipped(e2e.Test):
    """The tracing programs of schedulers/hello/."""

    ENV = {"VRT_SCHEDULERS": source("schedulers")}

    def names(self, program, *args):
        done = vrt("trace", program, "--for", "500ms", *args, env=self.ENV)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [LINE.fullmatch(line)[5] for line in done.stdout.splitlines()]

    def test_hello_world(self):
        names = self.names("hello/helloworld")
        self.assertGreater(len(names), 15)
        for name in names:
            self.assertRegex(name, r"Open /(etc|usr/share|var/lib)/service/\d+\.(conf|db|txt)")

    def test_hello_world_at_the_function(self):
        """The same files, whether seen at the system call or in what is behind it."""
        self.assertEqual(self.names("hello/helloworld_fentry", "--seed", 5),
                         self.names("hello/helloworld", "--seed", 5))

    def test_nothing_is_opened(self):
        self.assertEqual(self.names("hello/helloworld", "--workload", "pipe"), [])

    def test_callers(self):
        run = e2e.run_json("eevdf", "--with", source("schedulers", "hello", "callers.bpf.c"),
                           "--watch", "callers=200ms", "-m", "4", "-w", "hackbench -g 1 -l 20",
                           "-t", "500ms")["runs"][0]
        text = run["timeline"][-1]["text"]
        counts = dict(re.findall(r"(\S+) = (\d+)", text))
        # 20 senders to 20 receivers each, 20 messages
        self.assertEqual(counts["hackbench:sender/write"], "8000")
        self.assertEqual(counts["hackbench:receiver/read"], "8000")
        self.assertEqual(counts["hackbench:sender/exit"], "20")

    def test_watched_or_not(self):
        """What programs cost is charged; a run without any is as it always was."""
        plain, again, traced = (
            e2e.run_json("eevdf", *args, "-m", "4", "-w", "files", "-t", "200ms",
                         "--noise", "none")["runs"][0]["trace_hash"]
            for args in ((), (), ("--with", source("schedulers", "hello", "callers.bpf.c"))))
        self.assertEqual(plain, again)
        self.assertNotEqual(plain, traced)


def can_trace_host():
    return os.geteuid() == 0 and os.path.exists("/sys/kernel/tracing/trace_pipe")


class Host(e2e.Test):
    def test_takes_root(self):
        args = [e2e.VRT, "trace", "--on", "host", SWITCHES]
        kwargs = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        try:
            done = subprocess.run(args, capture_output=True, text=True, **kwargs)
        except PermissionError:
            self.skipTest("nobody can run the program")
        self.check_refused(done, 1, "--on host", "takes root")

    def test_options_of_the_simulator(self):
        for option in ("--machine", "--workload", "--cgroup"):
            done = vrt("trace", "--on", "host", SWITCHES, option, "4")
            self.check_refused(done, 1, option, "--on sim")

    @unittest.skipUnless(can_trace_host(), "needs root and a mounted tracefs")
    def test_prints_and_leaves(self):
        done = vrt("trace", "--on", "host", SWITCHES, "--for", "1s", "--watch",
                   "host_swi.bss=300ms")
        if done.returncode:
            # what a container forbids is told, and no test of ours
            self.check_refused(done, 2, "this host's kernel")
            self.skipTest(done.stderr)
        if "tracing is switched off" in done.stderr: # by somebody else
            self.assertNotIn("a switch, seen by vrt", done.stdout)
        else:
            self.assertIn("a switch, seen by vrt", done.stdout)
        counts = [int(n) for n in re.findall(r"nr_switches = (\d+)", done.stdout)]
        self.assertEqual(len(counts), 3)
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], 10)

    @unittest.skipUnless(can_trace_host(), "needs root and a mounted tracefs")
    def test_hello_world(self):
        """The object of the simulated machine, in this kernel."""
        opener = subprocess.Popen(["sh", "-c", f"while sleep 0.05; do : <'{SWITCHES}'; done"])
        try:
            done = vrt("trace", "hello/helloworld", "--on", "host", "--for", "2s", env=Shipped.ENV)
        finally:
            opener.kill()
            opener.wait()
        if done.returncode:
            self.check_refused(done, 2, "this host's kernel")
            self.skipTest(done.stderr)
        if "tracing is switched off" in done.stderr:
            self.skipTest(done.stderr)
        self.assertIn("Open " + SWITCHES[:60], done.stdout)

    @unittest.skipUnless(can_trace_host(), "needs root and a mounted tracefs")
    def test_ctrl_c(self):
        with subprocess.Popen([e2e.VRT, "trace", "--on", "host", SWITCHES, "--for", "60s"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            time.sleep(1.5)
            if p.poll() is not None:
                self.skipTest(p.stderr.read())
            begin = time.monotonic()
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=30)
            self.assertEqual((p.returncode, err), (0, ""))
            self.assertLess(time.monotonic() - begin, 20)

    @unittest.skipUnless(can_trace_host(), "needs root and a mounted tracefs")
    def test_schedulers_are_not_for_the_host(self):
        done = vrt("trace", "--on", "host", FIFO)
        self.check_refused(done, 2, "only tracing programs")


if __name__ == "__main__":
    e2e.main()
