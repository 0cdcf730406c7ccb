/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/inspector.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/network/link_watch.h"
#include "observe/network/live.h"
#include "observe/network/message.h"
#include "privilege/channel.h"
#include "privilege/worker.h"

enum {
	STOP_MS = 1000,
	/* So many times in a row an inspector that dies is started again at once; then, and until
	 * one has lived for LONG_LIFE_NS, once a second. */
	QUICK_STARTS = 5,
	/* An inspector that does not answer from one question to the next hangs. A packet takes
	 * microseconds, but a stopped or thrashing machine may take seconds. */
	QUESTION_S = 10,
	/* Messages taken before the loop gets its turn. */
	MESSAGES_PER_TURN = 16,
};

#define LONG_LIFE_NS (10 * NS_PER_S)

/* A storm of link messages does not become a storm of inspectors. */
#define SHORT_LIFE_NS (200 * NS_PER_MS)

struct inspector {
	struct loop *loop;
	char **interfaces;
	size_t interface_count;
	struct tracker_config subject;

	struct live *live;     /* what the worker works on, in its own copy */
	struct worker *worker; /* NULL while there is none */
	struct loop_source *channel;
	struct message_checker checker;
	uint64_t generation;
	uint64_t started_ns;
	unsigned int failures; /* in a row */
	bool finishing;	       /* asked to end, to be started with the interfaces that are back */

	struct observed_capture total; /* of inspectors that ended */
	bool missing[INTERFACES_MAX];
	struct link_watch *links;    /* while an interface is missing */
	struct loop_source *restart; /* while waiting to start again */
	struct loop_source *questions;
	bool asked; /* and not heard since */
	char trouble[512];
	struct report reports[REPORTS_PER_MESSAGE];
};

static void start_or_retry(struct inspector *inspector);

