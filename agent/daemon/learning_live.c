/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/device.h"
#include "daemon/learning_write.h"
#include "loop/loop.h"
#include "observe/host/execution_watch.h"
#include "observe/host/socket_watch.h"
#include "observe/network/inspector.h"

/* What is not in the journal yet is at most this old: a power cut loses less than five seconds. */
#define FLUSH_INTERVAL_NS (3 * NS_PER_S)

/* How often a peer comes back is counted in samples of this length. */
#define SAMPLE_INTERVAL_NS (3600 * NS_PER_S)

/* --until-stable: how long nothing new must have come, at least. */
#define QUIET_MINIMUM_NS (600 * NS_PER_S)

enum { STOPPED_BY_CYCLE = 0, STOPPED_BY_SIGNAL = 1 };

struct live {
	const struct learning_config *config;
	struct loop *loop;
	struct learner *learner;
	struct execution_watch *executions;
	struct socket_watch *sockets;
	struct inspector *inspector;
	bool flush_failed;
};

static void attribute(struct live *live, const struct observation *observation)
{
	const char *program = NULL;
	bool left_out = false;

	if (socket_watch_owner(live->sockets, &observation->flow, observation->time_ns, &program,
			       &left_out) < 0)
		program = NULL;
	learner_attribute(live->learner, &observation->station, observation->flow.id, program,
			  left_out);
}

static void on_observation(void *context, const struct observation *observation)
{
	struct live *live = context;

	if (observation->kind == OBSERVATION_START && live->sockets)
		attribute(live, observation);
	learner_observe(live->learner, observation);
}

/* A novelty curve is flat only after it was watched for as long again as it took to become so. */
static bool is_stable(const struct live *live)
{
	uint64_t quiet_ns = live->config->quiet_ns;

	if (!quiet_ns)
		quiet_ns = learner_elapsed_ns(live->learner) / 2;
	if (!live->config->quiet_ns && quiet_ns < QUIET_MINIMUM_NS)
		quiet_ns = QUIET_MINIMUM_NS;
	return learner_is_stable(live->learner, clock_realtime_ns(), quiet_ns);
}

static void report(const struct live *live, const char *notice)
{
	const struct learning_config *config = live->config;
	struct learning_progress progress = {
		.elapsed_ns = learner_elapsed_ns(live->learner),
		.cycle_ns = config->cycle_ns,
		.notice = notice,
	};

	learner_summarise(live->learner, &progress.summary);
	config->progress(config->context, &progress);
}

static void tell(const struct live *live, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct live *live, const char *format, ...)
{
	char notice[640]; /* a struct error's message and what is said around it */
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(notice, sizeof(notice), format, arguments);
	va_end(arguments);
	report(live, notice);
}

static void on_second(void *context)
{
	struct live *live = context;
	const struct learning_config *config = live->config;

	report(live, NULL);
	if ((config->cycle_ns && learner_elapsed_ns(live->learner) >= config->cycle_ns) ||
	    (config->until_stable && is_stable(live)))
		loop_stop(live->loop, STOPPED_BY_CYCLE);
}

/* A full disk is told at once and only once; what was learnt stays in memory and is tried again. */
static void on_flush(void *context)
{
	struct live *live = context;
	struct error error = {0};
	bool failed = learner_flush(live->learner, &error) < 0;

	if (failed && !live->flush_failed)
		tell(live, "%s (learning goes on in memory)", error.message);
	else if (!failed && live->flush_failed)
		tell(live, "%s: written again, nothing was lost", live->config->journal);
	live->flush_failed = failed;
}

static void on_sample(void *context)
{
	struct live *live = context;

	learner_begin_sample(live->learner);
}

static void on_signal(void *context, int signal_number)
{
	struct live *live = context;

	(void)signal_number;
	loop_stop(live->loop, STOPPED_BY_SIGNAL);
}

/* What is less than it could be, from the start on. */
static void tell_limits(const struct live *live)
{
	struct execution_layers layers = execution_watch_layers(live->executions);
	const char *note = learner_note(live->learner);

	if (note)
		tell(live, "%s: %s", live->config->journal, note);
	if (layers.fanotify_off)
		tell(live, "programs are sampled, short ones may be missed: no fanotify: %s",
		     layers.fanotify_off);
	if (layers.opens_off && !layers.fanotify_off)
		tell(live, "what interpreters read is not known: no open notifications: %s",
		     layers.opens_off);
	if (layers.connector_off)
		tell(live,
		     "parents of short-lived programs may stay unknown: no process connector: %s",
		     layers.connector_off);
}

