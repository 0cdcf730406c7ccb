/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/process_roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "observe/host/process_info.h"

#define ANCESTORS_LIMIT	     16
#define POSIX_SESSIONS_LIMIT 1024

struct posix_session {
	uint32_t generation; /* the last one in which it had a member */
};

struct process_roster {
	struct process_roster_config config;
	struct map *sessions; /* POSIX session id -> struct posix_session, those of members */
	uint32_t generation;
};

int process_roster_new(const struct process_roster_config *config,
		       struct process_roster **ret_roster)
{
	struct process_roster *roster = calloc(1, sizeof(*roster));

	if (!roster)
		return -ENOMEM;
	roster->config = *config;
	if (map_new(&roster->sessions, POSIX_SESSIONS_LIMIT, sizeof(struct posix_session), NULL,
		    NULL) < 0) {
		free(roster);
		return -ENOMEM;
	}
	*ret_roster = roster;
	return 0;
}

void process_roster_free(struct process_roster *roster)
{
	if (!roster)
		return;
	map_free(roster->sessions);
	free(roster);
}

/* ---- membership ---- */

static bool has_session(const struct process_roster *roster)
{
	return roster->config.session.root != roster->config.session.self;
}

static void note_posix_session(struct process_roster *roster, const struct process *process)
{
	struct posix_session *session;

	if (!(process->flags & PROCESS_SESSION) || process->session <= 0 ||
	    process->session == roster->config.session.outer)
		return;
	session = map_add(roster->sessions, &process->session, sizeof(process->session));
	if (session)
		session->generation = roster->generation;
}

static uint16_t membership(const struct process_roster *roster, const struct process *process)
{
	const struct login_session *session = &roster->config.session;
	const struct process *parent = process_find(roster->config.table, process->parent_pid);
	uint16_t flags = 0;

	if (parent)
		flags |= parent->flags & (PROCESS_OWN | PROCESS_SESSION);
	if (process->pid == session->self)
		flags |= PROCESS_OWN;
	if (has_session(roster) &&
	    (process->pid == session->root ||
	     map_peek(roster->sessions, &process->session, sizeof(process->session))))
		flags |= PROCESS_SESSION;
	return flags;
}

bool process_roster_enroll(struct process_roster *roster, struct process *process)
{
	uint16_t flags = process->flags | membership(roster, process);
	bool changed = flags != process->flags;

	process->flags = flags;
	note_posix_session(roster, process);
	return changed;
}

void process_roster_enroll_audit(struct process_roster *roster, struct process *process)
{
	uint32_t session = roster->config.session.audit;

	if (session == AUDIT_SESSION_UNSET || process->flags & PROCESS_KERNEL ||
	    process_audit_session(process->pid) != session)
		return;
	process->flags |= PROCESS_SESSION;
	note_posix_session(roster, process);
}

bool process_roster_left_out(const struct process_roster *roster, const struct process *process)
{
	return process->flags & PROCESS_OWN ||
	       (process->flags & PROCESS_SESSION && !roster->config.include_session);
}

void process_roster_swept(struct process_roster *roster)
{
	struct process *process = NULL;
	struct posix_session *session;
	struct posix_session *next;

	roster->generation++;
	while ((process = process_next(roster->config.table, process)))
		if (!(process->flags & PROCESS_ENDED))
			note_posix_session(roster, process);
	for (session = map_next(roster->sessions, NULL); session; session = next) {
		next = map_next(roster->sessions, session);
		if (session->generation != roster->generation)
			map_remove_value(roster->sessions, session);
	}
}

/* ---- finding ---- */

static struct process *find(struct process_roster *roster, pid_t pid, int generations);

static struct process *read_process(struct process_roster *roster, pid_t pid,
				    const struct process_stat *status, int generations)
{
	_cleanup_(freep) char *path = NULL;
	struct process *process = find(roster, status->parent, generations + 1);
	struct label *parent_program = process ? label_reference(process->program) : NULL;
	uint32_t user;

	process = process_add(roster->config.table, pid);
	if (!process) {
		label_release(parent_program);
		return NULL;
	}
	process->parent_pid = status->parent;
	process->session = status->session;
	process->started_ns = status->started_ns;
	process->parent_program = parent_program;
	if (status->kernel_thread)
		process->flags |= PROCESS_KERNEL;
	(void)process_roster_enroll(roster, process);
	process_roster_enroll_audit(roster, process);
	if (process_user_read(pid, &user) == 0)
		process->user = process->image_users[0] = user;
	if (process_program_path(pid, &path) == 0)
		process->program = label_new(path, NULL);
	return process;
}

static struct process *find(struct process_roster *roster, pid_t pid, int generations)
{
	struct process *process = process_find(roster->config.table, pid);
	struct process_stat status;

	if (process && roster->config.process_events)
		return process;
	if (pid <= 0 || generations > ANCESTORS_LIMIT || process_stat_read(pid, &status) < 0)
		return process;
	if (process && process->started_ns == status.started_ns)
		return process;
	process_forget(roster->config.table, pid);
	return read_process(roster, pid, &status, generations);
}

struct process *process_roster_find(struct process_roster *roster, pid_t pid)
{
	return find(roster, pid, 0);
}
