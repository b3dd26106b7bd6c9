# SPDX-License-Identifier: GPL-2.0-only
"""docs/sources.md keeps its word: every vrt command on that page works."""

import os
import re
import subprocess
import unittest

from vrt import BUILD, SOURCE, Test, main, source

# `vrt run ...; test $? -eq 3`: a command, and its exit status unless 0
COMMAND = re.compile(r"`(vrt [^`]+?)(?:; test \$\? -eq (\d))?`")


def commands():
    with open(source("docs", "sources.md"), encoding="utf-8") as page:
        found = COMMAND.findall(page.read())
    return sorted({(command.replace("\\|", "|"), int(status or 0)) for command, status in found})


class Sources(Test):
    def test_commands(self):
        path = BUILD + os.pathsep + os.environ["PATH"]
        env = dict(os.environ, PATH=path, VRT_SCHEDULERS=source("schedulers"))
        self.assertGreater(len(commands()), 20)
        for command, status in commands():
            with self.subTest(command):
                done = subprocess.run(command, shell=True, cwd=SOURCE, env=env, text=True,
                                      capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
                self.assertEqual(done.returncode, status, done.stdout[-1000:] + done.stderr[-2000:])

    def test_rows_are_whole(self):
        """A row says what vruntime does, or says not yet; none is left empty."""
        with open(source("docs", "sources.md"), encoding="utf-8") as page:
            rows = [line for line in page if line.startswith("| ") and "---" not in line]
        self.assertGreater(len(rows), 80)
        for row in rows:
            cells = [cell.strip() for cell in row.strip().strip("|").replace("\\|", "/").split("|")]
            self.assertGreaterEqual(len(cells), 2, row)
            self.assertTrue(all(cells[:2]), row)


if __name__ == "__main__":
    main()
