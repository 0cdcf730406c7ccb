/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/clock.h"
#include "gate/gate_private.h"

/* The kernel keeps one time for each member, and the last that is said counts. Two names at one
 * address are one member: the shorter time of one must not cut the other's. */

/* No padding: it is hashed as bytes. */
struct member_key {
	uint16_t set;
	uint16_t port;
	uint8_t protocol;
	struct ip_address address;
} __attribute__((packed));

static struct member_key key_of(uint16_t set, const struct rule_member *member)
{
	return (struct member_key){
		.set = set,
		.port = member->port,
		.protocol = member->protocol,
		.address = member->address,
	};
}

int gate_deadlines_init(struct gate *gate)
{
	return map_new(&gate->deadlines, NAME_ADDRESSES_LIMIT, sizeof(uint64_t), NULL, NULL);
}

void gate_deadlines_stretch(struct gate *gate, uint16_t set, struct rule_member *member)
{
	const struct member_key key = key_of(set, member);
	uint64_t now_ns = clock_boottime_ns();
	uint64_t *deadline_ns = map_add(gate->deadlines, &key, sizeof(key));
	uint64_t wanted_ns = now_ns + member->timeout_s * NS_PER_S;

	if (!deadline_ns)
		return;
	if (*deadline_ns > wanted_ns)
		member->timeout_s = (uint32_t)((*deadline_ns - now_ns + NS_PER_S - 1) / NS_PER_S);
	else
		*deadline_ns = wanted_ns;
}

void gate_deadlines_begin(struct gate *gate)
{
	map_clear(gate->deadlines);
	for (size_t i = 0; i < gate->program->set_count; i++) {
		const struct rule_set *set = &gate->program->sets[i];

		for (size_t j = 0; j < set->member_count; j++) {
			struct rule_member member = set->members[j];

			if (member.timeout_s)
				gate_deadlines_stretch(gate, (uint16_t)i, &member);
		}
	}
}
