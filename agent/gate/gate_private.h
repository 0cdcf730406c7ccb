/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_GATE_PRIVATE_H
#define GATE_GATE_PRIVATE_H

#include "backends/backend.h"
#include "base/map.h"
#include "enforce/address_names.h"
#include "enforce/verdict.h"
#include "gate/flow_owner.h"
#include "gate/gate.h"
#include "gate/held.h"
#include "gate/name_addresses.h"
#include "gate/questions.h"
#include "gate/queue.h"
#include "gate/surroundings.h"
#include "loop/loop.h"
#include "privilege/worker.h"

/* What the parts of the gate share. */

/* One kind of finding in this time is sent once, and counted: a retransmitted packet is no news. */
#define GATE_REPEAT_NS (10 * UINT64_C(1000000000))

#define GATE_WAITING 256 /* flows and reports that wait for their turn; names come first */

/* A record without its answer. */
struct gate_waiting {
	uint32_t kind;
	uint32_t packet;
	uint32_t mark;
	uint8_t queue;
	uint8_t way;
	struct observed_flow flow;
};

struct gate_backlog {
	struct gate_waiting items[GATE_WAITING]; /* a ring */
	size_t first;
	size_t count;
	int event; /* readable while there are any */
	struct loop_source *source;
};

/* Findings on their way to the supervisor. */
struct gate_findings {
	struct map *recent; /* what makes two equal → struct recent */
	uint32_t tokens;    /* that may be sent now */
	uint32_t look_ups;  /* of programs that may be made now */
	uint64_t filled_ns; /* when tokens and look_ups last grew */
	uint64_t lost;	    /* since that was last said */
	uint64_t lost_said_ns;
};

/* The work of the kernel's that tests do themselves. */
struct gate_kernel {
	const struct backend_type *backend; /* NULL: to be chosen */
	int (*answer)(int fd, uint16_t queue_number, uint32_t packet, enum queue_verdict verdict,
		      const uint32_t *mark, const void *replacement, size_t replacement_size);
	bool prunes; /* there is a conntrack */
	bool queues; /* and there are queues */
	int (*find_owner)(struct flow_owner *owner, const struct observed_flow *flow,
			  struct flow_program *ret_program);
};

struct gate {
	const struct gate_config *config;
	struct rules_options options; /* with report_only as it is now */
	struct gate_kernel kernel;
	struct loop *loop;

	/* what is in force; all NULL before the first profile */
	struct profile *profile;
	struct rule_program *program;
	struct verdict *verdict;
	struct string_list local_names; /* sorted; had local addresses when learnt */

	struct backend *backend;
	struct surroundings *surroundings;
	struct flow_owner *owner;
	struct questions *questions;
	struct questions *refused; /* those that were answered here: the answer comes by us again */
	struct name_addresses *names;
	struct address_names *labels; /* names of addresses, for people; of any answer */
	struct gate_findings findings;
	struct gate_backlog backlog;

	int queues; /* -1: nobody listens, the kernel drops what is to be held */
	int log;
	struct worker *reader;
	struct loop_source *reader_source;
	uint64_t reader_started_ns;
	uint64_t reader_heard_ns;

	uint64_t names_due_ns; /* CLOCK_BOOTTIME; 0: nothing waits */
	bool names_changed;
	uint64_t names_saved_ns;
	int journal; /* -1: none; see gate_journal.c */
	off_t journal_size;
	off_t saving_size;     /* of the journal when saving began */
	pid_t saving;	       /* a child that writes the state file; 0: none */
	bool save_failed;      /* and that was said */
	struct map *deadlines; /* of members of sets, see gate_deadlines.c */
	bool names_loaded;     /* from the state file */
	bool again;	       /* the rules have to be applied again as soon as possible */
	uint64_t checked_ns;   /* the rules */
	uint64_t again_ns;     /* last time they were applied for that */
	uint64_t said_ns;      /* the last complaint about sets */
	struct gate_counts counts;
	int status;
};

/* ---- gate.c ---- */

/* Makes and releases all that needs no kernel. 0 or negative errno. */
int gate_prepare(struct gate *gate, const struct gate_config *config);
void gate_release_all(struct gate *gate);

