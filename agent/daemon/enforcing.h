/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_ENFORCING_H
#define DAEMON_ENFORCING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/policy_loader.h"
#include "gate/gate.h"
#include "guard/guard.h"
#include "report/event_flow.h"
#include "report/finding.h"

/*
 * Enforcement from start to stop: the supervisor. It loads the policy, shows what it would stop,
 * starts the gate, the guard and the sweeper, keeps them alive, and answers on the control socket.
 * The rules for connections come first: whatever fails after them takes them away again. Once files
 * are guarded it opens none itself: with the guard dead it would wait for an answer that only it
 * can bring about.
 */

/* Findings of one kind about one path, or one other end of packets, in the event log. */
struct recent_finding {
	char what[FLOW_TEXT_SIZE];
	char kind[32]; /* its name in the log */
	uint64_t count;
};

/* What would be stopped: told before anything is. */
struct enforcing_preview {
	const struct policy_summary *policy;
	bool holds_programs;
	const char *backend;	       /* of the rules; NULL: connections are not held */
	bool refuses_forwarded;	       /* this host forwards packets, and they will be refused */
	const struct finding *running; /* one for each program; repeats: further processes of it */
	size_t running_count;
	size_t running_left_out; /* beyond the limit of the list */
	/* what the event log of the last 24 hours holds and this policy would not permit either;
	 * packets as they were judged then */
	const struct recent_finding *recent;
	size_t recent_count;
	size_t recent_left_out;
};

/* The network's half of it. */
struct enforcing_network {
	bool off;	     /* programs alone */
	const char *backend; /* name; NULL: whichever works */
	struct rules_options rules;
	struct name_times names;
};

enum enforcing_answer {
	ENFORCING_GO,
	ENFORCING_REFUSED,
};

struct enforcing_config {
	struct policy_source source;
	enum guard_mode mode;
	uint64_t confirm_ns;	     /* back to audit unless confirmed in time; 0: no */
	const char *control;	     /* socket */
	const char *state;	     /* directory: events, previous settings, profile version */
	const char *quarantine;	     /* directory; NULL: none */
	const char *const *settings; /* kernel settings to apply (kernel/settings.h) */
	size_t setting_count;
	uint64_t file_size_limit;
	bool without_fanotify; /* the backstop alone */
	bool without_programs; /* connections alone: no guard, no sweeper */
	struct enforcing_network network;
	/* Asked once, not in audit mode. */
	enum enforcing_answer (*ask)(void *context, const struct enforcing_preview *preview);
	/* What is said while it runs, whole sentences: what a unit's journal shows. */
	void (*tell)(void *context, const char *sentence);
	void *context;
};

/* Runs until told to stop by a signal or on the control socket. -ECANCELED: the answer was no.
 * Errors name the place and the remedy; nothing is left behind. */
int enforcing_run(const struct enforcing_config *config, struct error *error);

#endif
