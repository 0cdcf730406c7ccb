/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/event_followers.h"

#include <stdlib.h>
#include <string.h>

#include "control/protocol.h"
#include "report/event_line.h"

#define COUNT_USUAL 20

/* The last lines that are wanted, as a ring. */
struct selection {
	char *lines[EVENT_RECENT_COUNT];
	size_t limit;
	size_t count;
	bool findings;
};

static void select_line(void *context, uint64_t id, const char *line)
{
	struct selection *selection = context;
	char **place;

	(void)id;
	if (!selection->limit || (selection->findings && !event_line_is_finding(line)))
		return;
	place = &selection->lines[selection->count++ % selection->limit];
	free(*place);
	*place = strdup(line);
}

/* Returns whether the peer still reads. */
static bool send_selection(struct selection *selection, struct control_peer *peer)
{
	size_t first =
		selection->count > selection->limit ? selection->count - selection->limit : 0;
	bool reads = true;

	for (size_t i = first; i < selection->count; i++) {
		char *line = selection->lines[i % selection->limit];

		if (reads && line)
			reads = control_answer_text(peer, line);
		free(line);
	}
	return reads;
}

json_t *event_followers_request(struct event_followers *followers, const struct event_log *log,
				struct control_peer *peer, const json_t *request)
{
	const json_t *count = json_object_get(request, EVENTS_COUNT);
	struct selection selection = {
		.limit = COUNT_USUAL,
		.findings = json_is_true(json_object_get(request, EVENTS_FINDINGS)),
	};

	if (count && (!json_is_integer(count) || json_integer_value(count) < 0 ||
		      json_integer_value(count) > EVENT_RECENT_COUNT))
		return control_error("count: expected a number from 0 to %d", EVENT_RECENT_COUNT);
	if (count)
		selection.limit = (size_t)json_integer_value(count);
	event_log_recent(log, select_line, &selection);
	if (!send_selection(&selection, peer))
		return NULL;
	if (json_is_true(json_object_get(request, EVENTS_FOLLOW)) &&
	    followers->count < EVENT_FOLLOWERS_LIMIT) {
		followers->list[followers->count].peer = peer;
		followers->list[followers->count++].findings = selection.findings;
	}
	return control_ok();
}

void event_followers_tell(struct event_followers *followers, const char *line)
{
	bool of_finding = event_line_is_finding(line);

	/* from the end: one that does not read is dropped, and forgotten on the way */
	for (size_t i = followers->count; i > 0; i--)
		if (i <= followers->count && (of_finding || !followers->list[i - 1].findings))
			(void)control_answer_text(followers->list[i - 1].peer, line);
}

void event_followers_forget(struct event_followers *followers, const struct control_peer *peer)
{
	for (size_t i = 0; i < followers->count; i++)
		if (followers->list[i].peer == peer) {
			followers->list[i] = followers->list[--followers->count];
			return;
		}
}
