/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_ENFORCING_PRIVATE_H
#define DAEMON_ENFORCING_PRIVATE_H

#include "control/server.h"
#include "daemon/enforcing.h"
#include "daemon/event_followers.h"
#include "daemon/gate_keeper.h"
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
	struct guard_keeper
		*guard; /* NULL: told to go without permission events, or connections alone */
	size_t gaps_told;
	struct sweeper_keeper *sweeper;	    /* NULL: connections alone */
	const struct backend_type *backend; /* NULL: programs alone */
	struct gate_keeper *gate;	    /* NULL: the same */
	bool has_rules;			    /* they were applied */
	bool is_stopping;		    /* in order, and not a start that failed */
	char names_file[PATH_MAX];
	int findings[2]; /* the guard's channel: ours, its */
	struct loop_source *findings_source;

	uint64_t started_ns; /* since 1970 */
	uint64_t mode_since_ns;
	uint64_t confirm_until_ns; /* CLOCK_BOOTTIME; 0: nothing to confirm */
	struct loop_source *confirm_timer;
	struct loop_source *tick; /* repeats that wait to be written */

	struct policy_loading *loading;
	struct loaded_policy *candidate;  /* its rules are being applied */
	struct control_peer *reload_peer; /* who waits for the answer; NULL: a signal asked */
	struct control_peer *stop_peer;
	bool is_changing_mode; /* its rules are being applied */
	enum guard_mode next_mode;
	char mode_why[64];
	struct control_peer *mode_peer; /* who waits for the answer; NULL: nobody */
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

/* Into the event log; fd: the file that it is about, the callee's, or -1. */
void enforcing_take_finding(void *context, const struct finding *finding, int fd);

/* For keepers: a worker ended otherwise than told. */
void enforcing_on_replaced(void *context, enum failure failure, const char *why);

/* For the loop: findings have come; children have ended or stopped. */
void enforcing_take_findings(void *context, int channel, uint32_t events);
void enforcing_take_children(void *context, int signal_number);

/* ---- enforcing_rules.c ---- */

bool enforcing_holds_network(const struct enforcing *enforcing);

/* What the rules are made of here. */
int enforcing_choose_backend(struct enforcing *enforcing, struct error *error);

/* Starts the gate and has it apply the rules, before anything is guarded: it opens files. */
int enforcing_start_rules(struct enforcing *enforcing, struct error *error);

/* Takes the rules away when told to stop, or when a start that had none before fails; ends the gate
 * in any case. */
int enforcing_end_rules(struct enforcing *enforcing, struct error *error);

/* ---- enforcing_changes.c ---- */

/* "enforces", "only reports (audit)". */
const char *enforcing_mode_text(enum guard_mode mode);

/* For the loop: the time to confirm is over. */
void enforcing_on_unconfirmed(void *context);

/* Rules, guard and sweeper change over; the old ones serve until the new ones do. Returns 0 when
 * that is done, 1 when the peer will be answered later, or an error with everything as it was. */
int enforcing_change_mode(struct enforcing *enforcing, enum guard_mode mode, const char *why,
			  struct control_peer *peer, struct error *error);

/* path: NULL for the present one. -EBUSY while one is under way. */
int enforcing_reload(struct enforcing *enforcing, const char *path, struct control_peer *peer,
		     struct error *error);

void enforcing_confirm(struct enforcing *enforcing);

/* ---- enforcing_status.c ---- */

json_t *enforcing_profile_json(const struct enforcing *enforcing);
json_t *enforcing_status_json(struct enforcing *enforcing);

/* ---- enforcing_requests.c ---- */

extern const struct control_command enforcing_commands[];
void enforcing_peer_gone(void *context, struct control_peer *peer);

#endif
