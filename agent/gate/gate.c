/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/gate.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "gate/gate_orders.h"
#include "gate/gate_private.h"
#include "gate/gate_rights.h"
#include "privilege/channel.h"
#include "privilege/child.h"

#define LABELS_LIMIT 4096 /* addresses whose names are known to people */
#define TICK_NS	     NS_PER_S
#define CHECK_NS     (5 * NS_PER_S)

/* ---- words ---- */

void gate_word(struct gate *gate, enum gate_word_kind kind, int result, const char *text)
{
	struct gate_word word = {.kind = kind, .result = result};

	(void)snprintf(word.text, sizeof(word.text), "%s", text ? text : "");
	(void)channel_offer(gate->config->channel, &word, sizeof(word), 1, -1);
}

void gate_say(struct gate *gate, const char *format, ...)
{
	char text[GATE_TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	gate_word(gate, GATE_SAID, 0, text);
}

/* ---- while time goes by ---- */

/* Somebody else flushed or changed what is ours. */
static void check_rules(struct gate *gate, uint64_t now_ns)
{
	struct error error = {0};
	int result;

	if (!gate->program || now_ns - gate->checked_ns < CHECK_NS)
		return;
	gate->checked_ns = now_ns;
	result = gate->kernel.backend->check(gate->backend, &error);
	if (result != -ESTALE)
		return;
	gate_say(gate, "the rules were changed by somebody else, and are applied again: %s",
		 error.message);
	gate->again = true;
}

static void apply_if_due(struct gate *gate, uint64_t now_ns)
{
	struct error error = {0};

	if (!gate->again || !gate->program || now_ns - gate->again_ns < TICK_NS / 2)
		return;
	gate->again_ns = now_ns;
	if (gate_apply_again(gate, gate->options.report_only, &error) == 0 ||
	    (gate->said_ns && now_ns - gate->said_ns < 60 * NS_PER_S))
		return;
	gate->said_ns = now_ns;
	gate_say(gate, "the rules cannot be applied again: %s", error.message);
}

void gate_tick(struct gate *gate)
{
	uint64_t now_ns = clock_monotonic_ns();

	check_rules(gate, now_ns);
	apply_if_due(gate, now_ns);
	gate_watch_reader(gate);
	gate_sets_tick(gate);
	gate_findings_tick(gate, now_ns);
}

static void on_tick(void *context)
{
	gate_tick(context);
}

static void on_surroundings(void *context)
{
	struct gate *gate = context;

	gate->again = true;
	apply_if_due(gate, clock_monotonic_ns());
}

/* ---- beginning and end ---- */

int gate_prepare(struct gate *gate, const struct gate_config *config)
{
	*gate = (struct gate){
		.config = config,
		.options = config->rules,
		.queues = -1,
		.log = -1,
		.journal = -1,
		.names_saved_ns = clock_boottime_ns(),
	};
	gate->kernel.answer = queue_answer;
	gate->kernel.find_owner = flow_owner_find;
	gate->backlog.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (gate->backlog.event < 0)
		return -errno;
	if (questions_new(&gate->questions) < 0 || questions_new(&gate->refused) < 0 ||
	    name_addresses_new(&config->names, &gate->names) < 0 ||
	    address_names_new(&gate->labels, LABELS_LIMIT) < 0 || gate_findings_init(gate) < 0 ||
	    gate_deadlines_init(gate) < 0 || flow_owner_new(&gate->owner) < 0)
		return -ENOMEM;
	return 0;
}

void gate_release_all(struct gate *gate)
{
	gate_stop_listening(gate);
	if (gate->backend)
		gate->kernel.backend->close(gate->backend);
	surroundings_free(gate->surroundings);
	flow_owner_free(gate->owner);
	questions_free(gate->questions);
	questions_free(gate->refused);
	name_addresses_free(gate->names);
	map_free(gate->deadlines);
	address_names_free(gate->labels);
	gate_findings_release(gate);
	rule_program_free(gate->program);
	verdict_free(gate->verdict);
	profile_free(gate->profile);
	string_list_free(&gate->local_names);
	closep(&gate->backlog.event);
	closep(&gate->journal);
}

static void on_end(void *context, int signal_number)
{
	struct gate *gate = context;

	(void)signal_number;
	loop_stop(gate->loop, 0);
}

static void on_order(void *context, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	gate_take_order(context);
}

static int watch(struct gate *gate, struct error *error)
{
	int result = loop_add_fd(gate->loop, gate->config->channel, EPOLLIN, on_order, gate, NULL);

	if (result == 0)
		result = loop_add_timer(gate->loop, TICK_NS, on_tick, gate, NULL);
	if (result == 0)
		result = loop_add_signal(gate->loop, SIGTERM, on_end, gate, NULL);
	if (result < 0)
		return error_set(error, -result, "the gate cannot wait: %s", strerror(-result));
	return surroundings_new(gate->loop, on_surroundings, gate, &gate->surroundings, error);
}

static int run(struct gate *gate, struct error *error)
{
	int result = loop_new(&gate->loop);

	if (result < 0)
		return error_set(error, -result, "the gate cannot wait: %s", strerror(-result));
	gate->kernel.prunes = true;
	gate->kernel.queues = true;
	result = watch(gate, error);
	if (result == 0)
		result = gate_rights_reduce(error);
	/* less than it had: the kernel forgets whom it was to die with */
	if (result == 0 && gate->config->supervisor > 0 &&
	    child_die_with(gate->config->supervisor) < 0)
		result = error_set(error, ESRCH, "the supervisor is gone");
	if (result == 0)
		result = loop_run(gate->loop);
	gate_sets_save(gate);
	return result;
}

/* Only the supervisor ends it: what a terminal sends reaches both. */
static void become_gate(void)
{
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)prctl(PR_SET_NAME, "rtguard-gate");
	/* programs wait for every answer */
	(void)setpriority(PRIO_PROCESS, 0, -10);
	child_spare_from_memory_killer();
}

int gate_run(const struct gate_config *config)
{
	_cleanup_(freep) struct gate *gate = malloc(sizeof(*gate));
	struct error error = {0};
	int result;

	if (!gate)
		return 1;
	become_gate();
	result = gate_prepare(gate, config);
	if (result < 0)
		(void)error_set(&error, -result, "out of memory");
	else
		result = run(gate, &error);
	if (result < 0 && error.code)
		gate_say(gate, "the gate ends: %s", error.message);
	gate_release_all(gate);
	loop_free(gate->loop);
	return result < 0 ? 1 : 0;
}
