/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/signals.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void signals_fill(sigset_t *ret_set)
{
	memset(ret_set, 0xff, sizeof(*ret_set));
}

void signals_block_all(void)
{
	sigset_t all;

	signals_fill(&all);
	/* sigprocmask(3) would take those two out again; the kernel's set has one bit a signal */
	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, (size_t)(_NSIG - 1) / 8);
}
