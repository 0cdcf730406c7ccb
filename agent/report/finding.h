/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_FINDING_H
#define REPORT_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Something outside the profile, and what was done about it. A finding is of one fixed size and
 * holds no pointers: it crosses from the guard and the sweeper to the supervisor as it is. The
 * names are stable: they stand in the event log (docs/events.md).
 */
enum finding_kind {
	FINDING_NONE,		   /* permitted */
	FINDING_PROGRAM_UNKNOWN,   /* exec of content that is in no entry */
	FINDING_PROGRAM_CHANGED,   /* the same, at the path of an entry */
	FINDING_EXECUTABLE_OPENED, /* unknown ELF content opened: library, plug-in, ld.so PROGRAM */
	FINDING_SCRIPT_UNKNOWN,	   /* an interpreter opened unknown code */
	FINDING_READ_UNKNOWN,	   /* an interpreter opened a file it was not learnt to read */
	FINDING_ARGUMENTS_UNKNOWN, /* interpreter or multi-call binary run in a way not learnt */
	FINDING_IMAGE_UNKNOWN,	   /* a process runs something unknown (memfd, missed exec) */
	FINDING_USER_UNKNOWN,	   /* a set-user-ID file that was not learnt to run as its owner */
	FINDING_FILESYSTEM_UNTRUSTED, /* exec from FUSE: content cannot be vouched for */
	FINDING_FILE_TOO_LARGE,	      /* beyond what is hashed */
	FINDING_FILE_UNREADABLE,      /* an I/O error while hashing */
	FINDING_ENVIRONMENT_CODE,     /* an interpreter was given code in its environment */
	/* of the network: flow says which packet, path is empty */
	FINDING_CONNECTION_UNKNOWN, /* this host opens what no entry has */
	FINDING_CONNECTION_PROGRAM, /* an entry has it, for another program */
	FINDING_SERVICE_UNKNOWN,    /* a peer wants what no listener of the profile answers */
	FINDING_FORWARD_UNKNOWN,    /* a packet that would pass through this host */
	FINDING_NAME_UNKNOWN,	    /* a question for a name that is not in the profile */
	FINDING_ANSWER_UNASKED,	    /* a DNS answer to no question that was let out */
	FINDING_ANSWER_REBINDING,   /* a DNS answer that puts a public name at a local address */
	FINDING_ANSWER_UNREADABLE,  /* a packet of a resolver, or to one, that is no DNS */
	FINDING_KIND_COUNT,
};

enum finding_layer {
	LAYER_PERMISSION, /* fanotify, before it ran */
	LAYER_CONNECTOR,  /* process connector, right after */
	LAYER_SWEEP,	  /* /proc */
	LAYER_RULES,	  /* packet filter */
	LAYER_GATE,	  /* who holds packets until they are looked at */
	LAYER_COUNT,
};

enum finding_action {
	ACTION_REPORTED, /* audit: nothing was done */
	ACTION_DENIED,	 /* the exec or open failed with EPERM */
	ACTION_KILLED,	 /* and, or else, the process was ended */
	ACTION_DROPPED,	 /* the packet went no further */
	ACTION_REFUSED,	 /* it was answered with an error: NXDOMAIN, reset, unreachable */
	ACTION_COUNT,
};

#define FINDING_PATH_SIZE      512
#define FINDING_ARGUMENTS_SIZE 512
#define FINDING_ANCESTORS      4
#define FINDING_PROGRAM_SIZE   192

#define FINDING_NAME_SIZE 254 /* a host name, RFC 1035 section 2.3.4 */

enum finding_way { WAY_NONE, WAY_OUT, WAY_IN, WAY_FORWARD, WAY_COUNT };

/* The packet that a finding of the network is about; WAY_NONE: it is about none. */
struct finding_flow {
	uint8_t way;
	uint8_t protocol; /* IPPROTO_* */
	uint8_t icmp_type;
	struct ip_address local; /* WAY_FORWARD: the source */
	struct ip_address remote;
	uint16_t local_port;
	uint16_t remote_port;
	char name[FINDING_NAME_SIZE]; /* that was asked for, or that the address goes by; or "" */
};

struct finding {
	uint64_t time_ns;	/* since 1970 */
	uint64_t since_exec_ns; /* age of the image when it was stopped; 0: it never ran */
	uint64_t size;		/* of the file */
	uint32_t repeats;	/* further ones like this that were not sent one by one */
	int32_t pid;
	uint32_t user; /* effective; UINT32_MAX: unknown */
	uint8_t kind;
	uint8_t layer;
	uint8_t action;
	uint8_t hashed; /* sha256 holds */
	uint8_t sha256[32];
	char path[FINDING_PATH_SIZE];	    /* of the file it is about; a label */
	char program[FINDING_PROGRAM_SIZE]; /* that the process ran when it asked; "": unknown */
	char arguments[FINDING_ARGUMENTS_SIZE]; /* each ends with NUL; cut at the size */
	uint16_t arguments_size;
	char ancestors[FINDING_ANCESTORS][FINDING_PROGRAM_SIZE]; /* parent's program first */
	struct finding_flow flow;
};

/* "program-unknown", "permission", "denied", …; NULL for a value that is none. */
const char *finding_kind_name(enum finding_kind kind);
const char *finding_layer_name(enum finding_layer layer);
const char *finding_action_name(enum finding_action action);

/* Back from its name; FINDING_NONE for what is none. */
enum finding_kind finding_kind_parse(const char *name);

/* Half a sentence for people: "is not in the profile". */
const char *finding_kind_text(enum finding_kind kind);

/* Whether bytes from another process are a finding: every value in range, every text ended. */
bool finding_is_valid(const struct finding *finding);

#endif
