# SPDX-License-Identifier: GPL-2.0-only
"""What the end-to-end tests share: running vrt as a user does.

A test file is a Python unittest module. Meson runs it with the environment
VRT (the program), VRT_SOURCE (the source tree) and VRT_BUILD (the build tree).
"""

import json
import os
import subprocess
import sys
import unittest

VRT = os.environ["VRT"]
SOURCE = os.environ["VRT_SOURCE"]
BUILD = os.environ["VRT_BUILD"]
SKIP = 77  # Meson's exit status for a test that could not run


def source(*path):
    return os.path.join(SOURCE, *path)


def vrt(*args, **kwargs):
    """Runs vrt; the result has returncode, stdout and stderr (text)."""
    env = {**os.environ, "VRT_BUNDLES": "none", **kwargs.pop("env", {})}
    return subprocess.run([VRT, *map(str, args)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=env, timeout=kwargs.pop("timeout", 600),
                          **kwargs)


def run_json(*args, status=0):
    """vrt run --json; checks the exit status (None: any) and returns the document."""
    done = vrt("run", *args, "--json")
    if status is not None and done.returncode != status:
        raise AssertionError(f"vrt run {args} exited with {done.returncode}, not {status}:\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


class Test(unittest.TestCase):
    maxDiff = 4000

    def check_documented(self, value, manual=None):
        """Every field of a document is in the manual; not the names of types and ops."""
        if manual is None:
            with open(source("docs", "json.md"), encoding="utf-8") as f:
                manual = f.read()
        if isinstance(value, list):
            for element in value:
                self.check_documented(element, manual)
        if not isinstance(value, dict):
            return
        for name, element in value.items():
            self.assertIn(f"`{name}`", manual)
            by_name = name in ("messages", "scheduler_ops")
            self.check_documented(list(element.values()) if by_name else element, manual)

    def check_refused(self, done, status, *texts):
        """Exit status and message of a command that must fail cleanly.

        Where lines are broken does not matter.
        """
        out = done.stderr + done.stdout
        self.assertEqual(done.returncode, status, out)
        for text in texts:
            self.assertIn(" ".join(text.split()), " ".join(out.split()))
        self.assertNotIn("AddressSanitizer", out)
        self.assertNotIn("runtime error:", done.stderr)


def main():
    unittest.main(module="__main__", verbosity=2, argv=[sys.argv[0], *sys.argv[1:]])
