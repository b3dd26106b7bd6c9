# SPDX-License-Identifier: GPL-2.0-only
"""vrt vm build with a package of sources that are small: a kernel's stages in seconds.

The Makefile behaves as a kernel's in what vrt goes by: configuration, steps, places of what it
makes. The real thing is test_vm_kernel.py.
"""

import gzip
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from vrt import SKIP, VRT, Test, main, vrt

MAKEFILE = """
all:
allnoconfig:
	@sed '/CONFIG_UNHEARD_OF/d' "$(KCONFIG_ALLCONFIG)" > .config
bzImage: c.o
	@mkdir -p arch/x86/boot include/config
	@cp image arch/x86/boot/bzImage
	@echo 6.12.99-vrt > include/config/kernel.release
	@env > environment
%.o:
	@echo '  CC      $@'
	@echo said on stderr >&2
	@sh hurdle $@
	@touch $@
b.o: a.o
c.o: b.o
"""
# What tests do with a compilation.
HURDLE = """
[ "$VRT_TEST_FAIL" != "$1" ] || { echo "$1: it is broken"; exit 1; }
[ "$VRT_TEST_HANG" != "$1" ] || { touch "$VRT_TEST_DIR/hangs"; exec sleep 60; }
"""
CONFIG = 'CONFIG_SMP=y\nCONFIG_LOCALVERSION="-vrt"\n# CONFIG_NUMA is not set\n'
VERSION = "6.12.99-1"


