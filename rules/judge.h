/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include "rules/program.h"

/*
 * What a rule program does with a packet, without a kernel: for recordings (replay, compile
 * --verify), for connections that are older than the program, and for tests. It works through the
 * rules one by one as a backend's kernel part does. In a chain without a hook RULE_PERMIT goes back
 * to the chain before, as in iptables; nftables would end there. Compiled programs permit in such a
 * chain with its last rule only, so that both come to the same.
 */
struct rule_packet {
	enum rule_hook hook; /* HOOK_OUT, HOOK_IN or HOOK_FORWARD; the hold stage comes before it */
	struct ip_address local;
	struct ip_address remote;
	uint8_t protocol;
	uint8_t icmp_type;
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t hop_limit;
	bool loopback;
	bool opens;	     /* TCP SYN */
	unsigned int state;  /* one of enum rule_state */
	unsigned int places; /* enum rule_place */
	bool has_user;
	uint32_t user;
};

struct rule_outcome {
	enum rule_verdict verdict;  /* RULE_PERMIT, RULE_DROP or RULE_REJECT */
	bool reported;		    /* a RULE_REPORT told of it */
	const struct rule *rule;    /* that decided; NULL: the end of a chain with a hook, which
				       permits */
	const struct rule *held_by; /* the hold rule on the way, NULL: none; taken as released */
};

struct rule_judge;

/* Borrows the program. Sets begin with the program's own members; their timeouts run from the first
 * time that the judge is told. Rates never run out. 0 or -ENOMEM. */
int rule_judge_new(const struct rule_program *program, struct rule_judge **ret_judge);
void rule_judge_free(struct rule_judge *judge);

/* Puts a member into a set until now_ns + its timeout. 0 or -ENOMEM. */
int rule_judge_add(struct rule_judge *judge, uint16_t set, const struct rule_member *member,
		   uint64_t now_ns);

struct rule_outcome rule_judge_packet(struct rule_judge *judge, const struct rule_packet *packet,
				      uint64_t now_ns);

#endif
