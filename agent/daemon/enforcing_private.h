/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_ENFORCING_PRIVATE_H
#define DAEMON_ENFORCING_PRIVATE_H

#include "control/server.h"
#include "daemon/enforcing.h"
#include "daemon/event_followers.h"
#include "daemon/guard_keeper.h"
#include "daemon/instance.h"
#include "daemon/sweeper_keeper.h"
#include "kernel/settings.h"
#include "report/event_log.h"
#include "report/quarantine.h"

/* Within the supervisor only: its state, what others ask of it (enforcing_requests.c), and how it
 * changes (enforcing.c). */
struct enforcing {
	const struct enforcing_config *config;
	struct loop *loop;
	struct instance *instance;
	struct loaded_policy *policy;
	struct loaded_policy *retiring; /* until the guard that works by it has ended */
	struct event_log *log;
	struct quarantine *quarantine; /* NULL: none */
	struct settings *settings;     /* NULL: none */
	struct control_server *control;

	enum guard_mode mode;
	struct guard_keeper *guard; /* NULL: told to go without permission events */
	size_t gaps_told;
	struct sweeper_keeper *sweeper;
	int findings[2]; /* the guard's channel: ours, its */
	struct loop_source *findings_source;

	uint64_t started_ns; /* since 1970 */
	uint64_t mode_since_ns;
	uint64_t confirm_until_ns; /* CLOCK_BOOTTIME; 0: nothing to confirm */
	struct loop_source *confirm_timer;
	struct loop_source *tick; /* repeats that wait to be written */

	struct policy_loading *loading;
	struct control_peer *reload_peer; /* who waits for the answer; NULL: a signal asked */
	struct control_peer *stop_peer;
	char reload_path[PATH_MAX];
	struct event_followers followers;
};

/* Says it to the event log and to whoever listens. */
void enforcing_say(struct enforcing *enforcing, enum event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- enforcing_workers.c ---- */

/* Makes the guard for a mode, covering nothing yet. group, desk: inherited, or -1. */
int enforcing_make_guard(struct enforcing *enforcing, enum guard_mode mode, int group, int desk,
			 struct guard_keeper **ret_guard, struct error *error);

/* From here on files are guarded, and what cannot be is told. */
int enforcing_cover(struct enforcing *enforcing, struct guard_keeper *guard, struct error *error);

int enforcing_start_guard(struct enforcing *enforcing, int group, int desk, struct error *error);
int enforcing_start_sweeper(struct enforcing *enforcing, struct error *error);

/* Writes down for a successor who works here now. */
void enforcing_note_instance(struct enforcing *enforcing);

/* For the loop: findings have come; children have ended or stopped. */
void enforcing_take_findings(void *context, int channel, uint32_t events);
void enforcing_take_children(void *context, int signal_number);

/* ---- enforcing_changes.c ---- */

/* "enforces", "only reports (audit)". */
const char *enforcing_mode_text(enum guard_mode mode);

/* For the loop: the time to confirm is over. */
void enforcing_on_unconfirmed(void *context);

/* Guard and sweeper change over; the old ones serve until the new ones do. Returns 0 or an error
 * with everything as it was. */
int enforcing_change_mode(struct enforcing *enforcing, enum guard_mode mode, const char *why,
			  struct error *error);

/* path: NULL for the present one. -EBUSY while one is under way. */
int enforcing_reload(struct enforcing *enforcing, const char *path, struct control_peer *peer,
		     struct error *error);

void enforcing_confirm(struct enforcing *enforcing);

/* ---- enforcing_requests.c ---- */

extern const struct control_command enforcing_commands[];
void enforcing_peer_gone(void *context, struct control_peer *peer);
json_t *enforcing_profile_json(const struct enforcing *enforcing);

#endif
