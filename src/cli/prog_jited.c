// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine code of programs, by binutils' objdump. Code and runtime lie at other
 * addresses in every run, so what the code refers to outside of itself is shown as "*".
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"
#include "../bpf/jit/jit.h"
#include "json.h"
#include "prog.h"

/* The calls and jumps that leave the code: beyond it, or before it (as a large number). */
static bool leaves(const char *text, u32 size)
{
	const char *target = strrchr(text, ' ');
	u64 address;
	char *end;

	if ((strncmp(text, "call", 4) && text[0] != 'j') || !target)
		return false;
	address = strtoull(target + 1, &end, 16);
	return end > target + 1 && !*end && address >= size;
}

/* "mov %r12,0xdda7343(%rip)  # 0xdda7378": a variable of the runtime, somewhere. */
static void hide_variable(char *text)
{
	char *rip = strstr(text, "(%rip)"), *start = rip;

	if (!rip)
		return;
	while (start > text && strchr("0123456789abcdefx-", start[-1]))
		start--;
	memmove(start + 1, rip, strlen(rip) + 1);
	*start = '*';
	text[strcspn(text, "#")] = '\0';
}

static void add_line(struct json_object *array, u64 offset, const char *bytes, char *text, u32 size)
{
	struct json_object *json = json_object_new_object();
	size_t len;

	hide_variable(text);
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	if (leaves(text, size))
		strcpy(strrchr(text, ' ') + 1, "*");
	json_add_u64(json, "pc", offset);
	json_add_string(json, "operation", text);
	json_add_string(json, "opcodes", bytes);
	json_object_array_add(array, json);
}

/* "   1f:\t48 89 e5             \tmov    %rsp,%rbp" */
static void parse_line(struct json_object *array, char *line, u32 size)
{
	char *bytes = strchr(line, '\t'), *text = bytes ? strchr(bytes + 1, '\t') : NULL, *end;
	u64 offset = strtoull(line, &end, 16);

	if (!text || end == line || *end != ':')
		return;
	*bytes++ = *text++ = '\0';
	bytes[strcspn(bytes, "\t")] = '\0';
	for (size_t len = strlen(bytes); len && bytes[len - 1] == ' ';)
		bytes[--len] = '\0';
	add_line(array, offset, bytes, text, size);
}

static struct json_object *disassemble(const char *file, u32 size, char *err, size_t err_size)
{
	char *const argv[] = { "objdump", "-D", "-w", "-b", "binary", "-m", "i386:x86-64",
			       (char *)file, NULL };
	struct strbuf out = {}, said = {};
	int status = run_process(argv, &out, &said);
	struct json_object *array = NULL;
	char *line, *rest = out.data;

	if (status == -ENOENT) {
		vrt_error(err, err_size, status,
			  "objdump, which knows machine code, is not installed: it is part of binutils");
	} else if (status) {
		vrt_error(err, err_size, -EIO, "objdump failed: %s",
			  status < 0 ? strerror(-status) : strbuf_str(&said));
	} else {
		array = json_object_new_array();
		while ((line = strsep(&rest, "\n")))
			parse_line(array, line, size);
	}
	strbuf_free(&out);
	strbuf_free(&said);
	return array;
}

struct json_object *prog_jited(const struct bpf_prog *prog, char *err, size_t err_size)
{
	const struct bpf_jit_image *image = prog->jit;
	struct json_object *array = NULL;
	char path[32];
	int fd;

	if (!image) {
		vrt_error(err, err_size, -ENOTSUP,
			  bpf_jit_available() ?
			  "%s is interpreted: nothing was compiled" :
			  "%s is interpreted: there is no compiler for this machine's architecture",
			  prog->name);
		return NULL;
	}
	fd = memfd_create("jited", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, image->code, image->size) != (ssize_t)image->size)
		vrt_error(err, err_size, -EIO, "no memory for the code of %s", prog->name);
	else
		array = disassemble(path, image->size, err, err_size);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0, insn = 0; array && i < json_object_array_length(array); i++) {
		struct json_object *json = json_object_array_get_idx(array, i);
		u64 pc;

		json_u64_at(json, "pc", &pc);
		if (pc < image->offsets[0]) /* what all of its functions share */
			continue;
		while (insn + 1 < image->nr && image->offsets[insn + 1] <= pc)
			insn++;
		json_add_u64(json, "insn", insn);
	}
	return array;
}
