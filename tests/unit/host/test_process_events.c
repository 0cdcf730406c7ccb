/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include "observe/host/process_events.h"

/* struct cn_msg without its flexible end, which may stand in no other structure */
struct message {
	struct cb_id id;
	uint32_t seq;
	uint32_t ack;
	uint16_t len;
	uint16_t flags;
};
_Static_assert(sizeof(struct message) == sizeof(struct cn_msg), "linux/connector.h");

struct datagram {
	struct nlmsghdr header;
	struct message message;
	unsigned char event[sizeof(struct proc_event)];
} __attribute__((packed));

struct heard {
	struct process_event events[8];
	size_t count;
};

static void hear(void *context, const struct process_event *event)
{
	struct heard *heard = context;

	assert_true(heard->count < 8);
	heard->events[heard->count++] = *event;
}

static struct datagram datagram_of(const struct proc_event *event)
{
	struct datagram datagram = {
		.header = {.nlmsg_len = sizeof(datagram), .nlmsg_type = NLMSG_DONE},
		.message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC},
			    .len = sizeof(struct proc_event)},
	};

	memcpy(datagram.event, event, sizeof(*event));
	return datagram;
}

static struct heard parse(const struct proc_event *event)
{
	struct datagram datagram = datagram_of(event);
	struct heard heard = {0};

	assert_int_equal(process_events_parse(&datagram, sizeof(datagram), hear, &heard), 0);
	return heard;
}

static void tells_of_processes(void **state)
{
	struct proc_event event = {.what = PROC_EVENT_FORK};
	struct heard heard;

	(void)state;
	event.event_data.fork.parent_pid = 99; /* a thread of 10 */
	event.event_data.fork.parent_tgid = 10;
	event.event_data.fork.child_pid = event.event_data.fork.child_tgid = 11;
	heard = parse(&event);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.events[0].kind, PROCESS_EVENT_FORK);
	assert_int_equal(heard.events[0].pid, 11);
	assert_int_equal(heard.events[0].parent, 10);

	event = (struct proc_event){.what = PROC_EVENT_EXEC};
	event.event_data.exec.process_pid = event.event_data.exec.process_tgid = 11;
	assert_int_equal(parse(&event).events[0].kind, PROCESS_EVENT_EXEC);

	event = (struct proc_event){.what = PROC_EVENT_UID};
	event.event_data.id.process_pid = event.event_data.id.process_tgid = 11;
	event.event_data.id.r.ruid = 1;
	event.event_data.id.e.euid = 33;
	heard = parse(&event);
	assert_int_equal(heard.events[0].kind, PROCESS_EVENT_USER);
	assert_int_equal(heard.events[0].user, 33);

	event = (struct proc_event){.what = PROC_EVENT_EXIT};
	event.event_data.exit.process_pid = event.event_data.exit.process_tgid = 11;
	assert_int_equal(parse(&event).events[0].kind, PROCESS_EVENT_EXIT);
}

static void is_silent_about_threads_and_the_rest(void **state)
{
	struct proc_event event = {.what = PROC_EVENT_FORK};

	(void)state;
	event.event_data.fork.parent_tgid = event.event_data.fork.child_tgid = 10;
	event.event_data.fork.child_pid = 12;
	assert_int_equal(parse(&event).count, 0);
	event = (struct proc_event){.what = PROC_EVENT_EXIT};
	event.event_data.exit.process_pid = 12;
	event.event_data.exit.process_tgid = 10;
	assert_int_equal(parse(&event).count, 0);
	event.what = PROC_EVENT_COMM;
	assert_int_equal(parse(&event).count, 0);
	event = (struct proc_event){.what = PROC_EVENT_NONE};
	assert_int_equal(parse(&event).count, 0);
}

static void every_cut_is_safe(void **state)
{
	struct proc_event event = {.what = PROC_EVENT_EXEC};
	struct datagram datagram;

	(void)state;
	event.event_data.exec.process_pid = event.event_data.exec.process_tgid = 11;
	datagram = datagram_of(&event);
	for (size_t size = 0; size < sizeof(datagram); size++) {
		/* a copy of exactly that size, so that a checker sees each byte too many */
		unsigned char *cut = malloc(size + 1);
		struct heard heard = {0};

		assert_non_null(cut);
		memcpy(cut, &datagram, size);
		assert_int_equal(process_events_parse(cut, size, hear, &heard),
				 size ? -EBADMSG : 0);
		assert_int_equal(heard.count, 0);
		free(cut);
	}
}

static void lengths_that_lie_are_refused(void **state)
{
	struct proc_event event = {.what = PROC_EVENT_EXEC};
	struct datagram good = datagram_of(&event);
	struct datagram bad = good;
	struct heard heard = {0};

	(void)state;
	bad.message.len = 0xffff;
	assert_int_equal(process_events_parse(&bad, sizeof(bad), hear, &heard), -EBADMSG);
	bad = good;
	bad.message.len = 4;
	assert_int_equal(process_events_parse(&bad, sizeof(bad), hear, &heard), -EBADMSG);
	bad = good;
	bad.header.nlmsg_len = 0;
	assert_int_equal(process_events_parse(&bad, sizeof(bad), hear, &heard), -EBADMSG);
	bad.header.nlmsg_len = UINT32_MAX;
	assert_int_equal(process_events_parse(&bad, sizeof(bad), hear, &heard), -EBADMSG);
	bad = good;
	bad.message.id.idx = 77; /* another connector's */
	assert_int_equal(process_events_parse(&bad, sizeof(bad), hear, &heard), 0);
	assert_int_equal(heard.count, 0);
}

static void random_bytes_are_safe(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct proc_event event = {.what = PROC_EVENT_FORK};
		struct datagram datagram = datagram_of(&event);
		struct heard heard = {0};

		for (int flips = rand() % 6; flips >= 0; flips--)
			((unsigned char *)&datagram)[(size_t)rand() % sizeof(datagram)] =
				(unsigned char)rand();
		(void)process_events_parse(&datagram, sizeof(datagram), hear, &heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_processes),
		cmocka_unit_test(is_silent_about_threads_and_the_rest),
		cmocka_unit_test(every_cut_is_safe),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(random_bytes_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
