/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

void landlock_close_files(void)
{
	/* The rights of the first ABI, bits 0 to 12: every kernel with Landlock has them. */
	const struct landlock_ruleset_attr everything = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	_cleanup_(closep) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &everything,
						     sizeof(everything.handled_access_fs), 0);

	if (ruleset >= 0)
		(void)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
