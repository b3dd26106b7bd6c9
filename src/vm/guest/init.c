// SPDX-License-Identifier: GPL-2.0-only
/* Process 1 of a guest: file systems, the port, power. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define PORTS "/sys/class/virtio-ports"
#define PORT_WAIT_MS 10000

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	/* some kernels have mounted it themselves, some lack it; what needs it will say so */
	mount(type, dir, type, 0, NULL);
}

void init_mount(void)
{
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");
	mount_at("tracefs", "/sys/kernel/tracing");
	mount_at("bpf", "/sys/fs/bpf");
	mount_at("tmpfs", GUEST_DIR);
}

static bool is_our_port(const char *name)
{
	char path[300], line[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), PORTS "/%s/name", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, CHANNEL_PORT);
}

static int find_port(void)
{
	DIR *dir = opendir(PORTS);
	struct dirent *e;
	int fd = -ENOENT;

	while (dir && fd == -ENOENT && (e = readdir(dir))) {
		char path[300];

		if (e->d_name[0] == '.' || !is_our_port(e->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	if (dir)
		closedir(dir);
	return fd;
}

int init_open_port(void)
{
	int fd = -ENOENT;

	for (u32 ms = 0; ms < PORT_WAIT_MS && fd == -ENOENT; ms += 10) {
		fd = find_port();
		if (fd == -ENOENT)
			usleep(10000);
	}
	return fd;
}

void init_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
