# SPDX-License-Identifier: GPL-2.0-only
"""A kernel of our own, for real: fetched, built, booted, and a scheduler run on it.

Takes minutes and gigabytes, so nobody runs it but who asks for it:
'meson test -C BUILD --suite kernel-build'. The kernel stays in the user's cache,
where the tests that want one look; one that is there already is not built again.
"""

import os
import re
import shutil
import sys

from vrt import BUILD, SKIP, Test, main, run_json, source, vrt


class Kernel(Test):
    def test_6_12(self):
        done = vrt("vm", "build", "6.12", timeout=3600)
        self.assertEqual(done.returncode, 0, done.stderr)
        release = re.search(r"^(6\.12\.\d+-vrt) is ready$", done.stdout, re.MULTILINE)[1]
        done = vrt("vm", "build", "6.12")
        self.assertIn("it was built already", done.stdout)
        self.assertRegex(vrt("vm", "list").stdout, re.escape(release) + " +ready, built here")

        done = vrt("vm", "boot", "6.12", "--cpus", 2)
        self.assertRegex(done.stdout, rf"Linux {re.escape(release)} with 2 CPUs")
        runs = run_json("fifo", "-m", "4", "-w", source("workloads", "unfair.json"), "-t", "300ms",
                        "--kernel", "6.12", "--on", "sim,vm:6.12")["runs"]
        self.assertEqual([run["end"]["kind"] for run in runs], ["done", "done"])
        self.assertEqual(runs[1]["kernel"], release)
        self.assertIn('BPF scheduler "fifo" enabled', " ".join(e["line"] for e in runs[1]["log"]))


if __name__ == "__main__":
    if not shutil.which("qemu-system-x86_64"):
        print("NOT TESTED ON A KERNEL OF OUR OWN: qemu-system-x86_64 is not installed",
              file=sys.stderr)
        sys.exit(SKIP)
    if not os.path.exists(os.path.join(BUILD, "src", "vm", "guest", "vrt-agent")):
        print("NOT TESTED ON A KERNEL OF OUR OWN: this build has no agent for guests",
              file=sys.stderr)
        sys.exit(SKIP)
    main()
