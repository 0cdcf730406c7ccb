/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_HOST_USERS_H
#define OBSERVE_HOST_USERS_H

#include <stdint.h>

/* Names of users from the passwd file alone: no name service is asked, which could hang or start
 * programs. The file is read again when it changed. */
struct users;

/* path: normally /etc/passwd; it need not exist. Returns 0 or -ENOMEM. */
int users_new(const char *path, struct users **ret_users);
void users_free(struct users *users);

/* The name, or the number as text. Valid until the next call; NULL when memory is out. */
const char *users_name(struct users *users, uint32_t user);

#endif
