/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_MESSAGE_H
#define OBSERVE_NETWORK_MESSAGE_H

#include <stdint.h>

#include "observe/observation.h"

/*
 * What the inspector and its supervisor say to each other, in records of fixed size over a channel
 * (privilege/channel.h). The inspector reads what strangers send and may have been taken over by
 * it: everything it says is held against a closed list on arrival.
 */

enum report_kind {
	REPORT_OBSERVATION = 1,
	REPORT_INTERFACE, /* live: one of the interfaces is not being captured */
	REPORT_FILE,	  /* recorded: the file that was handed over is done with */
	REPORT_FINISHED,  /* the answer to COMMAND_FINISH: nothing more will come */
	REPORT_ALIVE,	  /* live: the answer to COMMAND_ANSWER */
};

#define TROUBLE_TEXT_SIZE 256

/* How a file or an interface ended. */
struct trouble {
	uint32_t interface; /* REPORT_INTERFACE: index in inspector_config.interfaces */
	int32_t code;	    /* positive errno; 0: a file's end, in order */
	char text[TROUBLE_TEXT_SIZE];
};

struct report {
	uint32_t kind; /* enum report_kind */
	union {
		struct observation observation;
		struct trouble trouble;
	};
};

enum command_kind {
	COMMAND_READ = 1, /* recorded: read the descriptor that comes along */
	COMMAND_FINISH,	  /* settle what is pending, say so, and end */
	COMMAND_ANSWER,	  /* live: say that you are there */
};

struct command {
	uint32_t kind; /* enum command_kind */
};

/* Most records in one message. */
#define REPORTS_PER_MESSAGE 64

/* Flow ids of one inspector stay below this; the supervisor puts the inspector's generation above,
 * so that they stay unique when it is started again. */
#define FLOW_ID_BITS 48

/* What one inspector may say, and has said so far. Zero it, then set the first two. */
struct message_checker {
	struct station station;	  /* the only one it speaks of */
	uint32_t interface_count; /* REPORT_INTERFACE; 0: a recording's inspector, REPORT_FILE */
	struct observed_capture capture;
};

/* bytes: one received struct report (any alignment). What is returned holds nothing but checked
 * values: texts are terminated, printable and without rests, unused bytes are zero. Returns 0, or
 * -EBADMSG for what no honest inspector says. */
int message_check(struct message_checker *checker, const void *bytes, struct report *ret_report);

#endif
