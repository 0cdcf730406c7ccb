/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_GUARD_PRIVATE_H
#define GUARD_GUARD_PRIVATE_H

#include "enforce/program_verdict.h"
#include "guard/finding_outbox.h"
#include "guard/guard.h"
#include "guard/image_table.h"
#include "guard/kernel_cache.h"
#include "guard/verdict_cache.h"
#include "process/command_line.h"
#include "process/file_hash.h"
#include "process/filesystems.h"
#include "program/file_facts.h"

/* What became known of a file's content. */
struct file_result {
	bool known;
	bool absent; /* of a script: there is no such file */
	bool hashed;
	enum finding_kind why; /* not hashed */
	uint8_t sha256[32];
	struct content content;
	struct file_key key;
};

enum inquiry_state {
	INQUIRY_NEW,
	INQUIRY_HASHING,
	INQUIRY_FOLLOWS, /* another one hashes the same file */
	INQUIRY_EXAMINES_IMAGE,
	INQUIRY_EXAMINES_SCRIPT,
};

/* One event, and what was found out for it so far. */
struct inquiry {
	int fd;
	pid_t pid;
	uint64_t mask;
	uint64_t since_ns;

	enum inquiry_state state;
	size_t leader;	 /* FOLLOWS */
	int examination; /* EXAMINES; -1: all helpers are at work */
	unsigned int examinations;
	struct file_facts facts; /* of the event's file, as soon as it is looked at */
	enum filesystem_class class;
	struct file_key image; /* of who asks */
	struct file_result file;
	struct file_result image_file;
	struct file_result script;
};

enum judgement {
	JUDGED,
	JUDGED_GONE, /* who asked is no more */
	NEEDS_HASH,
	NEEDS_IMAGE,  /* a helper has to read what the process runs */
	NEEDS_SCRIPT, /* or the file guard->wanted */
};

struct verdict_here {
	enum finding_kind kind;
	bool kill;	  /* it is about what the process runs already */
	bool about_image; /* and not about the event's file */
};

struct guard {
	const struct guard_config *config;
	const struct program_policy *policy;
	struct desk *desk;
	struct verdict_cache *cache;
	struct image_table *images;
	struct filesystems *filesystems;
	struct kernel_cache kernel;
	struct finding_outbox outbox;
	pid_t self;
	struct file_key own_program;
	bool reads_exec_arguments; /* Linux 5.11: no lock of an exec is needed for it */
	bool randomised;	   /* the kernel puts stacks at random addresses */
	const char *wanted;	   /* NEEDS_SCRIPT; lies in line */
	struct command_line line;
	char path[4096];
	struct inquiry cases[DESK_PENDING_LIMIT]; /* beside desk->pending */
	size_t turn;
	unsigned int turns; /* of waiting for events */
	size_t waiting;	    /* pending events */
	uint8_t buffer[FILE_HASH_SLICE];
};

/* ---- who asks: asker.c ---- */

struct asker {
	struct asking_process process;
	enum finding_kind verdict; /* of what it runs */
	bool single_threaded;	   /* known only of pinned programs */
	const struct image *image; /* the same */
};

enum judgement asker_find(struct guard *guard, struct inquiry *inquiry, struct asker *ret_asker);

/* Whether pinned content may run with guard->line. script: what a "#!" line brought, or NULL.
 * *ret_name: the file that the arguments name, NULL for none. */
enum judgement judge_arguments(struct guard *guard, struct inquiry *inquiry,
			       const struct asked_file *image, const struct content *script,
			       enum finding_kind *ret_kind, const char **ret_name);

/* ---- the event: judge.c ---- */

enum judgement judge(struct guard *guard, struct inquiry *inquiry,
		     struct verdict_here *ret_verdict);

/* Keeps what was found out about a file, where its key can stand for it. */
void guard_remember(struct guard *guard, enum filesystem_class class,
		    const struct file_result *result, bool settled, enum file_nature nature);

/* ---- what follows from it: answer.c ---- */

/* Reports, ends the process if need be, answers. Closes nothing. */
void answer(struct guard *guard, const struct inquiry *inquiry, const struct verdict_here *verdict);
void answer_unseen(struct guard *guard, const struct inquiry *inquiry);

/* ---- one step after the other: work.c ---- */

/* Takes up what another guard left. */
void work_begin(struct guard *guard);

/* Works on the events in the buffer; false: some need a place among those that wait. */
bool work_events(struct guard *guard);

/* Goes on with those that wait, for a few milliseconds. Returns how long to wait for more, in
 * milliseconds: 0 go on at once, -1 nothing to do. */
int work_pending(struct guard *guard);

#endif
