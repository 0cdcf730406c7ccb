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
