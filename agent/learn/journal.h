/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_JOURNAL_H
#define LEARN_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "learn/state.h"

/*
 * The state on disk: a file to which every commit appends the entries that changed, as they are
 * now. A commit counts as a whole or not at all: whatever cuts it short (kill, power, full disk),
 * replay gives the state as of an earlier commit. When the file has grown to several times what it
 * holds it is written anew beside itself and renamed. docs/learning.md describes the format.
 */
struct journal;

/* Opens the journal and, with resume, loads the state from it. Errors name the path and the remedy:
 * -EEXIST (holds an earlier run's state and resume is false), -EBUSY (another learner has it; says
 * which), -EINVAL (not a journal, of another version, or damaged in the middle: says where). */
int journal_open(const char *path, bool resume, struct state *state, struct journal **ret_journal,
		 struct error *error);
void journal_close(struct journal *journal); /* NULL allowed; keeps the file */

/* How many bytes of a commit that was cut short were dropped on opening. */
uint64_t journal_dropped(const struct journal *journal);

/* Appends what changed and waits until it is on the disk. On error the file holds what it held
 * before, everything stays marked as changed, and a later commit tries again. */
int journal_commit(struct journal *journal, struct state *state, struct error *error);

/* Removes the file and closes. */
int journal_discard(struct journal *journal, struct error *error);

/* The same from memory, for replay and tests: loads the whole commits at the start of the bytes.
 * *ret_good: how many bytes those take. -EINVAL with a message (origin names the place) as above; a
 * header that was cut short is an empty journal. */
int journal_replay(const char *origin, const void *bytes, size_t size, struct state *state,
		   size_t *ret_good, struct error *error);

#endif
