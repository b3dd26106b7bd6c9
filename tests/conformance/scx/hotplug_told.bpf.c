// SPDX-License-Identifier: GPL-2.0-only
#define TOLD
#include "hotplug.bpf.c"
