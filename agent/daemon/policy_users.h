/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_POLICY_USERS_H
#define DAEMON_POLICY_USERS_H

#include <stddef.h>

#include "guard/guard.h"
#include "profiles/profile.h"

#define POLICY_USERS_LIMIT 256

/* The numbers of the users that the profile names, from a passwd file (normally /etc/passwd) that
 * need not exist: the guard, which sees numbers, can look nothing up. Of several names for one
 * number the first counts, as learning has it. Returns how many. */
size_t policy_users_read(const struct profile *profile, const char *passwd,
			 struct guard_user ret_users[POLICY_USERS_LIMIT]);

/* One of them, by name. 0 or -ENOENT. */
int policy_user_number(const char *name, const char *passwd, uint32_t *ret_user);

#endif
