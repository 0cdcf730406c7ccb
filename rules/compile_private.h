/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_COMPILE_PRIVATE_H
#define RULES_COMPILE_PRIVATE_H

#include "rules/compile.h"

/*
 * Within rules/ only: what the parts of the compiler share. The first that runs out of memory says
 * so in `failure`; what is built from then on goes nowhere, and rules_compile() looks once at the
 * end.
 */

struct program_users;
struct entry_class;

struct compiler {
	const struct profile *profile;
	const struct profile_network *network; /* of this host */
	const struct rules_options *options;
	const struct rules_surroundings *surroundings; /* never NULL */
	struct rule_program *program;
	struct program_users *users; /* BIND_USER */
	int failure;		     /* 0 or negative errno */
	struct rule spare_rule;	     /* handed out where memory is out */
	struct rule_set spare_set;

	/* indexes of chains */
	uint16_t chains[HOOK_COUNT];
	uint16_t refuse_out;
	uint16_t refuse_in;
	uint16_t refuse_forward;

	/* indexes of sets, RULE_NONE until somebody needs them */
	uint16_t lan;
	uint16_t special;
	uint16_t link; /* of IPv6: what is of this link, and groups */
	uint16_t resolvers;
	uint16_t gateways;
	uint16_t dhcp_servers;
	uint16_t tcp_high; /* ports from 1024 on without those of services */
	uint16_t asked;
	uint16_t asking;
	bool knows_dhcp_servers; /* elsewhere than on the local network */

	struct entry_class *classes; /* of connections, in the order of the rules */
	size_t class_count;
	size_t class_capacity;
};

/* ---- rules and sets (compile_parts.c) ---- */

/* comment: as printf(); what a backend cannot quote becomes '?', what is too long is cut. Valid
 * until the next rule of the same chain. */
struct rule *compile_rule(struct compiler *compiler, uint16_t chain, enum rule_verdict verdict,
			  const char *comment, ...) __attribute__((format(printf, 4, 5)));

/* The same match again with another verdict. */
struct rule *compile_rule_like(struct compiler *compiler, uint16_t chain,
			       const struct rule_match *match, enum rule_verdict verdict,
			       const char *comment, ...) __attribute__((format(printf, 5, 6)));

/* name: as printf(). Returns its index. */
uint16_t compile_set(struct compiler *compiler, enum rule_set_kind kind, bool has_timeouts,
		     const char *name, ...) __attribute__((format(printf, 4, 5)));
void compile_member(struct compiler *compiler, uint16_t set, const struct rule_member *member);
void compile_prefix(struct compiler *compiler, uint16_t set, const struct ip_address *address,
		    unsigned int length, uint8_t protocol, uint16_t port);
void compile_ports(struct compiler *compiler, uint16_t set, uint16_t first, uint16_t last);

extern const struct rule_match match_all; /* to begin with */

/* Adds a look-up to a match; false where there is no room for it. */
bool match_lookup(struct rule_match *match, uint16_t set, enum rule_side side, bool absent);
void match_protocol(struct rule_match *match, uint8_t protocol);
void match_remote_ports(struct rule_match *match, uint16_t first, uint16_t last);
void match_local_ports(struct rule_match *match, uint16_t first, uint16_t last);
void match_icmp_type(struct rule_match *match, uint8_t protocol, uint8_t type);

/* ---- the sets that several parts use, made when they are asked for (compile_sets.c) ---- */

uint16_t set_lan(struct compiler *compiler);
uint16_t set_special(struct compiler *compiler);
uint16_t set_link(struct compiler *compiler);
uint16_t set_resolvers(struct compiler *compiler);
uint16_t set_gateways(struct compiler *compiler);
uint16_t set_dhcp_servers(struct compiler *compiler);
uint16_t set_tcp_high(struct compiler *compiler);
uint16_t set_asked(struct compiler *compiler);
uint16_t set_asking(struct compiler *compiler);

/* ---- who may open what the profile permits a program to open (compile_users.c) ---- */