void gate_word(struct gate *gate, enum gate_word_kind kind, int result, const char *text);
void gate_say(struct gate *gate, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is due: once a second. */
void gate_tick(struct gate *gate);

/* ---- gate_apply.c ---- */

/* Takes the profile, if it gets into force. */
int gate_apply_profile(struct gate *gate, struct profile *profile, bool report_only,
		       struct error *error);
/* The profile that is in force once more: other options, other surroundings, rules that somebody
 * changed. */
int gate_apply_again(struct gate *gate, bool report_only, struct error *error);

/* ---- gate_prune.c ---- */

int gate_prune(struct gate *gate, struct error *error);

/* ---- gate_reader.c ---- */

/* Opens the queues and starts the reader, where that is not so already. */
int gate_listen(struct gate *gate, struct error *error);
void gate_stop_listening(struct gate *gate);

/* Starts another reader where there is none, or one that hangs. To be called once a second. */
void gate_watch_reader(struct gate *gate);

/* ---- gate_records.c: what becomes of records ---- */

void gate_take(struct gate *gate, const struct held *held);

/* The next of the flows and reports that wait. Returns whether there are more. */
bool gate_take_next(struct gate *gate);
/* Their packets are the kernel's to drop: the queues are closed. */
void gate_forget_waiting(struct gate *gate);

void gate_let_go(struct gate *gate, const struct held *held);
void gate_drop(struct gate *gate, const struct held *held);
/* Answers in the resolver's place; without a way to do that, drops. Returns what it did. */
enum finding_action gate_refuse(struct gate *gate, const struct held *held, uint8_t rcode);

/* ---- gate_names.c ---- */

void gate_take_question(struct gate *gate, const struct held *question);
void gate_take_answer(struct gate *gate, const struct held *answer);
void gate_take_unreadable(struct gate *gate, const struct held *held);

/* Whether a name is local by itself, or was when the profile was learnt. */
bool gate_name_is_local(const struct gate *gate, const char *name);

/* ---- gate_flows.c ---- */

void gate_take_flow(struct gate *gate, const struct gate_waiting *waiting);
void gate_take_refused(struct gate *gate, const struct gate_waiting *waiting);

/* ---- gate_sets.c: the table of names and the kernel's copy of it ---- */

/* Puts the public ones of an answer's addresses where its name's entries want them; returns when
 * they are there. */
int gate_sets_answered(struct gate *gate, const struct held *answer, struct error *error);

/* All that is valid now into a program that is not yet in force, and into a verdict. */
int gate_sets_fill(struct gate *gate, struct rule_program *program, struct verdict *verdict);

/* What the state file and the profile's evidence have. */
int gate_sets_remember(struct gate *gate, const struct profile *profile);

/* Renews, forgets and saves what is due. */
void gate_sets_tick(struct gate *gate);
void gate_sets_save(struct gate *gate); /* at the end: waits for the disk */

/* ---- gate_journal.c: what the state file does not have yet ---- */

void gate_journal_open(struct gate *gate);
void gate_journal_note(struct gate *gate, const char *name, const struct ip_address *address);

/* The state file has what the journal had at that size. */
void gate_journal_saved(struct gate *gate, off_t size);

/* ---- gate_deadlines.c: one member of a set may stand for several names ---- */

int gate_deadlines_init(struct gate *gate);

/* A program has come into force: its members are all there are. */
void gate_deadlines_begin(struct gate *gate);

/* A member is about to be added: its time becomes that of the name that has it longest. */
void gate_deadlines_stretch(struct gate *gate, uint16_t set, struct rule_member *member);

/* ---- gate_findings.c ---- */

int gate_findings_init(struct gate *gate);
void gate_findings_release(struct gate *gate);

/* Reports; looks for the program of an outgoing packet unless it is given. */
void gate_found(struct gate *gate, enum finding_kind kind, enum finding_layer layer,
		enum finding_action action, uint8_t way, const struct observed_flow *flow,
		const struct flow_program *program);

/* Sends what was counted in the meantime. To be called once a second; now_ns:
 * CLOCK_MONOTONIC. */
void gate_findings_tick(struct gate *gate, uint64_t now_ns);

#endif
