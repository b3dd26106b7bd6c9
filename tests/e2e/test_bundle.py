# SPDX-License-Identifier: GPL-2.0-only
"""Runs that fail leave a bundle, which is all it takes to run them again."""

import glob
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time

from vrt import VRT, Test, main, source, vrt

UNFAIR = source("workloads", "unfair.json")
FIFO = source("schedulers", "fifo.bpf.c")
ERRORS = source("tests", "e2e", "good", "vm_errors.bpf.c")
REFUSED = source("tests", "e2e", "bad", "wrong_context.bpf.c")


class Bundle(Test):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.env = {"VRT_BUNDLES": "", "TMPDIR": self.dir.name}

    def vrt(self, *args, env=None):
        return vrt(*args, cwd=self.dir.name, env={**self.env, **(env or {})})

    def bundles(self, pattern="*.vrt-repro"):
        return sorted(map(os.path.basename, glob.glob(os.path.join(self.dir.name, pattern))))

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def load(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return json.load(f)

    def seal(self, name, bundle):
        """Writes a bundle that has been changed, with the hash that it then has."""
        bundle.pop("sha256")
        text = json.dumps(bundle, separators=(",", ":")).replace("/", "\\/")
        bundle["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        with open(self.path(name), "w", encoding="utf-8") as f:
            json.dump(bundle, f)

    def replay(self, name, *args, status=0):
        done = self.vrt("replay", name, *args)
        self.assertEqual(done.returncode, status, done.stdout[-2000:] + done.stderr)
        self.assertNotIn("AddressSanitizer", done.stderr)
        # nothing of it is left
        self.assertEqual(glob.glob(self.path("vrt-replay-*")), [])
        return done

    def fail(self, *args, status=3):
        """A run that fails; the name of its bundle."""
        done = self.vrt("run", *args)
        self.assertEqual(done.returncode, status, done.stderr)
        (name,) = self.bundles()
        self.assertIn(f"vrt replay {name}", done.stderr)
        return name


class Writing(Bundle):
    def test_thrown_out(self):
        name = self.fail(ERRORS, "-m", "4", "-w", UNFAIR, "-t", "100ms")
        self.assertRegex(name, r"^vm_errors-[0-9a-f]{12}\.vrt-repro$")
        bundle = self.load(name)
        self.assertEqual(bundle["schema"], "vruntime-repro-1")
        self.assertEqual(bundle["result"]["kind"], "error_bpf")
        self.assertEqual(bundle["result"]["message"], "as planned")
        files = {f["name"]: f for f in bundle["files"]}
        self.assertEqual(set(files), {"vm_errors.bpf.o", "workload.json", "costs.json"})
        with open(UNFAIR, encoding="utf-8") as f:
            self.assertEqual(files["workload.json"]["text"], f.read())
        # nothing of this host is in it
        with open(self.path(name), encoding="utf-8") as f:
            text = f.read()
        self.assertNotIn(source(), text)
        self.assertNotIn(self.dir.name, text)

    def test_same_failure_same_bundle(self):
        self.fail(ERRORS, "-m", "4", "-w", UNFAIR, "-t", "100ms")
        self.fail(ERRORS, "-m", "4", "-w", UNFAIR, "-t", "100ms")
        done = self.vrt("run", ERRORS, "-m", "4", "-w", UNFAIR, "-t", "100ms", "-s", 2, "--json")
        self.assertEqual(len(self.bundles()), 2)
        run = json.loads(done.stdout)["runs"][0]
        self.assertIn(run["bundle"], self.bundles())
        self.check_documented(run)

    def test_no_bundle_of_success(self):
        self.assertEqual(self.vrt("run", FIFO, "-m", "4", "-w", UNFAIR, "-t", "20ms").returncode, 0)
        self.assertEqual(self.bundles(), [])

    def test_where(self):
        run = ["run", ERRORS, "-m", "4", "-w", UNFAIR, "-t", "20ms", "-q"]
        self.assertEqual(self.vrt(*run, "--bundle", "none").returncode, 3)
        self.assertEqual(self.vrt(*run, env={"VRT_BUNDLES": "none"}).returncode, 3)
        self.assertEqual(self.bundles(), [])
        self.assertEqual(self.vrt(*run, "--bundle", "mine").returncode, 3)
        self.assertTrue(os.path.exists(self.path("mine")))
        os.mkdir(self.path("there"))
        self.assertEqual(self.vrt(*run, env={"VRT_BUNDLES": "there"}).returncode, 3)
        self.assertEqual(len(self.bundles("there/vm_errors-*.vrt-repro")), 1)
        # two runs, two bundles, whether they fail or not
        self.assertEqual(self.vrt("run", FIFO, "eevdf", *run[2:], "--bundle", "b.json").returncode, 0)
        self.assertEqual(self.bundles("b*.json"), ["b-eevdf.json", "b-fifo.json"])

    def test_cannot_be_written(self):
        run = ["run", ERRORS, "-m", "4", "-w", UNFAIR, "-t", "20ms"]
        self.check_refused(self.vrt(*run, env={"VRT_BUNDLES": "/no/such/place"}), 3,
                           "vm_errors: there will be no repro bundle: /no/such/place/vm_errors-",
                           "No such file or directory", "--bundle FILE puts it elsewhere")
        self.check_refused(self.vrt(*run, "--bundle", "/dev/full"), 3, "No space left")
        self.assertTrue(os.path.exists("/dev/full"))
        # what was asked for and is not there is a failure
        self.check_refused(self.vrt("run", "eevdf", *run[2:], "--bundle", "/no/such/b"), 2,
                           "eevdf: there will be no repro bundle: /no/such/b")

    def test_nothing_to_replay(self):
        broken = self.path("broken.bpf.c")
        with open(broken, "w", encoding="utf-8") as f:
            f.write("int x = ;\n")
        for scheduler in (broken, "/no/such.bpf.o"):
            done = self.vrt("run", scheduler, "-w", "pipe", "-t", "20ms")
            self.assertEqual(done.returncode, 2)
            self.assertNotIn("bundle", done.stderr)
            self.check_refused(self.vrt("run", scheduler, "-w", "pipe", "--bundle", "b"), 2,
                               "there will be no repro bundle")
        self.assertEqual(self.bundles("b"), [])


class Replaying(Bundle):
    def check_same(self, name):
        done = self.replay(name)
        self.assertIn("sim       as recorded, event by event", done.stdout)
        run = json.loads(self.replay(name, "--json").stdout)["runs"][0]
        self.check_documented(run)
        self.assertEqual(run["replay"]["as_recorded"], True)
        self.assertEqual(run["replay"]["recorded"], self.load(name)["result"])
        return run

    def test_thrown_out(self):
        name = self.fail(ERRORS, "-m", "2x2x2", "-w", UNFAIR, "-t", "100ms", "-s", 7)
        run = self.check_same(name)
        self.assertEqual(run["end"]["kind"], "error_bpf")
        self.assertEqual(run["seed"], 7)

    def test_stall(self):
        lost = source("tests", "e2e", "bad", "drops_tasks.bpf.c")
        name = self.fail(lost, "-m", "4", "-w", UNFAIR, "-t", "6s")
        self.assertEqual(self.check_same(name)["end"]["kind"], "error_stall")

    def test_refused(self):
        name = self.fail(REFUSED, "-m", "2", "-w", UNFAIR, "-t", "1s", status=2)
        self.assertEqual(self.check_same(name)["end"]["kind"], "not_loaded")

    def test_no_object_at_all(self):
        with open(self.path("x.bpf.o"), "wb") as f:
            f.write(b"\x7fELF, but no more")
        name = self.fail(self.path("x.bpf.o"), "-w", "pipe", status=2)
        run = self.check_same(name)
        self.assertIn("x.bpf.o: is truncated", run["end"]["message"])
        # nor does the path of who ran it matter
        self.assertNotIn(self.dir.name, run["end"]["message"])

    def test_everything(self):
        """All that a command line can say, in two schedulers of one name."""
        os.mkdir(self.path("other"))
        for src, dst in ((FIFO, "fifo.bpf.c"), (source("schedulers", "vtime.bpf.c"), "other/fifo.bpf.c")):
            with open(src, encoding="utf-8") as f, open(self.path(dst), "w", encoding="utf-8") as g:
                g.write(f.read())
        for name, value in (("costs.json", {"context_switch": 7000}),
                            ("machine.json", {"nodes": [{"llcs": [{"cores": [
                                {"count": 2, "threads": 2}, {"capacity": 446}]}]}]})):
            with open(self.path(name), "w", encoding="utf-8") as f:
                json.dump(value, f)
        done = self.vrt(
            "run", "./fifo.bpf.c,slice_ns=3000000", "-m", "./machine.json", "-w", UNFAIR, "-t",
            "80ms", "--warmup", "10ms", "--seed", 3, "--noise", "heavy", "--costs", "costs.json",
            "--at", "20ms:swap=other/fifo.bpf.c,slice_ns=1000000", "--at", "40ms:offline=1",
            "--at", "50ms:swap=eevdf", "--at", "60ms:swap=./fifo.bpf.c",
            "--with", "periodic_map_gc,max_age_ns=5000000",
            "--cgroup", "/gc,weight=50,max=10ms/100ms", "--contexts", "run",
            "--expect", "utilization>100%", "--json")
        self.assertEqual(done.returncode, 4, done.stderr)
        first = json.loads(done.stdout)["runs"][0]
        self.assertEqual([a["scheduler"] for a in first["attachments"]],
                         # the second one again, as it asked for when the CPU went
                         ["fifo,slice_ns=3000000", *2 * ["fifo,slice_ns=1000000"], "eevdf", "fifo"])
        bundle = self.load(first["bundle"])
        self.assertEqual([f["name"] for f in bundle["files"]],
                         ["fifo.bpf.o", "2/fifo.bpf.o", "periodic_map_gc.bpf.o", "workload.json",
                          "machine.json", "costs.json"])
        # it is all that is needed
        for path in ("fifo.bpf.c", "other/fifo.bpf.c", "machine.json", "costs.json"):
            os.unlink(self.path(path))
        again = self.check_same(first["bundle"])
        for part in ("metrics", "groups", "books", "cgroups", "with", "trace_hash", "kernel",
                     "seed", "contexts", "noise", "status"):
            self.assertEqual(again[part], first[part], part)
        self.assertEqual([e["time_ns"] for e in again["timeline"]],
                         [e["time_ns"] for e in first["timeline"]])

    def test_this_host(self):
        self.vrt("run", "eevdf", "-m", "host", "-w", "pipe", "-t", "20ms", "--bundle", "b.vrt-repro")
        self.check_same("b.vrt-repro")

    def test_options_of_replay(self):
        self.vrt("run", "eevdf", "-m", "2", "-w", "pipe", "-t", "20ms", "--bundle", "b.vrt-repro")
        self.replay("b.vrt-repro", "--trace", "t.txt")
        self.assertGreater(os.path.getsize(self.path("t.txt")), 1000)
        self.check_refused(self.vrt("replay"), 1, "expected one repro bundle")
        self.check_refused(self.vrt("replay", "b.vrt-repro", "b.vrt-repro"), 1, "expected one")
        self.check_refused(self.vrt("replay", "b.vrt-repro", "--seed", "2"), 1, "--seed")
        self.check_refused(self.vrt("replay", "b.vrt-repro", "--on", "moon"), 1, "moon")

    def test_interrupt_leaves_nothing(self):
        self.vrt("run", "eevdf", "-m", "8", "-w", UNFAIR, "-t", "1ms", "--bundle", "b.vrt-repro")
        bundle = self.load("b.vrt-repro")
        bundle["command"] = [w.replace("--for=1000000ns", "--for=10000s") for w in bundle["command"]]
        self.seal("b.vrt-repro", bundle)
        for how in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen([VRT, "replay", "b.vrt-repro"], cwd=self.dir.name,
                                  env={**os.environ, **self.env}, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True) as p:
                for _ in range(500):
                    if glob.glob(self.path("vrt-replay-*/costs.json")):
                        break
                    time.sleep(0.01)
                self.assertTrue(glob.glob(self.path("vrt-replay-*/costs.json")))
                time.sleep(0.05)
                os.killpg(p.pid, how)
                self.assertEqual(p.wait(20), -how)
            self.assertEqual(glob.glob(self.path("vrt-replay-*")), [])


class Differing(Bundle):
    def test_same_version(self):
        """Ours is the only explanation."""
        name = self.fail(ERRORS, "-m", "4", "-w", UNFAIR, "-t", "50ms")
        bundle = self.load(name)
        bundle["result"]["trace_hash"] = "0123456789abcdef"
        self.seal(name, bundle)
        out = " ".join(self.replay(name, status=5).stdout.split())
        self.assertIn("sim NOT as recorded: trace_hash differs;", out)
        self.assertIn("this is a bug of vruntime", out)

    def test_other_version(self):
        name = self.fail(ERRORS, "-m", "4", "-w", UNFAIR, "-t", "50ms")
        bundle = self.load(name)
        bundle["version"] = "0.0.7"
        self.seal(name, bundle)
        self.replay(name)  # an older one whose runs are the same
        bundle["result"].update(kind="error_stall", message="other")
        self.seal(name, bundle)
        out = " ".join(self.replay(name, status=4).stdout.split())
        self.assertIn("NOT as recorded: kind, message differ; error_bpf (scx_bpf_error): as planned",
                      out)
        self.assertIn("The bundle was written by vrt 0.0.7, and this is vrt", out)

    def test_other_machine(self):
        self.vrt("run", "eevdf", "-m", "2", "-w", "pipe", "-t", "20ms", "--bundle", "b")
        bundle = self.load("b")
        bundle["machine"]["hash"] = "0" * 64
        self.seal("b", bundle)
        self.check_refused(self.vrt("replay", "b"), 1, "its machine cannot be made again")


class Hostile(Bundle):
    def setUp(self):
        super().setUp()
        self.vrt("run", "eevdf", "-m", "2", "-w", UNFAIR, "-t", "20ms", "--bundle", "b")
        with open(self.path("b"), encoding="utf-8") as f:
            self.text = f.read()

    def refuse(self, text, *whys):
        with open(self.path("b"), "w", encoding="utf-8") as f:
            f.write(text)
        self.check_refused(self.vrt("replay", "b"), 1, "vrt: replay: b:", *whys)
        self.assertEqual(glob.glob(self.path("vrt-replay-*")), [])

    def test_files_that_are_no_bundle(self):
        self.check_refused(self.vrt("replay", "nothing"), 1, "nothing: No such file")
        self.check_refused(self.vrt("replay", "."), 1, "Is a directory")
        self.refuse("", "not valid JSON")
        self.refuse(self.text[:len(self.text) // 2], "ends too early")
        self.refuse("[" * 1000, "not valid JSON")
        self.refuse(self.text + "x", "not valid JSON")
        self.refuse(self.text.replace("repro-1", "repro-2"), "of the form 'vruntime-repro-2'")
        self.refuse(self.text.replace("--seed=1", "--seed=2"), "has been changed")
        self.refuse(self.text.replace("0.2", "0.3").replace("hog", "hug"), "has been changed")

    def test_made_up(self):
        def change(why, **members):
            bundle = json.loads(self.text)
            bundle.update(members)
            self.seal("b", bundle)
            self.check_refused(self.vrt("replay", "b"), 1, "vrt: replay: b:", why)
            self.assertEqual(glob.glob(self.path("vrt-replay-*")), [])

        text = {"text": "x", "sha256": hashlib.sha256(b"x").hexdigest()}
        for name in ("../x", "/tmp/x", "2/../../x", ".", "..", "a/b", "x\ny"):
            change("is no good repro bundle: a file in it is called", files=[{"name": name, **text}])
        change("which is not in it", command=["--workload=/etc/passwd", "eevdf"])
        change("--trace: there is no such option", command=["--trace=/tmp/x.txt", "eevdf"])
        change("--workload is missing", command=["eevdf"])
        change("--machine: ", command=["--workload=pipe", "--machine=99999999", "eevdf"])
        self.assertEqual(glob.glob(self.path("x*")), [])


if __name__ == "__main__":
    main()
