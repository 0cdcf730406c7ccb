/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_INSTANCE_H
#define DAEMON_INSTANCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * One supervisor at a time, by a locked file. A guard outlives a supervisor that was killed, and
 * with the shared descriptor table keeps its lock, the fanotify group and the desk: whoever comes
 * next takes them over from it, so that there is no moment in which files are not guarded.
 */
struct instance;

/* -EBUSY with who holds the place, when that is alive. Where only its guard is left it goes on
 * working until instance_adopt(). */
int instance_claim(const char *path, struct instance **ret_instance, struct error *error);
void instance_free(struct instance *instance);

/* The guard that was left over, or 0. */
pid_t instance_orphan(const struct instance *instance);

/* Ends the guard that was left over, at a moment in which it has nothing in hand if there is one
 * within a second, and hands out its group and desk (the caller's; -1: there was none). From here
 * on no guarded file may be opened until a new guard works. */
int instance_adopt(struct instance *instance, int *ret_group, int *ret_desk, struct error *error);

/* Writes down what a successor needs to know; opens nothing. */
void instance_note(struct instance *instance, pid_t guard, int group, int desk);

/* The rules for connections outlive every process of ours. Whether a predecessor left some, and
 * whether there are some now. */
bool instance_had_rules(const struct instance *instance);
void instance_note_rules(struct instance *instance, bool rules);

/* For those who find nobody at the control socket. */
enum instance_state {
	INSTANCE_NONE,		  /* nobody, and nothing was left */
	INSTANCE_RULES,		  /* nobody, but rules were left */
	INSTANCE_RULES_ELSEWHERE, /* the same in another network namespace */
	INSTANCE_ALIVE,		  /* a supervisor that does not answer */
};
enum instance_state instance_look(const char *path);

/* The rules that were left are gone. */
void instance_forget_rules(const char *path);

#endif
