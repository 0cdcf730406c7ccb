/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/login_session.h"

#include <unistd.h>

#include "observe/host/listening_process.h"
#include "observe/host/process_info.h"

/* pids are reused while the ancestors are read, so a circle is possible; no real line is this long
 */
#define GENERATIONS_LIMIT 1024

static bool serves_others(const struct session_process *process)
{
	return process->listens || (process->parent == 1 && !process->has_terminal);
}

pid_t login_session_root(session_process_fn look_up, void *context, pid_t self)
{
	struct session_process process;
	struct session_process above;
	pid_t at = self;

	if (!look_up(context, at, &process))
		return self;
	for (int i = 0; i < GENERATIONS_LIMIT; i++) {
		if (process.parent <= 1 || !look_up(context, process.parent, &above) ||
		    serves_others(&above))
			return at;
		at = process.parent;
		process = above;
	}
	return self;
}

static bool look_up_process(void *context, pid_t pid, struct session_process *ret_process)
{
	struct process_stat status;

	(void)context;
	if (process_stat_read(pid, &status) < 0)
		return false;
	ret_process->parent = status.parent;
	ret_process->has_terminal = status.terminal != 0;
	ret_process->listens = process_listens(pid);
	return true;
}

struct login_session login_session_of_self(void)
{
	struct login_session session = {.self = getpid(), .audit = AUDIT_SESSION_UNSET};
	struct process_stat root;
	struct process_stat above;

	session.root = login_session_root(look_up_process, NULL, session.self);
	if (session.root == session.self)
		return session;
	session.audit = process_audit_session(session.self);
	if (process_stat_read(session.root, &root) < 0 || root.parent == 0)
		return session;
	/* what was started by hand in an earlier login keeps that login's audit session */
	if (process_audit_session(root.parent) == session.audit)
		session.audit = AUDIT_SESSION_UNSET;
	if (process_stat_read(root.parent, &above) == 0)
		session.outer = above.session;
	return session;
}
