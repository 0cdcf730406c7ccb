/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIVILEGE_LANDLOCK_H
#define PRIVILEGE_LANDLOCK_H

/* Closes the whole file system to this process, for what the running kernel's Landlock knows (Linux
 * 5.13 and later). Needs no privileges but no_new_privs. Does nothing where there is no Landlock:
 * landlock_off.c, or a kernel without it. */
void landlock_close_files(void);

#endif
