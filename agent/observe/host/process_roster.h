/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_PROCESS_ROSTER_H
#define OBSERVE_HOST_PROCESS_ROSTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "observe/host/login_session.h"
#include "observe/host/process_table.h"

/*
 * Who a process is, from the table or else from /proc, and whether it belongs to rtguard or to the
 * login session that started it: as a descendant, by its audit session, or, when its parent is
 * gone, by its POSIX session, which is that of a member.
 *
 * Without process events an orphan that made a POSIX session of its own (setsid, daemon) before
 * anybody saw it, in a system without audit sessions, is not told from the device's own programs.
 */
struct process_roster;

struct process_roster_config {
	struct process_table *table;
	bool process_events;  /* tell of every new owner of a pid */
	bool include_session; /* only rtguard itself is left out */
	struct login_session session;
};

int process_roster_new(const struct process_roster_config *config,
		       struct process_roster **ret_roster);
void process_roster_free(struct process_roster *roster);

/* NULL: gone, or no room. */
struct process *process_roster_find(struct process_roster *roster, pid_t pid);

bool process_roster_left_out(const struct process_roster *roster, const struct process *process);

/* Gives a process what membership follows from its parent and its POSIX session. Returns whether
 * that changed its flags. */
bool process_roster_enroll(struct process_roster *roster, struct process *process);

/* The same by its audit session, which is asked of /proc. */
void process_roster_enroll_audit(struct process_roster *roster, struct process *process);

/* The table is as /proc is: POSIX sessions without a member left are forgotten, their ids are free.
 */
void process_roster_swept(struct process_roster *roster);

#endif
