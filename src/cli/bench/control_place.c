// SPDX-License-Identifier: GPL-2.0-only
/*
 * An experiment of the group "control" in a process of its own, or in a guest that
 * is booted for the first and serves all.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../../base/error.h"
#include "../../base/strbuf.h"
#include "../../vm/channel.h"
#include "../../vm/kernels.h"
#include "../../vm/run.h"
#include "../../vm/vm.h"
#include "../guest.h"
#include "../json.h"
#include "../plan.h"
#include "control.h"

/* One CPU: there is nowhere to go, neither for the job nor for the others. */
#define MACHINE "1"

int control_plan(struct run_plan *plan, const char *on, char *err, size_t err_size)
{
	int ret;

	run_options_init(&plan->options);
	plan->options.on = on;
	plan->options.machine = MACHINE;
	plan->counted = true;
	ret = plan_machine(plan, err, err_size) ?: plan_places(plan, err, err_size);
	for (u32 i = 0; i < plan->nr_targets && !ret; i++) {
		const struct run_target *t = &plan->targets[i];

		if (t->place == RUN_ON_HOST)
			ret = vrt_error(err, err_size, -EINVAL,
					"--on host: the experiments need a machine of their own, "
					"with the module schedbpf; choose --on "
					"vm:" KERNEL_WITH_MODULE);
	}
	return ret;
}

static struct json_object *error_json(const char *text)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "error", json_text(text));
	return json;
}

/* --- simulated ------------------------------------------------------------ */

struct sim_request {
	const struct run_plan *plan;
	const struct control_setup *setup;
};

static struct json_object *on_sim(void *arg)
{
	struct sim_request *r = arg;
	struct control_figures figures;
	struct json_object *json;
	char err[4096];

	if (control_sim(&r->plan->topology, &r->plan->costs, r->plan->options.seed, r->setup,
			&figures, err, sizeof(err)))
		json = error_json(err);
	else
		json = control_figures_json(&figures);
	control_figures_free(&figures);
	return json;
}

/* --- real ----------------------------------------------------------------- */

static struct json_object *ask_guest(struct vm *vm, const struct control_setup *setup, bool *lost)
{
	struct json_object *request = json_object_new_object(), *answer = NULL;
	u64 patience = (setup->warmup + setup->window) / NSEC_PER_MSEC + guest_patience_ms();
	enum channel_type type = CHANNEL_LOG;
	struct strbuf body = {};
	int err;

	json_object_object_add(request, RUN_KEY_CONTROL, control_setup_json(setup));
	err = channel_send_text(vm_channel(vm), CHANNEL_RUN, json_object_to_json_string(request));
	json_object_put(request);
	while (!err && type != CHANNEL_END && type != CHANNEL_ERROR)
		err = channel_receive(vm_channel(vm), (int)patience, &type, &body);
	if (err) {
		*lost = true;
		answer = error_json(vm_last_words(vm));
	} else if (type == CHANNEL_ERROR) {
		answer = error_json(strbuf_str(&body));
	} else {
		answer = json_tokener_parse(strbuf_str(&body));
	}
	strbuf_free(&body);
	return answer;
}

static struct json_object *on_guest(struct control_place *place, const struct control_setup *setup,
				    bool *lost)
{
	struct run_target *t = place->target;
	char err[4096];

	if (!t->guest)
		t->guest = guest_boot(place->plan, t->kernel, err, sizeof(err));
	if (t->guest)
		return ask_guest(t->guest, setup, lost);
	*lost = true;
	return error_json(err);
}

/* --- either --------------------------------------------------------------- */

bool control_run(struct control_place *place, const struct control_setup *setup,
		 struct control_figures *figures, bool *lost, char *err, size_t err_size)
{
	struct sim_request request = { place->plan, setup };
	struct json_object *json;
	bool ok;

	*figures = (struct control_figures){};
	if (place->target->place == RUN_ON_SIM)
		json = in_child(on_sim, &request, err, err_size);
	else
		json = on_guest(place, setup, lost);
	if (!json)
		return false;
	ok = !json_at(json, "error");
	if (ok)
		control_figures_parse(json, figures);
	else
		vrt_error(err, err_size, 0, "%s", json_string_at(json, "error"));
	json_object_put(json);
	return ok;
}