static int add_timers_and_signals(struct live *live)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	int result = loop_add_timer(live->loop, NS_PER_S, on_second, live, NULL);

	if (result == 0)
		result = loop_add_timer(live->loop, FLUSH_INTERVAL_NS, on_flush, live, NULL);
	if (result == 0)
		result = loop_add_timer(live->loop, SAMPLE_INTERVAL_NS, on_sample, live, NULL);
	for (size_t i = 0; i < array_length(ending) && result == 0; i++)
		result = loop_add_signal(live->loop, ending[i], on_signal, live, NULL);
	return result;
}

/* The capture comes first: what the other watchers find at their start may already be talking. */
static int start_watching(struct live *live, struct error *error)
{
	static const char *const all_interfaces[] = {"any"};
	const struct learning_config *config = live->config;
	struct inspector_config network = {
		.interfaces = config->interface_count ? config->interfaces : all_interfaces,
		.interface_count = config->interface_count ? config->interface_count : 1,
		.subject = {.subject = TRACK_THIS_HOST, .deliver = on_observation, .context = live},
	};
	struct execution_watch_config programs = {
		.include_session = config->include_session,
		.deliver = on_observation,
		.context = live,
	};
	struct socket_watch_config sockets = {.deliver = on_observation, .context = live};
	int result = inspector_start(live->loop, &network, &live->inspector, error);

	if (result == 0)
		result = execution_watch_new(live->loop, &programs, &live->executions, error);
	if (result == 0) {
		sockets.executions = live->executions;
		result = socket_watch_new(live->loop, &sockets, &live->sockets, error);
	}
	if (result == 0)
		tell_limits(live);
	return result;
}

static void stop_watching(struct live *live)
{
	inspector_stop(live->inspector);
	live->inspector = NULL;
	socket_watch_free(live->sockets);
	live->sockets = NULL;
	execution_watch_free(live->executions);
	live->executions = NULL;
}

static void read_boot_id(char boot_id[40])
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(boot_id, 40, file))
		boot_id[0] = '\0';
	boot_id[strcspn(boot_id, "\n")] = '\0';
}

static int describe(const struct learning_config *config, struct profile *profile)
{
	(void)config;
	return device_describe(profile);
}

static int run(struct live *live, struct learning_result *result, struct error *error)
{
	struct learner_cycle cycle = {.started_ns = clock_realtime_ns()};
	struct execution_layers layers;
	int stopped_by;
	int code;

	read_boot_id(cycle.boot_id);
	code = add_timers_and_signals(live);
	if (code < 0)
		return error_set(error, -code, "cannot set up timers: %s", strerror(-code));
	code = start_watching(live, error);
	if (code < 0) {
		/* Nothing was learnt: nothing to resume from. */
		if (!live->config->resume)
			(void)learner_discard_journal(live->learner, NULL);
		return code;
	}
	layers = execution_watch_layers(live->executions);
	if (layers.fanotify_off)
		cycle.limitation = "programs were sampled, for want of fanotify";
	else if (layers.opens_off)
		cycle.limitation = "what programs open was not watched";
	stopped_by = loop_run(live->loop);
	if (stopped_by < 0)
		return error_set(error, -stopped_by, "cannot wait for events: %s",
				 strerror(-stopped_by));
	execution_watch_drain(live->executions);
	stop_watching(live);
	cycle.ended_ns = clock_realtime_ns();
	cycle.ended_early = stopped_by == STOPPED_BY_SIGNAL;
	code = learning_write(live->learner, &cycle, live->config, describe, result, error);
	return code < 0 ? code : learner_discard_journal(live->learner, error);
}

int learning_run_live(const struct learning_config *config, struct learning_result *ret_result,
		      struct error *error)
{
	struct live live = {.config = config};
	struct learner_config learner = {
		.boot_phase_ns = config->boot_phase_ns,
		.journal = config->journal,
		.resume = config->resume,
	};
	struct learning_result result = {0};
	int code = file_check_replaceable(config->output, error);

	if (code == 0)
		code = learner_new(&learner, &live.learner, error);
	if (code < 0)
		return code;
	code = loop_new(&live.loop);
	if (code < 0)
		(void)error_set(error, -code, "cannot make an event loop: %s", strerror(-code));
	else
		code = run(&live, &result, error);
	if (code < 0) {
		struct error lost = {0};

		/* what was learnt until here stays for --resume */
		stop_watching(&live);
		if (learner_flush(live.learner, &lost) < 0)
			(void)error_prefix(error, "the latest of what was learnt is lost (%s)",
					   lost.message);
	}
	loop_free(live.loop);
	learner_free(live.learner);
	if (code == 0)
		*ret_result = result;
	return code;
}
