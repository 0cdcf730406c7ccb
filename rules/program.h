/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_PROGRAM_H
#define RULES_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "profiles/profile.h"

/*
 * The rule program: what a packet filter has to do to hold this host to its profile, as data, with
 * no kernel in sight. One rule becomes one rule of each backend (two for iptables, where it is of
 * both families), one set becomes one set of each family. Two stages stand behind each other in
 * each direction: what has to be held until somebody has looked at it, and what is permitted at
 * all; a packet that was held and released goes through the second as any other.
 *
 * "remote" is the other end: the destination on the way out, the source on the way in.
 */

enum rule_family {
	RULE_IPV4 = 1 << 0,
	RULE_IPV6 = 1 << 1,
	RULE_BOTH_FAMILIES = RULE_IPV4 | RULE_IPV6,
};

enum rule_set_kind {
	SET_ADDRESS,
	SET_ADDRESS_PORT, /* address, protocol and port; TCP, UDP, UDP-Lite, SCTP */
	SET_PREFIX,
	SET_PREFIX_PORT,
	SET_PORT, /* ranges of ports, whatever the protocol and family */
};

/* One member of a set; what its kind does not have is zero. */
struct rule_member {
	struct ip_address address; /* bits beyond the prefix are zero */
	uint8_t prefix_length;	   /* 32 or 128 where the kind has no prefixes; never 0 */
	uint8_t protocol;
	uint16_t port;
	uint16_t last_port; /* SET_PORT; else the same as port */
	uint32_t timeout_s; /* 0: stays */
};

#define RULE_SET_NAME_SIZE 20  /* with what backends put before it, less than IPSET_MAXNAMELEN */
#define RULE_COMMENT_SIZE  128 /* NFTNL_UDATA_COMMENT_MAXLEN; xt_comment has 256 */
#define RULE_NONE	   UINT16_MAX

struct rule_set {
	char name[RULE_SET_NAME_SIZE]; /* lower case, digits, '-': "names", "asked" */
	enum rule_set_kind kind;
	unsigned int families;	     /* enum rule_family; SET_PORT has one set for both */
	bool has_timeouts;	     /* members come and go while the program works */
	struct rule_member *members; /* in canonical order, none twice */
	size_t member_count;
	size_t member_capacity;
};

/* Which part of the packet is looked up; the set's kind says whether address, port, or both. */
enum rule_side { SIDE_REMOTE, SIDE_LOCAL };

struct rule_lookup {
	uint16_t set; /* RULE_NONE: no look-up */
	uint8_t side; /* enum rule_side */
	bool absent;  /* holds when it is not in the set */
};

enum rule_state { /* of the connection, as conntrack has it; bits */
		  STATE_ESTABLISHED = 1 << 0,
		  STATE_RELATED = 1 << 1,
		  STATE_NEW = 1 << 2,
		  STATE_INVALID = 1 << 3,
		  STATE_UNTRACKED = 1 << 4,
};

enum rule_place { /* where a packet goes to, as the kernel's routing has it; bits */
		  PLACE_LOCAL = 1 << 0, /* to an address of this host */
		  PLACE_MULTICAST = 1 << 1,
		  PLACE_BROADCAST = 1 << 2,
};

#define RULE_LOOKUPS 3

/* All that is set has to hold. */
struct rule_match {
	unsigned int families; /* enum rule_family, never 0 */
	bool loopback;	       /* comes from, or goes to, the loopback interface */
	unsigned int states;   /* any of these; 0: whichever */
	unsigned int places;   /* any of these; 0: whichever. In a single-family rule IPv6 has no
				  broadcast: such a rule is IPv4 only */
	bool has_protocol;
	uint8_t protocol;
	bool has_icmp_type; /* protocol is ICMP or ICMPv6 */
	uint8_t icmp_type;
	bool has_remote_ports;	  /* protocol has ports */
	uint16_t remote_ports[2]; /* first and last */
	bool has_local_ports;
	uint16_t local_ports[2];
	bool link_scope; /* hop limit 255: nobody routed it (RFC 4861 section 11.2) */
	bool opens;	 /* TCP: SYN without ACK, FIN, RST */
	bool has_user;	 /* output only: the socket's user */
	uint32_t user;
	struct rule_lookup lookups[RULE_LOOKUPS];
	/* Holds while no more than this come: packets a second, in bursts; 0: no limit */
	uint32_t rate_per_s;
	uint32_t burst;
	bool rate_per_source; /* each remote address has its own */
};

