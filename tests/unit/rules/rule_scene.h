/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_RULE_SCENE_H
#define TESTS_RULE_SCENE_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/peer_place.h"
#include "profiles/profile_json.h"
#include "rules/compile.h"
#include "rules/judge.h"

#define SECONDS(number) ((number)*UINT64_C(1000000000))

/* A profile, its rules and who judges by them. To be included after cmocka. */
struct scene {
	struct profile *profile;
	struct rule_program *program;
	struct rule_judge *judge;
};

/* What goes over the wire, in short. From 10.0.0.9 or fd00::9. */
struct wire {
	const char *remote;
	uint8_t protocol;
	uint16_t port;	     /* or type */
	uint16_t local_port; /* 0: 40000 */
	const char *local;
	unsigned int state;  /* 0: new */
	unsigned int places; /* 0: by the destination */
	bool in;
	bool loopback;
	bool opens;
	uint8_t hops;  /* 0: 64 */
	uint32_t user; /* 0: nobody's */
};

static inline struct ip_address address_of(const char *text)
{
	struct ip_address address;

	if (ip_parse(text, &address) < 0)
		fail_msg("%s is no address", text);
	return address;
}

static inline struct profile *profile_of(const char *policy, const char *evidence)
{
	struct error error = {0};
	struct profile *profile;
	char text[16384];

	snprintf(text, sizeof(text),
		 "{\"format\": \"rtguard-profile/1\", \"device\": {}, \"policy\": {%s}, "
		 "\"evidence\": %s}",
		 policy, evidence ? evidence : "null");
	if (profile_parse("policy", text, strlen(text), &profile, &error) < 0)
		fail_msg("%s: %s", policy, error.message);
	return profile;
}

/* A file of tests/golden/rules. */
static inline struct profile *golden_profile(const char *name)
{
	const char *place = getenv("RTGUARD_GOLDEN");
	struct error error = {0};
	struct profile *profile;
	char path[4096];

	assert_non_null(place);
	snprintf(path, sizeof(path), "%s/rules/%s.json", place, name);
	if (profile_load(path, &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

static inline void scene_rules(struct scene *scene, const struct rules_options *options,
			       const struct rules_surroundings *surroundings)
{
	struct error error = {0};

	if (rules_compile(scene->profile, options, surroundings, &scene->program, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(rule_judge_new(scene->program, &scene->judge), 0);
}

static inline struct scene scene_of(const char *policy, const char *evidence,
				    const struct rules_options *options)
{
	struct scene scene = {.profile = profile_of(policy, evidence)};

	scene_rules(&scene, options, NULL);
	return scene;
}

/* The device with something of everything. */
static inline struct scene device_scene(const struct rules_options *options)
{
	struct scene scene = {.profile = golden_profile("device")};

	scene_rules(&scene, options, NULL);
	return scene;
}

static inline void scene_end(struct scene *scene)
{
	rule_judge_free(scene->judge);
	rule_program_free(scene->program);
	profile_free(scene->profile);
}

struct answered {
	struct rule_judge *judge;
	uint32_t timeout_s;
	uint64_t now_ns;
	int count;
};

static inline void scene_add(void *context, uint16_t set, const struct rule_member *member)
{
	struct answered *answered = context;
	struct rule_member given = *member;

	given.timeout_s = answered->timeout_s;
	assert_int_equal(rule_judge_add(answered->judge, set, &given, answered->now_ns), 0);
	answered->count++;
}

/* As the gate does with an answer. In how many sets it is. */
static inline int scene_answer(struct scene *scene, const char *name,
			       const struct ip_address *address, uint32_t timeout_s,
			       uint64_t now_ns)
{
	struct answered answered = {
		.judge = scene->judge, .timeout_s = timeout_s, .now_ns = now_ns};

	rule_program_members(scene->program, name, address, scene_add, &answered);
	return answered.count;
}

static inline struct rule_packet packet_of(const struct wire *wire)
{
	bool has_type = protocol_has_types(wire->protocol);
	struct rule_packet packet = {
		.hook = wire->in ? HOOK_IN : HOOK_OUT,
		.remote = address_of(wire->remote),
		.protocol = wire->protocol,
		.icmp_type = has_type ? (uint8_t)wire->port : 0,
		.remote_port = has_type ? 0 : wire->port,
		.local_port = has_type		 ? 0
			      : wire->local_port ? wire->local_port
						 : 40000,
		.hop_limit = wire->hops ? wire->hops : 64,
		.loopback = wire->loopback,
		.opens = wire->opens,
		.state = wire->state ? wire->state : STATE_NEW,
		.has_user = wire->user != 0,
		.user = wire->user,
	};
	enum profile_role place;

	packet.local = address_of(wire->local		      ? wire->local
				  : packet.remote.family == 4 ? "10.0.0.9"
							      : "fd00::9");
	place = peer_place(wire->in ? &packet.local : &packet.remote, false);
	packet.places = wire->places		  ? wire->places
			: place == ROLE_MULTICAST ? PLACE_MULTICAST
			: place == ROLE_BROADCAST ? PLACE_BROADCAST
						  : 0u;
	return packet;
}

static inline struct rule_outcome scene_judge(struct scene *scene, const struct wire *wire,
					      uint64_t now_ns)
{
	struct rule_packet packet = packet_of(wire);

	return rule_judge_packet(scene->judge, &packet, now_ns);
}

/* ---- tables of packets ---- */

struct judged {
	struct wire wire;
	bool permitted;
};

#define YES(...)                                                                                   \
	{                                                                                          \
		{__VA_ARGS__}, true                                                                \
	}
#define NO(...)                                                                                    \
	{                                                                                          \
		{__VA_ARGS__}, false                                                               \
	}
#define TO(address, number, at) .remote = address, .protocol = number, .port = at
#define FROM(address, number, at)                                                                  \
	.in = true, .remote = address, .protocol = number, .local_port = at

static inline void judge_all(struct scene *scene, const struct judged *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct rule_outcome outcome = scene_judge(scene, &cases[i].wire, SECONDS(1));

		if ((outcome.verdict == RULE_PERMIT) != cases[i].permitted)
			fail_msg("case %zu, %s: %s", i, cases[i].wire.remote,
				 outcome.rule ? outcome.rule->comment : "");
	}
}

static inline bool permits(struct scene *scene, const struct wire *wire, uint64_t now_ns)
{
	return scene_judge(scene, wire, now_ns).verdict == RULE_PERMIT;
}

#endif
