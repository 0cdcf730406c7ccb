/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int socket_verdict_add(struct socket_verdict *verdict, pid_t pid, const char *program,
		       bool left_out)
{
	char **place = pid == 1 ? &verdict->manager : &verdict->program;

	verdict->held = true;
	if (left_out) {
		verdict->left_out = true;
		return 0;
	}
	if (!program) {
		verdict->differ = true;
		return 0;
	}
	if (*place) {
		if (strcmp(*place, program) != 0)
			verdict->differ = true;
		return 0;
	}
	*place = strdup(program);
	return *place ? 0 : -ENOMEM;
}

void socket_verdict_clear(struct socket_verdict *verdict)
{
	free(verdict->manager);
	free(verdict->program);
	*verdict = (struct socket_verdict){0};
}

const char *socket_verdict_program(const struct socket_verdict *verdict, bool *ret_left_out)
{
	*ret_left_out = verdict->left_out && !verdict->program && !verdict->differ;
	if (verdict->differ || *ret_left_out)
		return NULL;
	return verdict->program ? verdict->program : verdict->manager;
}