enum rule_verdict {
	RULE_PERMIT, /* this program has no objection; what others filter goes on after it */
	RULE_DROP,
	RULE_REJECT, /* TCP: reset; else: administratively prohibited */
	RULE_JUMP,
	RULE_HOLD,   /* for whoever listens on the queue; nobody: dropped */
	RULE_REPORT, /* tells the log group, and goes on */
	RULE_NOTE,   /* puts the packet into a set for some seconds, and goes on */
	RULE_COUNT_KINDS,
};

enum rule_queue {
	RULE_QUEUE_NAMES, /* questions to resolvers and their answers */
	RULE_QUEUE_FLOWS, /* first packets whose program has to be looked up */
	RULE_QUEUE_COUNT,
};

struct rule {
	struct rule_match match;
	enum rule_verdict verdict;
	uint16_t chain;	     /* RULE_JUMP */
	uint8_t queue;	     /* RULE_HOLD: enum rule_queue */
	bool passes_unheard; /* RULE_HOLD: nobody listens: goes on. Only where nothing is enforced
			      */
	uint16_t set;	     /* RULE_NOTE, with side and seconds */
	uint8_t side;
	uint32_t seconds;
	char comment[RULE_COMMENT_SIZE]; /* the profile's entry, or why the rule is there; no
					    quotes, no backslashes, printable ASCII */
};

/* Chains with a hook are entered by packets, in the order of the values; others by jumps. */
enum rule_hook {
	HOOK_NONE,
	HOOK_HOLD_OUT,
	HOOK_OUT,
	HOOK_HOLD_IN,
	HOOK_IN,
	HOOK_FORWARD,
	HOOK_COUNT
};

/* What the report of a refused packet begins with tells which way it went (NFLOG's prefix). */
#define RULE_PREFIX_OUT	    "rtguard out"
#define RULE_PREFIX_IN	    "rtguard in"
#define RULE_PREFIX_FORWARD "rtguard forward"

struct rule_chain {
	char name[RULE_SET_NAME_SIZE]; /* "out", "hold-out", "refuse-in" */
	enum rule_hook hook;
	const char *report_prefix; /* of RULE_REPORT in it; static */
	struct rule *rules;
	size_t rule_count;
	size_t rule_capacity;
};

/* The name of a host that may be contacted, and what its addresses are put into. */
struct rule_name {
	enum profile_peer_kind kind; /* PEER_HOST, PEER_DOMAIN, PEER_PATTERN */
	char *name;
	uint16_t set;
	uint8_t protocol; /* sets with ports */
	uint16_t port;
};

struct rule_program {
	struct rule_set *sets;
	size_t set_count;
	size_t set_capacity;
	struct rule_chain *chains;
	size_t chain_count;
	size_t chain_capacity;
	struct rule_name *names; /* what becomes of answers */
	size_t name_count;
	size_t name_capacity;
	struct string_list questions; /* further names that may be asked for, without any contact */
	bool permits_unknown_names;   /* others may be asked for too, and open nothing */
	uint16_t first_queue;	      /* queue Q has the number first_queue + Q */
	uint16_t log_group;
};

struct rule_program *rule_program_new(void);
void rule_program_free(struct rule_program *program);
void rule_program_freep(struct rule_program **program);

/* Each adds one zeroed item; NULL when memory is out. The pointer is valid until the next add of
 * the same kind. New rules match both families and look nothing up. */
struct rule_set *rule_program_add_set(struct rule_program *program);
struct rule_chain *rule_program_add_chain(struct rule_program *program);
struct rule *rule_chain_add_rule(struct rule_chain *chain);
struct rule_name *rule_program_add_name(struct rule_program *program);

/* 0 or -ENOMEM. rule_set_sort() joins equal members (the longer timeout stays, 0 is the longest),
 * prefixes with those that they are in, and ports that follow each other: no two members of a set
 * overlap. Everybody who adds calls it at the end. */
int rule_set_add(struct rule_set *set, const struct rule_member *member);
void rule_set_sort(struct rule_set *set);

uint16_t rule_program_find_set(const struct rule_program *program, const char *name);
uint16_t rule_program_find_chain(const struct rule_program *program, const char *name);

/* Puts the names in order, each once, and the questions: everybody who adds calls it at the end,
 * and the next two rely on it. */
void rule_program_sort_names(struct rule_program *program);

/* Whether a name may be asked for: some entry covers it, or it is among the questions. */
bool rule_program_permits_name(const struct rule_program *program, const char *name);

/* Calls back for each set that the address of a name belongs in, with the member it becomes there
 * (timeout 0). One name may belong to several. An address that is not public belongs in none: names
 * stand for hosts of the Internet alone. */
typedef void (*rule_member_fn)(void *context, uint16_t set, const struct rule_member *member);
void rule_program_members(const struct rule_program *program, const char *name,
			  const struct ip_address *address, rule_member_fn each, void *context);

#endif