def image_with_btf(tmp, source):
    """A bzImage whose unpacked kernel has the BTF of C text."""
    obj = os.path.join(tmp, "kernel.o")
    subprocess.run([os.environ.get("CLANG", "clang-19"), "--target=bpf", "-g", "-O2", "-x", "c", "-c",
                    "-o", obj, "-"], input=source, text=True, check=True)
    with open(obj, "rb") as f:
        payload = gzip.compress(f.read())
    header = bytearray(1024)
    header[0x1F1] = 1
    header[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", header, 0x248, 0, len(payload))
    return bytes(header) + payload


WITH_SCHED_EXT = """
struct sched_ext_ops { int flags; };
void scx_bpf_kick_cpu(struct sched_ext_ops *ops) {}
"""
WITHOUT = "void scx_bpf_kick_cpu(int cpu) {}"


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


class Build(Test):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-vm-build-")
        self.addCleanup(shutil.rmtree, self.tmp)
        self.cache = os.path.join(self.tmp, "cache")
        self.linux = os.path.join(self.tmp, "linux")
        self.env = {"XDG_CACHE_HOME": self.cache, "VRT_LINUX": self.linux, "PATH": self.path(),
                    "VRT_TEST_DIR": self.tmp, "VRT_TEST_FAIL": "", "VRT_TEST_HANG": "",
                    # what a user may have set must not matter
                    "ARCH": "arm64", "MAKEFLAGS": "--no-such-option", "LOCALVERSION": "-mine"}
        write(os.path.join(self.linux, "vm.config"), CONFIG)
        self.package = self.make_package(image_with_btf(self.tmp, WITH_SCHED_EXT))

    def path(self):
        """Tools that a kernel needs and this Makefile does not may be missing here."""
        for tool in ("flex", "bison", "bc", "perl", "pahole"):
            if not shutil.which(tool):
                write(os.path.join(self.tmp, "tools", tool), "#!/bin/sh\nexit 1\n")
                os.chmod(os.path.join(self.tmp, "tools", tool), 0o755)
        return os.path.join(self.tmp, "tools") + ":" + os.environ["PATH"]

    def make_package(self, image, name="linux-source-6.12", version=VERSION):
        top = os.path.join(self.tmp, "package")
        shutil.rmtree(top, ignore_errors=True)
        tree = os.path.join(self.tmp, "trees", name)
        write(os.path.join(tree, "Makefile"), MAKEFILE)
        write(os.path.join(tree, "hurdle"), HURDLE)
        write(os.path.join(tree, "image"), image)
        write(os.path.join(tree, "drivers/gpu/drm/amd/include/registers.h"), "many")
        os.makedirs(os.path.join(top, "usr/src"))
        subprocess.run(["tar", "-cJf", os.path.join(top, f"usr/src/{name}.tar.xz"), "-C",
                        os.path.join(self.tmp, "trees"), name], check=True)
        write(os.path.join(top, "DEBIAN/control"),
              f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
              "Maintainer: nobody <nobody@localhost>\nDescription: sources\n")
        package = os.path.join(self.tmp, f"{name}_{version}.deb")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", top, package], check=True,
                       stdout=subprocess.DEVNULL)
        return package

    def build(self, *args, package=None, **env):
        return vrt("vm", "build", package or self.package, *args, env={**self.env, **env})

    def ready(self, *args, **kwargs):
        done = self.build(*args, **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "6.12.99-vrt is ready")
        return done.stdout

    def builds(self):
        """The directories of builds."""
        top = os.path.join(self.cache, "vruntime", "builds")
        return [os.path.join(top, d) for d in os.listdir(top) if d[0] != "."]

    def read(self, *path):
        with open(os.path.join(*path), encoding="utf-8") as f:
            return f.read()

    def test_build(self):
        out = self.ready()
        self.assertIn(f"unpacking linux-source-6.12 {VERSION}", out)
        self.assertNotIn("CC ", out)
        self.assertEqual(self.builds(), [])
        done = vrt("vm", "list", env=self.env)
        self.assertEqual(done.stdout.split(), "6.12.99-vrt ready, built here".split())
        image = os.path.join(self.cache, "vruntime/kernels/6.12.99-vrt/vmlinuz")
        with open(image, "rb") as f, open(os.path.join(self.tmp, "trees/linux-source-6.12/image"),
                                          "rb") as g:
            self.assertEqual(f.read(), g.read())
        # it is there, and stays so while nothing changes
        self.assertIn("it was built already", self.ready())
        os.remove(image)
        self.assertIn("unpacking", self.ready())

    def test_what_makes_another_kernel(self):
        self.ready()
        write(os.path.join(self.linux, "README.md"), "words")
        self.assertIn("it was built already", self.ready())
        write(os.path.join(self.linux, "vm.config"), CONFIG + "CONFIG_NET=y\n")
        self.assertIn("unpacking", self.ready())
        write(os.path.join(self.linux, "patches/1.patch"), "nothing")
        self.assertIn("unpacking", self.ready())
        self.package = self.make_package(image_with_btf(self.tmp, WITH_SCHED_EXT),
                                         version="6.12.99-2")
        self.assertIn("unpacking linux-source-6.12 6.12.99-2", self.ready())
        # the last one is the one that is kept under this release
        self.assertIn("it was built already", self.ready())

    def test_tree(self):
        write(os.path.join(self.linux, "2.sh"), 'cat "$(dirname "$0")/text/words" >>changed\n')
        write(os.path.join(self.linux, "1.sh"), "test -e Makefile && echo first >>changed\n")
        write(os.path.join(self.linux, "text/words"), "second\n")
        out = self.ready("--keep", "-j", "3")
        self.assertLess(out.index("1.sh"), out.index("2.sh"))
        self.assertIn("building with 3 jobs", out)
        tree = os.path.join(self.builds()[0], "tree")
        self.assertIn("the tree is kept: " + tree, out)
        self.assertEqual(self.read(tree, "changed"), "first\nsecond\n")
        self.assertFalse(os.path.exists(os.path.join(tree, "drivers/gpu/drm/amd/include")))
        environment = self.read(tree, "environment").splitlines()
        self.assertIn("KBUILD_BUILD_USER=vrt", environment)
        for variable in environment:
            self.assertFalse(variable.startswith(("ARCH=", "LOCALVERSION=")), variable)
        self.assertIn(tree[:-5], vrt("vm", "list", env=self.env).stdout)

    def test_failing_script(self):
        write(os.path.join(self.linux, "1.sh"), "echo no good >&2; exit 1\n")
        self.check_refused(self.build(), 2, "1.sh", "no good")
        # what was unpacked was not made ours, and is not built from
        write(os.path.join(self.linux, "1.sh"), "exit 0\n")
        self.assertIn("unpacking", self.ready())

    def test_goes_on(self):
        done = self.build(VRT_TEST_FAIL="b.o")
        log = os.path.join(self.builds()[0], "log")
        self.check_refused(done, 2, "make bzImage", "status 2; the end of " + log, "CC b.o",
                           "b.o: it is broken")
        self.assertIn(os.path.dirname(log), vrt("vm", "list", env=self.env).stdout)
        out = self.ready("--keep")
        self.assertIn("going on with the build", out)
        self.assertNotIn("unpacking", out)
        # nothing was compiled twice but what failed
        self.assertEqual([line.split()[1] for line in self.read(log).splitlines()
                          if line.startswith("  CC")], ["a.o", "b.o", "b.o", "c.o"])

    def start_hanging(self):
        """A build that compiles b.o forever."""
        p = subprocess.Popen([VRT, "vm", "build", self.package], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, start_new_session=True,
                             env={**os.environ, **self.env, "VRT_TEST_HANG": "b.o"})
        self.addCleanup(p.stderr.close)
        for _ in range(600):
            if os.path.exists(os.path.join(self.tmp, "hangs")):
                return p
            time.sleep(0.05)
        p.kill()
        self.fail(p.stderr.read())

    def test_interrupted(self):
        for name, interrupt in (("Ctrl-C", lambda p: os.killpg(p.pid, signal.SIGINT)),
                                ("SIGTERM", lambda p: p.send_signal(signal.SIGTERM))):
            with self.subTest(name):
                p = self.start_hanging()
                interrupt(p)
                self.assertIn(p.wait(30), (-signal.SIGINT, -signal.SIGTERM))
                self.assertIn("the same command goes on", p.stderr.read())
                os.remove(os.path.join(self.tmp, "hangs"))
        self.assertIn("going on with the build", self.ready())

    def test_killed(self):
        """Without a word: make ends, too, and the next build is not kept out for long."""
        p = self.start_hanging()
        p.kill()
        p.wait(30)
        for _ in range(600):
            if self.build(VRT_TEST_FAIL="b.o").stdout.find("going on") >= 0:
                break
            time.sleep(0.05)
        self.assertIn("going on with the build", self.ready())

    def test_one_at_a_time(self):
        p = self.start_hanging()
        self.check_refused(self.build(), 2, "another 'vrt vm build' is running")
        os.killpg(p.pid, signal.SIGINT)
        p.wait(30)
        self.ready()

    def test_progress_is_for_terminals(self):
        import pty
        master, slave = pty.openpty()
        p = subprocess.Popen([VRT, "vm", "build", self.package], stdout=slave, stderr=slave,
                             stdin=subprocess.DEVNULL, env={**os.environ, **self.env,
                                                            "VRT_TEST_HANG": "b.o"})
        os.close(slave)
        os.set_blocking(master, False)
        text = b""
        for _ in range(600):
            try:
                text += os.read(master, 4096)
            except OSError:
                pass
            if os.path.exists(os.path.join(self.tmp, "hangs")):
                break
            time.sleep(0.05)
        p.send_signal(signal.SIGINT)
        p.wait(30)
        os.close(master)
        self.assertIn(b"unpacking", text)
        # without one, steps are in the log only
        done = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")

    def test_options_that_are_not_taken(self):
        write(os.path.join(self.linux, "vm.config"), CONFIG + "CONFIG_UNHEARD_OF=y\n")
        self.check_refused(self.build(), 2, f"linux-source-6.12 {VERSION} does not take over",
                           "CONFIG_UNHEARD_OF=y (is not set)")
        write(os.path.join(self.linux, "vm.config"), CONFIG + "unheard of\n")
        self.check_refused(self.build(), 2, "vm.config: line 4: 'unheard of' is no option")
        os.remove(os.path.join(self.linux, "vm.config"))
        self.check_refused(self.build(), 2, self.linux, "with the file vm.config")

    def test_kernel_of_no_use(self):
        self.package = self.make_package(image_with_btf(self.tmp, WITHOUT))
        self.check_refused(self.build(), 2, "built without sched_ext")
        self.package = self.make_package("no image at all", version="6.12.99-3")
        self.check_refused(self.build(), 2, "is no kernel image")
        self.assertNotIn("ready", vrt("vm", "list", env=self.env).stdout)

    def test_bad_packages(self):
        other = self.make_package(b"", name="linux-libc-dev")
        self.check_refused(self.build(package=other), 2, "is the package 'linux-libc-dev'")
        self.check_refused(self.build(package="/no/such.deb"), 2, "/no/such.deb: No such file")
        self.check_refused(self.build(package=os.path.join(self.linux, "vm.config")), 2,
                           "not a Debian format archive")
        self.check_refused(self.build("6.13"), 1, "too many arguments")

    def test_missing_tools(self):
        tools = os.path.join(self.tmp, "few")
        os.mkdir(tools)
        for tool in ("sh", "env", "gcc", "ld", "make", "tar", "xz", "dpkg-deb", "flex", "bison"):
            found = shutil.which(tool, path=self.env["PATH"])
            os.symlink(found, os.path.join(tools, tool))
        self.check_refused(self.build(PATH=tools), 2, "not installed here: bc, perl, pahole;",
                           "apt-get install bc perl pahole")
        self.assertFalse(os.path.exists(os.path.join(self.cache, "vruntime", "builds")))

    def test_module(self):
        """What can be wrong before the archive is asked, and a module that is there."""
        env = dict(self.env)
        self.check_refused(vrt("run", "eevdf", "-w", "pipe", "--on", "vm:schedbpf", env=env), 2,
                           "there is no kernel with the module schedbpf yet; 'vrt vm module'")
        self.check_refused(vrt("vm", "module", env={**env, "VRT_KMOD": "/no/such"}), 2, "/no/such: ",
                           "expected the directory kmod/schedbpf")
        tools = os.path.join(self.tmp, "few")
        os.mkdir(tools)
        for tool in ("sh", "gcc", "ld", "make"):
            os.symlink(shutil.which(tool), os.path.join(tools, tool))
        self.check_refused(vrt("vm", "module", env={**env, "PATH": tools}), 2,
                           "packages that are missing: pahole xz-utils dpkg")
        kmod = os.path.join(self.tmp, "kmod")
        write(os.path.join(kmod, "main.c"), b"")
        place = os.path.join(self.cache, "vruntime", "kernels", "6.12.1+deb12-cloud-amd64")
        for name in ("vmlinuz", "headers/Makefile", "schedbpf.ko", "schedbpf.key"):
            write(os.path.join(place, name), b"another")
        self.assertIn("6.12.1+deb12-cloud-amd64        ready, with schedbpf",
                      vrt("vm", "list", env=env).stdout)
        # of another source: it is built again, from headers that are none
        done = vrt("vm", "module", env={**env, "VRT_KMOD": kmod})
        self.check_refused(done, 2, "building schedbpf for 6.12.1+deb12-cloud-amd64")
        self.assertEqual(sorted(os.listdir(place)),
                         ["headers", "schedbpf.key", "schedbpf.ko", "vmlinuz"])


if __name__ == "__main__":
    if not shutil.which("dpkg-deb") or not shutil.which("xz"):
        print("NOT TESTED: dpkg-deb or xz is not installed", file=sys.stderr)
        sys.exit(SKIP)
    main()