static void deliver(const struct inspector *inspector, const struct observation *observation)
{
	inspector->subject.deliver(inspector->subject.context, observation);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t result;

	return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

static struct observed_capture add_capture(const struct observed_capture *a,
					   const struct observed_capture *b)
{
	return (struct observed_capture){
		.packets = sum(a->packets, b->packets),
		.bytes = sum(a->bytes, b->bytes),
		.dropped = sum(a->dropped, b->dropped),
		.undecoded = sum(a->undecoded, b->undecoded),
		.evicted = sum(a->evicted, b->evicted),
		.interrupted = a->interrupted || b->interrupted,
	};
}

static void deliver_capture(const struct inspector *inspector)
{
	const struct observation observation = {
		.kind = OBSERVATION_CAPTURE,
		.station = inspector->subject.station,
		.time_ns = clock_realtime_ns(),
		.capture = add_capture(&inspector->total, &inspector->checker.capture),
	};

	deliver(inspector, &observation);
}

/* There is a gap, from now on and for good. */
static void interrupted(struct inspector *inspector)
{
	inspector->total.interrupted = true;
	deliver_capture(inspector);
}

static void take_observation(struct inspector *inspector, struct observation *observation)
{
	switch (observation->kind) {
	case OBSERVATION_START:
	case OBSERVATION_CONNECTION:
		observation->flow.id |= inspector->generation << FLOW_ID_BITS;
		deliver(inspector, observation);
		break;
	case OBSERVATION_CAPTURE:
		deliver_capture(inspector);
		break;
	default:
		deliver(inspector, observation);
		break;
	}
}

static bool any_missing(const struct inspector *inspector)
{
	for (size_t i = 0; i < inspector->interface_count; i++) {
		if (inspector->missing[i])
			return true;
	}
	return false;
}

/* Takes the worker off the loop and adds its counters to the total. */
static void forget_worker(struct inspector *inspector, int grace_ms,
			  char text[WORKER_END_TEXT_SIZE])
{
	loop_remove(inspector->channel);
	inspector->channel = NULL;
	inspector->asked = false;
	worker_end(take_pointer(inspector->worker), grace_ms, text);
	live_free(take_pointer(inspector->live));
	inspector->total = add_capture(&inspector->total, &inspector->checker.capture);
	memset(&inspector->checker, 0, sizeof(inspector->checker));
}

static void finish_worker(struct inspector *inspector)
{
	const struct command finish = {.kind = COMMAND_FINISH};

	if (inspector->worker && !inspector->finishing)
		inspector->finishing = channel_send(worker_channel(inspector->worker), &finish,
						    sizeof(finish), 1, -1) == 0;
}

/* Captures cannot be handed to a confined process, so that an interface that is back takes a new
 * inspector. The others have a gap of some milliseconds. */
static void on_links_changed(void *context)
{
	struct inspector *inspector = context;

	if (!any_missing(inspector)) {
		link_watch_free(take_pointer(inspector->links));
		return;
	}
	if (clock_monotonic_ns() - inspector->started_ns < SHORT_LIFE_NS)
		return; /* the watch's timer comes back to it */
	for (size_t i = 0; i < inspector->interface_count; i++) {
		if (inspector->missing[i] && link_is_up(inspector->interfaces[i])) {
			finish_worker(inspector);
			return;
		}
	}
}

static void take_interface_trouble(struct inspector *inspector, const struct trouble *trouble)
{
	inspector->missing[trouble->interface] = true;
	(void)snprintf(inspector->trouble, sizeof(inspector->trouble), "%s", trouble->text);
	if (!inspector->links)
		(void)link_watch_new(inspector->loop, on_links_changed, inspector,
				     &inspector->links);
	/* One that was down from the beginning carried nothing that could be missed. */
	if (trouble->code != ENETDOWN)
		interrupted(inspector);
}

/* Returns 0 when the worker said that it is through, 1 to go on, or -EBADMSG. */
static int take_reports(struct inspector *inspector, int count)
{
	for (int i = 0; i < count; i++) {
		struct report report;

		if (message_check(&inspector->checker, &inspector->reports[i], &report) < 0)
			return -EBADMSG;
		switch (report.kind) {
		case REPORT_OBSERVATION:
			take_observation(inspector, &report.observation);
			break;
		case REPORT_INTERFACE:
			take_interface_trouble(inspector, &report.trouble);
			break;
		case REPORT_ALIVE:
			break;
		default:
			return inspector->finishing ? 0 : -EBADMSG;
		}
	}
	return 1;
}

/* As take_reports(), and -EPIPE when the worker is gone, -EAGAIN when nothing is there. */
static int take_message(struct inspector *inspector)
{
	int count =
		channel_receive(worker_channel(inspector->worker), inspector->reports,
				sizeof(inspector->reports[0]), REPORTS_PER_MESSAGE, false, NULL);

	if (count < 0)
		return count;
	return count == 0 ? -EPIPE : take_reports(inspector, count);
}

static void worker_ended(struct inspector *inspector, int result)
{
	char text[WORKER_END_TEXT_SIZE];

	forget_worker(inspector, result == -EPIPE ? STOP_MS : 0, text);
	if (result == 0 && inspector->finishing) {
		bool others = inspector->interface_count > 1;

		inspector->failures = 0;
		if (others)
			interrupted(inspector);
	} else {
		(void)snprintf(inspector->trouble, sizeof(inspector->trouble),
			       "the inspector %s and is started again",
			       result == -EPIPE	  ? text
			       : result == -ETIME ? "hung, was ended"
						  : "said what it must not, was ended");
		if (clock_monotonic_ns() - inspector->started_ns >= LONG_LIFE_NS)
			inspector->failures = 0;
		inspector->failures++;
		interrupted(inspector);
	}
	inspector->finishing = false;
	start_or_retry(inspector);
}

/* One that hangs is ended like one that died; it does not get the time to settle anything. */
static void on_question(void *context)
{
	static const struct command question = {.kind = COMMAND_ANSWER};
	struct inspector *inspector = context;

	if (!inspector->worker || inspector->finishing)
		return;
	if (inspector->asked)
		worker_ended(inspector, -ETIME);
	else
		inspector->asked = channel_send(worker_channel(inspector->worker), &question,
						sizeof(question), 1, -1) == 0;
}

static void on_channel(void *context, int fd, uint32_t events)
{
	struct inspector *inspector = context;
	int result = 1;

	(void)fd;
	(void)events;
	inspector->asked = false;
	for (int i = 0; i < MESSAGES_PER_TURN && result == 1; i++)
		result = take_message(inspector);
	if (result != 1 && result != -EAGAIN)
		worker_ended(inspector, result);
}

static int start_worker(struct inspector *inspector, struct error *error)
{
	const struct live_config config = {
		.interfaces = (const char *const *)inspector->interfaces,
		.interface_count = inspector->interface_count,
		.subject = inspector->subject,
		.first = inspector->generation == 0,
	};
	struct worker_config worker = {
		.name = "rtguard-inspect", .prepare = live_prepare, .run = live_run};
	int result = live_new(&config, &inspector->live);

	if (result < 0)
		return error_set(error, -result, "cannot start an inspector: %s",
				 strerror(-result));
	worker.context = inspector->live;
	result = worker_start(&worker, &inspector->worker, error);
	if (result == 0) {
		result = loop_add_fd(inspector->loop, worker_channel(inspector->worker), EPOLLIN,
				     on_channel, inspector, &inspector->channel);
		if (result < 0)
			(void)error_set(error, -result, "cannot watch the inspector: %s",
					strerror(-result));
	}
	inspector->checker = (struct message_checker){
		.station = inspector->subject.station,
		.interface_count = (uint32_t)inspector->interface_count,
	};
	if (result < 0) {
		forget_worker(inspector, 0, NULL);
		return result;
	}
	inspector->generation++;
	inspector->started_ns = clock_monotonic_ns();
	/* Those that are still missing are reported again. */
	memset(inspector->missing, 0, sizeof(inspector->missing));
	return 0;
}

static void on_restart(void *context)
{
	struct inspector *inspector = context;

	loop_remove(inspector->restart);
	inspector->restart = NULL;
	start_or_retry(inspector);
}

static void start_or_retry(struct inspector *inspector)
{
	struct error error = {0};

	if (inspector->failures <= QUICK_STARTS) {
		int result = start_worker(inspector, &error);

		if (result == 0) {
			inspector->trouble[0] = '\0';
			return;
		}
		inspector->failures++;
		(void)snprintf(inspector->trouble, sizeof(inspector->trouble), "%s", error.message);
	}
	/* One more try when the second is over. */
	if (inspector->failures > QUICK_STARTS)
		inspector->failures = QUICK_STARTS;
	(void)loop_add_timer(inspector->loop, NS_PER_S, on_restart, inspector, &inspector->restart);
}

static void inspector_free(struct inspector **place)
{
	struct inspector *inspector = *place;

	if (!inspector)
		return;
	forget_worker(inspector, 0, NULL);
	loop_remove(inspector->restart);
	loop_remove(inspector->questions);
	link_watch_free(inspector->links);
	for (size_t i = 0; inspector->interfaces && i < inspector->interface_count; i++)
		free(inspector->interfaces[i]);
	free(inspector->interfaces);
	free(inspector);
}

static int copy_config(struct inspector *inspector, const struct inspector_config *config)
{
	inspector->interfaces = calloc(config->interface_count, sizeof(char *));
	if (!inspector->interfaces)
		return -ENOMEM;
	inspector->interface_count = config->interface_count;
	for (size_t i = 0; i < config->interface_count; i++) {
		inspector->interfaces[i] = strdup(config->interfaces[i]);
		if (!inspector->interfaces[i])
			return -ENOMEM;
	}
	inspector->subject = config->subject;
	return 0;
}

int inspector_start(struct loop *loop, const struct inspector_config *config,
		    struct inspector **ret_inspector, struct error *error)
{
	_cleanup_(inspector_free) struct inspector *inspector = NULL;
	int result;

	if (config->interface_count == 0 || config->interface_count > INTERFACES_MAX)
		return error_set(error, EINVAL, "%zu interfaces to capture on: 1 to %d can be",
				 config->interface_count, INTERFACES_MAX);
	inspector = calloc(1, sizeof(*inspector));
	if (!inspector || copy_config(inspector, config) < 0)
		return error_set(error, ENOMEM, "out of memory");
	inspector->loop = loop;
	result = start_worker(inspector, error);
	if (result < 0)
		return result;
	result = loop_add_timer(loop, QUESTION_S * NS_PER_S, on_question, inspector,
				&inspector->questions);
	if (result < 0)
		return error_set(error, -result, "cannot watch over the inspector: %s",
				 strerror(-result));
	*ret_inspector = take_pointer(inspector);
	return 0;
}

void inspector_stop(struct inspector *inspector)
{
	uint64_t deadline_ns = clock_monotonic_ns() + STOP_MS * NS_PER_MS;
	int result = 1;

	if (!inspector)
		return;
	finish_worker(inspector);
	while (inspector->finishing && (result == 1 || result == -EAGAIN)) {
		struct pollfd next = {.fd = worker_channel(inspector->worker), .events = POLLIN};
		int64_t left_ns = (int64_t)(deadline_ns - clock_monotonic_ns());

		if (left_ns <= 0)
			break;
		(void)poll(&next, 1, (int)(left_ns / (int64_t)NS_PER_MS) + 1);
		result = take_message(inspector);
	}
	/* What was asked for did not all come. */
	if (result != 0)
		interrupted(inspector);
	inspector_free(&inspector);
}

int inspector_pid(const struct inspector *inspector)
{
	return inspector->worker ? (int)worker_pid(inspector->worker) : 0;
}

const char *inspector_trouble(const struct inspector *inspector)
{
	return inspector->trouble;
}