/* 0 or -ENOMEM. */
int program_users_new(const struct profile *profile, const struct rules_options *options,
		      struct program_users **ret_users);
void program_users_free(struct program_users *users);

/* Whether the sockets of a user are this program's alone. */
bool program_user(const struct program_users *users, const char *program, uint32_t *ret_user);

/* ---- connections (compile_classes.c, compile_draw.c, compile_match.c) ---- */

/* Where the peers of a class are, in the order of their rules: up to the broadcast role they may be
 * broadcast addresses, from the names on they are not. */
enum class_peers {
	CLASS_ADDRESSES,
	CLASS_LAN,
	CLASS_MULTICAST,
	CLASS_BROADCAST,
	CLASS_NAMES,
	CLASS_RESOLVER,
	CLASS_GATEWAY,
	CLASS_DHCP_SERVER,
	CLASS_INTERNET,
};

enum class_owner {
	OWNER_ANY,  /* whoever opens it */
	OWNER_USER, /* sockets of one user */
	OWNER_HELD, /* the gate looks */
};

/* Entries of one key are one rule. */
struct class_key {
	uint8_t peers; /* enum class_peers */
	uint8_t owner; /* enum class_owner */
	uint8_t has_protocol;
	uint8_t protocol;
	uint8_t plain; /* ports are numbers: in the set, or in one of ports */
	uint8_t port_kind;
	uint8_t icmp_type;
	uint16_t local_port; /* 0: any */
	uint32_t user;
};

struct drawn_entry {
	struct class_key key;
	const struct profile_connection *entry;
	uint16_t port;
	bool open; /* somebody else's entry permits it to everybody */
};

struct drawn_entries {
	struct drawn_entry *items;
	size_t count;
	size_t capacity;
};

struct entry_class {
	struct class_key key;
	const struct profile_connection *only; /* its entry where it has one; else NULL */
	size_t entry_count;
	uint16_t set;	     /* addresses and names: the peers; else RULE_NONE */
	uint16_t ports;	     /* plain ports of roles: the set, or RULE_NONE and: */
	uint16_t first_port; /* the only range */
	uint16_t last_port;
	bool may_be_group;		    /* of addresses: one of them is not a host's */
	char label[RULE_COMMENT_SIZE + 32]; /* for comments, which are cut */
};

bool class_keys_equal(const struct class_key *a, const struct class_key *b);

/* Every entry under its key, sorted; what somebody may open anyway is left out of what is for one
 * program. 0 or -ENOMEM. */
int draw_entries(struct compiler *compiler, struct drawn_entries *ret_drawn);

/* Makes the classes and their sets. -ENOMEM, -E2BIG. */
int compile_classes(struct compiler *compiler, struct error *error);

/* Calls back with each match by which packets of the class are known: there is more than one where
 * a role is played in several ways. */
typedef void (*class_match_fn)(struct compiler *compiler, const struct entry_class *class,
			       const struct rule_match *match);
void class_each_match(struct compiler *compiler, const struct entry_class *class,
		      class_match_fn each);

/* ---- chains ---- */

void compile_out(struct compiler *compiler);	/* compile_out.c */
void compile_in(struct compiler *compiler);	/* compile_in.c */
void compile_hold(struct compiler *compiler);	/* compile_hold.c */
void compile_refuse(struct compiler *compiler); /* compile_refuse.c */

/* Established connections, errors that belong to one, the loopback interface: the beginning of both
 * ways. */
void compile_begin(struct compiler *compiler, uint16_t chain);

/* By others than this host. */
bool listener_is_reached(const struct profile_listener *listener); /* compile_in.c */

/* What matches is refused, here and now. NULL: everything, and that is the chain's end. */
void compile_refusal(struct compiler *compiler, uint16_t chain, const struct rule_match *match,
		     const char *comment);

/* The same, and nobody is told. */
void compile_quiet(struct compiler *compiler, uint16_t chain, const struct rule_match *match,
		   const char *comment);

#define NOTE_SECONDS 10 /* how long an answer is waited for; observe/observation.h, asked_port */

#endif
