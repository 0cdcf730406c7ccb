/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_EXAMINER_H
#define GUARD_EXAMINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/desk.h"

/*
 * Files that no event brought: what a process runs already, the script that its arguments name. The
 * guard cannot open them, because that would make it wait for itself, and looking a name up can
 * wait for a filesystem that a process serves. A forked helper does it, whose opens the guard
 * permits; it has a limited time and descriptors of its own.
 */
#define EXAMINATION_NS (2 * UINT64_C(1000000000))

/* script: NULL for the process's image. Returns the number of the examination, -EBUSY when all
 * helpers are at work, or another negative errno. */
int examiner_start(struct desk *desk, pid_t pid, const char *script, uint64_t size_limit);

/* Whether it is over; one that takes too long is ended and tells "unreadable". */
bool examiner_done(struct desk *desk, int examination, uint64_t now_ns);
void examiner_release(struct desk *desk, int examination);

/* Whether the process is one of the helpers. */
bool examiner_is_helper(const struct desk *desk, pid_t pid);

/* The file at once, where that is possible without opening it or waiting for anybody: *ret_facts.
 * -EAGAIN: only a helper can tell; -ENOENT, -ENOTDIR: there is no such file; -ELOOP: its name leads
 * to what is another file for everyone. */
struct file_facts;
int script_find(struct desk *desk, pid_t pid, const char *script, struct file_facts *ret_facts);

#endif
