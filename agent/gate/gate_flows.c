/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/gate_private.h"

/* Held until it is known whose they are. */

static struct held as_held(const struct gate_waiting *waiting)
{
	return (struct held){
		.kind = waiting->kind,
		.packet = waiting->packet,
		.mark = waiting->mark,
		.queue = waiting->queue,
		.way = waiting->way,
	};
}

static enum verdict_binding judge(struct gate *gate, const struct observed_flow *flow,
				  const struct flow_program *program)
{
	/* a packet that could not be taken apart */
	if (!flow->remote.family)
		return VERDICT_REFUSED;
	/* held for its ports alone */
	if (gate->options.binding == BIND_NONE)
		return verdict_permits(gate->verdict, flow) ? VERDICT_PERMITTED : VERDICT_REFUSED;
	return verdict_permits_program(gate->verdict, flow, program->program);
}

/* Whom it belongs to need not be known where no entry cares: then nobody is looked for. */
static bool is_anybodys(struct gate *gate, const struct observed_flow *flow)
{
	static const struct flow_program nobody = {.user = UINT32_MAX};

	return judge(gate, flow, &nobody) == VERDICT_PERMITTED;
}

static void refuse_flow(struct gate *gate, const struct gate_waiting *waiting,
			enum verdict_binding verdict, const struct flow_program *program)
{
	const struct held held = as_held(waiting);
	enum finding_action action = ACTION_REPORTED;

	if (gate->options.report_only) {
		gate_let_go(gate, &held);
	} else {
		gate->counts.flows_refused++;
		gate_drop(gate, &held);
		action = ACTION_DROPPED;
	}
	gate_found(gate,
		   verdict == VERDICT_OTHER_PROGRAM ? FINDING_CONNECTION_PROGRAM
						    : FINDING_CONNECTION_UNKNOWN,
		   LAYER_GATE, action, WAY_OUT, &waiting->flow, program);
}

void gate_take_flow(struct gate *gate, const struct gate_waiting *waiting)
{
	const struct held held = as_held(waiting);
	struct flow_program program = {.user = UINT32_MAX};
	enum verdict_binding verdict = VERDICT_PERMITTED;

	if (!is_anybodys(gate, &waiting->flow)) {
		(void)gate->kernel.find_owner(gate->owner, &waiting->flow, &program);
		verdict = judge(gate, &waiting->flow, &program);
	}
	if (verdict == VERDICT_PERMITTED) {
		gate->counts.flows++;
		gate_let_go(gate, &held);
	} else {
		refuse_flow(gate, waiting, verdict, &program);
	}
	flow_program_clear(&program);
}

/* ---- what a rule has refused already ---- */

void gate_take_refused(struct gate *gate, const struct gate_waiting *waiting)
{
	static const struct {
		enum finding_kind kind;
		uint8_t way;
	} ways[HELD_WAY_COUNT] = {
		[HELD_OUT] = {FINDING_CONNECTION_UNKNOWN, WAY_OUT},
		[HELD_IN] = {FINDING_SERVICE_UNKNOWN, WAY_IN},
		[HELD_FORWARD] = {FINDING_FORWARD_UNKNOWN, WAY_FORWARD},
	};
	enum finding_action action = gate->options.reject ? ACTION_REFUSED : ACTION_DROPPED;

	if (gate->options.report_only)
		action = ACTION_REPORTED;
	gate_found(gate, ways[waiting->way].kind, LAYER_RULES, action, ways[waiting->way].way,
		   &waiting->flow, NULL);
}
