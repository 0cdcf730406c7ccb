/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "base/clock.h"
#include "gate/gate_private.h"
#include "gate/refusal.h"
#include "rules/render.h"

/* ---- answers to the kernel ---- */

static void answer(struct gate *gate, const struct held *held, enum queue_verdict verdict,
		   const uint32_t *mark, const void *replacement, size_t size)
{
	uint16_t number;

	if (!held->packet || gate->queues < 0)
		return;
	number = (uint16_t)(gate->options.first_queue + held->queue);
	(void)gate->kernel.answer(gate->queues, number, held->packet, verdict, mark, replacement,
				  size);
}

/* With a mark it goes through the chain again, which takes that off. Bits of somebody else's are
 * lost with it: routing has used them by then, and a packet that went on without being judged would
 * be worse. */
static void pass(struct gate *gate, const struct held *held, const void *replacement, size_t size)
{
	uint32_t mark = gate->backend ? gate->kernel.backend->release_mark(gate->backend) : 0;

	if (mark) {
		mark = (mark & RENDER_MARK_MASK) | (held->mark & ~RENDER_MARK_MASK);
		answer(gate, held, QUEUE_REPEAT, &mark, replacement, size);
	} else {
		answer(gate, held, QUEUE_ACCEPT, NULL, replacement, size);
	}
}

/* Of several messages in one packet the last one's turn is the packet's; if one of them was dropped
 * there is no packet any more, and the kernel knows. */
void gate_let_go(struct gate *gate, const struct held *held)
{
	if (!held->more)
		pass(gate, held, NULL, 0);
}

void gate_drop(struct gate *gate, const struct held *held)
{
	answer(gate, held, QUEUE_DROP, NULL, NULL, 0);
}

enum finding_action gate_refuse(struct gate *gate, const struct held *held, uint8_t rcode)
{
	uint8_t packet[REFUSAL_SIZE_MAX];
	size_t size = refusal_build(held, rcode, packet);

	/* noted first: a question that was turned round comes in as an answer */
	if (!size || (held->kind == HELD_QUESTION &&
		      questions_note(gate->refused, held, clock_monotonic_ns()) < 0)) {
		gate_drop(gate, held);
		return ACTION_DROPPED;
	}
	/* A question that was turned round leaves the chain here: it is no question any more, and
	 * this host is where it goes to. */
	if (held->kind == HELD_QUESTION)
		answer(gate, held, QUEUE_ACCEPT, NULL, packet, size);
	else
		pass(gate, held, packet, size);
	return ACTION_REFUSED;
}

/* ---- names at once, others in their turn ---- */

static void put_off(struct gate *gate, const struct held *held)
{
	struct gate_backlog *backlog = &gate->backlog;
	const uint64_t one = 1;
	struct gate_waiting *waiting;

	if (backlog->count == GATE_WAITING) {
		if (held->kind == HELD_REFUSED)
			gate->findings.lost++;
		else
			gate_drop(gate, held);
		return;
	}
	if (!backlog->count++)
		(void)!write(backlog->event, &one, sizeof(one));
	waiting = &backlog->items[(backlog->first + backlog->count - 1) % GATE_WAITING];
	*waiting = (struct gate_waiting){
		.kind = held->kind,
		.packet = held->packet,
		.mark = held->mark,
		.queue = held->queue,
		.way = held->way,
		.flow = held->flow,
	};
}

void gate_take(struct gate *gate, const struct held *held)
{
	if (!gate->program) {
		gate_drop(gate, held);
		return;
	}
	switch ((enum held_kind)held->kind) {
	case HELD_QUESTION:
		gate_take_question(gate, held);
		break;
	case HELD_ANSWER:
		gate_take_answer(gate, held);
		break;
	case HELD_PART:
		gate_let_go(gate, held);
		break;
	case HELD_UNREADABLE:
		gate_take_unreadable(gate, held);
		break;
	case HELD_FLOW:
	case HELD_REFUSED:
		put_off(gate, held);
		break;
	case HELD_KIND_COUNT:
		break;
	}
}

bool gate_take_next(struct gate *gate)
{
	struct gate_backlog *backlog = &gate->backlog;
	const struct gate_waiting *waiting = &backlog->items[backlog->first];

	if (backlog->count) {
		if (waiting->kind == HELD_FLOW)
			gate_take_flow(gate, waiting);
		else
			gate_take_refused(gate, waiting);
		backlog->first = (backlog->first + 1) % GATE_WAITING;
		backlog->count--;
	}
	if (!backlog->count)
		gate_forget_waiting(gate);
	return backlog->count > 0;
}

void gate_forget_waiting(struct gate *gate)
{
	uint64_t taken;

	gate->backlog.count = 0;
	(void)!read(gate->backlog.event, &taken, sizeof(taken));
}
