# SPDX-License-Identifier: GPL-2.0-only
#
# The few things one types; the build itself is Meson's. Each target installs
# what it needs first (scripts/setup.sh), so each works alone on a new machine.

BUILD ?= build

.PHONY: all setup demo demo-sources demo-linux check bench clean

all: setup $(BUILD)/build.ninja
	@ninja -C $(BUILD)

setup:
	@scripts/setup.sh

# Again if this file has changed: a folder remembers the options that it was made with.
$(BUILD)/build.ninja: Makefile | setup
	@meson setup $(if $(wildcard $(BUILD)/build.ninja),--reconfigure) $(BUILD) -Dlto=true
	@touch $@

# Two policies that ship against the kernel's default, on two workloads.
demo: all
	@scripts/demo.sh $(BUILD)

# One demonstration for each of the documents that vruntime implements.
demo-sources: all
	@scripts/demo-sources.sh $(BUILD)

# The kernel's own schedulers, compiled unmodified.
demo-linux: all
	@scripts/fetch.sh
	@scripts/build-linux-schedulers.sh $(BUILD)
	@scripts/demo-linux.sh $(BUILD)

# Everything that CI does: warnings are errors, all tests, with and without sanitizers.
check:
	@scripts/setup.sh --with-sources
	@scripts/check.sh

bench: all
	@$(BUILD)/vrt bench

clean:
	rm -rf build build-check build-asan
