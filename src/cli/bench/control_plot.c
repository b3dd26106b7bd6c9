// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plot of the group "control": of all activations of the probes, how many were
 * delayed for longer than so long, a curve for each variant and a panel for each
 * place. Drawn by gnuplot, which gets data and commands in a memory file.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/error.h"
#include "../../base/process.h"
#include "../../base/strbuf.h"
#include "../json.h"
#include "control.h"

#define WIDTH 760
#define HEIGHT 440 /* of a panel */
/* where the axes begin */
#define MIN_US 1.0
#define MIN_PERCENT 0.05

/* Colours that can be told apart, also by those who see few (Paul Tol's "bright"). */
static const char *const looks[NR_CONTROL_VARIANTS] = {
	[CONTROL_NONE] = "lw 2 dt 2 lc rgb '#777777'",
	[CONTROL_KTHREAD] = "lw 2 lc rgb '#4477aa'",
	[CONTROL_WORKER] = "lw 2 lc rgb '#bbbbbb'",
	[CONTROL_DAEMON] = "lw 2 lc rgb '#66ccee'",
	[CONTROL_TIMER] = "lw 3 lc rgb '#ee6677'",
	[CONTROL_OWN] = "lw 3 lc rgb '#228833'",
	[CONTROL_SHARED] = "lw 2 lc rgb '#ccbb44'",
	[CONTROL_PROGRAM] = "lw 2 lc rgb '#aa3377'",
};

/* --- what gnuplot is told ------------------------------------------------- */

static const struct {
	const char *suffix, *terminal;
	double scale; /* of the size, in the terminal's unit */
} formats[] = {
	{ ".svg", "svg background 'white' font 'sans,13' size", 1 },
	{ ".png", "pngcairo font 'sans,11' size", 1 },
	{ ".pdf", "pdfcairo font 'sans,10' size", 1 / 100.0 },
};

/* -1: there is no such format. */
static s32 format_of(const char *file)
{
	const char *dot = strrchr(file, '.');

	for (u32 i = 0; dot && i < ARRAY_SIZE(formats); i++)
		if (!strcasecmp(dot, formats[i].suffix))
			return (s32)i;
	return -1;
}

/* In a string of gnuplot's between single quotes. */
static void quote(struct strbuf *sb, const char *text)
{
	strbuf_putc(sb, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_putc(sb, '\'');
		strbuf_putc(sb, *text);
	}
	strbuf_putc(sb, '\'');
}

static bool has_delays(struct json_object *row, const char *on, struct json_object **dist)
{
	*dist = json_at(row, "plain.delay");
	if (!*dist)
		*dist = json_at(row, "delay");
	return *dist && !strcmp(json_string_at(row, "on"), on);
}

/* "$d3 << E": each delay that there was, in us, and the percentage of longer ones. */
static void add_data(struct strbuf *sb, u32 nr, struct json_object *dist)
{
	struct json_object *buckets = json_at(dist, "buckets");
	u64 count, left;

	json_u64_at(dist, "count", &count);
	left = count;
	strbuf_printf(sb, "$d%u << E\n%g 100\n", nr, MIN_US);
	for (size_t i = 0; i < json_object_array_length(buckets); i++) {
		struct json_object *pair = json_object_array_get_idx(buckets, i);
		double us = json_object_get_double(json_object_array_get_idx(pair, 0)) / 1000;

		left -= json_object_get_uint64(json_object_array_get_idx(pair, 1));
		/* there is no zero on a logarithmic axis */
		strbuf_printf(sb, "%.3f %g\n", max(us, MIN_US),
			      max((double)left * 100 / (double)count, MIN_PERCENT / 10));
	}
	strbuf_puts(sb, "E\n");
}

static void add_label(struct strbuf *sb, enum control_variant variant)
{
	struct strbuf label = {};

	if (variant == CONTROL_NONE)
		strbuf_puts(&label, "without the job");
	else
		strbuf_printf(&label, "%s%s", variant >= CONTROL_OWN ? "SchedBPF: " : "",
			      control_variant_name(variant));
	quote(sb, strbuf_str(&label));
	strbuf_free(&label);
}

static void add_panel(struct strbuf *sb, struct json_object *rows, struct json_object *place,
		      u32 *nr)
{
	const char *on = json_string_at(place, "on"), *kernel = json_string_at(place, "kernel");
	struct strbuf curves = {};
	struct json_object *dist;

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		enum control_variant variant = control_variant_of(json_string_at(row, "name"));

		if (!has_delays(row, on, &dist))
			continue;
		add_data(sb, *nr, dist);
		strbuf_printf(&curves, "%s $d%u with steps %s title ", curves.len ? "," : "plot",
			      *nr, looks[variant]);
		add_label(&curves, variant);
		(*nr)++;
	}
	strbuf_printf(sb, "set title '%s'\n%s\n", *kernel ? kernel : "simulated machine",
		      strbuf_str(&curves));
	strbuf_free(&curves);
}

static void add_commands(struct strbuf *sb, struct json_object *control, const char *file,
			 s32 format)
{
	struct json_object *places = json_at(control, "places");
	size_t panels = json_object_array_length(places);
	double scale = formats[format].scale;
	u32 nr = 0;

	strbuf_printf(sb, "set terminal %s %g,%g\nset output ", formats[format].terminal,
		      WIDTH * scale, (double)(HEIGHT * panels) * scale);
	quote(sb, file);
	strbuf_printf(sb, "\nset multiplot layout %zu,1\nset logscale xy\nset format x '%%g'\n"
			  "set format y '%%g %%%%'\nset key outside right\nset grid\n"
			  "set xlabel 'delay, us'\n"
			  "set ylabel 'of other tasks later than that'\n"
			  "set yrange [%g:100]\nset xrange [%g:]\n",
		      panels, MIN_PERCENT, MIN_US);
	for (size_t i = 0; i < panels; i++)
		add_panel(sb, json_at(control, "benchmarks"),
			  json_object_array_get_idx(places, i), &nr);
	strbuf_puts(sb, "unset multiplot\n");
}

/* --- gnuplot itself ------------------------------------------------------- */

int control_plot_check(const char *file, char *err, size_t err_size)
{
	char *argv[] = { "gnuplot", "--version", NULL };
	struct strbuf out = {}, complaint = {};
	int status;

	if (format_of(file) < 0)
		return vrt_error(err, err_size, -EINVAL,
				 "--plot: '%s' is no name of a picture: expected FILE.svg, "
				 "FILE.png or FILE.pdf", file);
	status = run_process(argv, &out, &complaint);
	strbuf_free(&out);
	strbuf_free(&complaint);
	if (status)
		return vrt_error(err, err_size, -ENOENT,
				 "--plot: gnuplot draws it, and is not installed (Debian: "
				 "gnuplot-nox)");
	return 0;
}

int control_plot(struct json_object *control, const char *file, char *err, size_t err_size)
{
	char path[64], why[1024] = "no memory", *argv[] = { "gnuplot", path, NULL }, *out = NULL;
	int fd = memfd_create("vrt-plot", MFD_CLOEXEC);
	struct strbuf text = {};

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	add_commands(&text, control, file, format_of(file));
	if (fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len)
		out = run_for_output(argv, why, sizeof(why));
	strbuf_free(&text);
	if (fd >= 0)
		close(fd);
	if (!out)
		return vrt_error(err, err_size, -EIO, "--plot: %s is not drawn: %s", file, why);
	free(out);
	return 0;
}
