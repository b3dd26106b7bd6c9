// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a libFuzzer target on files and on the files of directories, in the order of their
 * names, without libFuzzer: any compiler's build can say whether the corpus passes. An
 * input that takes LIMIT seconds ends the process by SIGALRM.
 *
 * usage: replay FILE|DIRECTORY...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int inputs;

static void run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t size;

	if (!f || !data) {
		perror(path);
		exit(2);
	}
	size = fread(data, 1, 1 << 20, f);
	fclose(f);
	/* of its own size, so that what is read behind it is noticed */
	data = realloc(data, size ? size : 1);
	alarm(LIMIT);
	LLVMFuzzerTestOneInput(data, size);
	alarm(0);
	free(data);
	inputs++;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void run_path(const char *path)
{
	struct dirent **names;
	int nr = scandir(path, &names, visible, alphasort);
	char file[4096];

	if (nr < 0) {
		run_file(path);
		return;
	}
	for (int i = 0; i < nr; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		run_file(file);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	printf("inputs %u\n", inputs);
	return inputs ? 0 : 2;
}
