/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/login_session.h"

/* pids are reused while the ancestors are read, so a circle is possible; no real line is this long
 */
#define GENERATIONS_LIMIT 1024

pid_t login_session_root(session_process_fn look_up, void *context, pid_t self)
{
	struct session_process process;
	pid_t below = self; /* the child through which the walk came up */
	pid_t at = self;

	for (int i = 0; i < GENERATIONS_LIMIT; i++) {
		if (!look_up(context, at, &process))
			return below;
		if (process.parent == 0)
			return at == 1 ? below : at;
		if (process.parent == 1)
			return process.has_terminal ? at : below;
		below = at;
		at = process.parent;
	}
	return self;
}
