/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate_scene.h"
#include "privilege/channel.h"
#include "profiles/profile_json.h"

/* ---- a backend and a queue that only take notes ---- */

/* The types that both are called with have no room for a context. */
static struct scene *scene_now;

struct backend {
	char unused;
};

static struct scene_call *note(enum scene_call_kind kind)
{
	struct scene_call *call;

	assert_in_range(scene_now->call_count, 0, SCENE_CALLS - 1);
	call = &scene_now->calls[scene_now->call_count++];
	call->kind = kind;
	return call;
}

static void note_member(uint16_t set, const struct rule_member *member)
{
	struct scene_call *call = note(CALL_ADD);

	call->set = set;
	call->member = *member;
}

static int fake_apply(struct backend *backend, const struct rule_program *program,
		      struct error *error)
{
	(void)backend;
	(void)note(CALL_APPLY);
	if (scene_now->apply_result < 0)
		return error_set(error, -scene_now->apply_result, "the kernel says no");
	for (size_t i = 0; i < program->set_count; i++) {
		const struct rule_set *set = &program->sets[i];

		for (size_t j = 0; set->has_timeouts && j < set->member_count; j++)
			note_member((uint16_t)i, &set->members[j]);
	}
	return 0;
}

static int fake_add(struct backend *backend, uint16_t set, const struct rule_member *members,
		    size_t count, struct error *error)
{
	int result = scene_now->add_result;

	(void)backend;
	if (result < 0) {
		/* what is gone is there again once it was applied */
		if (result == -ENOENT)
			scene_now->add_result = 0;
		return error_set(error, -result, "the set says no");
	}
	for (size_t i = 0; i < count; i++)
		note_member(set, &members[i]);
	return 0;
}

static int fake_check(struct backend *backend, struct error *error)
{
	(void)backend;
	if (scene_now->check_result < 0)
		return error_set(error, -scene_now->check_result, "a chain is gone");
	return 0;
}

static int fake_counts(struct backend *backend, struct backend_counts *ret_counts,
		       struct error *error)
{
	(void)backend;
	(void)error;
	*ret_counts = (struct backend_counts){.refused_out = 1, .refused_in = 2};
	return 0;
}

static int fake_clear(struct error *error)
{
	(void)error;
	(void)note(CALL_CLEAR);
	return 0;
}

static void fake_close(struct backend *backend)
{
	(void)backend;
}

static uint32_t fake_release_mark(const struct backend *backend)
{
	(void)backend;
	return scene_now->release_mark;
}

static const struct backend_type fake_backend = {
	.name = "fake",
	.close = fake_close,
	.apply = fake_apply,
	.add = fake_add,
	.counts = fake_counts,
	.check = fake_check,
	.clear = fake_clear,
	.release_mark = fake_release_mark,
};

static int fake_answer(int fd, uint16_t queue_number, uint32_t packet, enum queue_verdict verdict,
		       const uint32_t *mark, const void *replacement, size_t replacement_size)
{
	struct scene_call *call = note(CALL_ANSWER);

	(void)fd;
	(void)replacement;
	assert_in_range(queue_number, scene_now->config.rules.first_queue,
			scene_now->config.rules.first_queue + RULE_QUEUE_COUNT - 1);
	call->packet = packet;
	call->verdict = verdict;
	call->has_mark = mark != NULL;
	call->mark = mark ? *mark : 0;
	call->replacement_size = replacement_size;
	return 0;
}

static int fake_owner(struct flow_owner *owner, const struct observed_flow *flow,
		      struct flow_program *ret_program)
{
	(void)owner;
	(void)flow;
	scene_now->owner_searches++;
	*ret_program = (struct flow_program){.user = UINT32_MAX};
	if (!scene_now->owner)
		return 0;
	ret_program->program = strdup(scene_now->owner);
	ret_program->pid = 4711;
	ret_program->user = 1000;
	return 0;
}

/* ---- the scene ---- */

static void add_set(struct rule_program *program, const char *name, unsigned int families)
{
	struct rule_set *set = rule_program_add_set(program);

	assert_non_null(set);
	(void)snprintf(set->name, sizeof(set->name), "%s", name);
	set->kind = SET_ADDRESS_PORT;
	set->families = families;
	set->has_timeouts = true;
}

static void add_name(struct rule_program *program, enum profile_peer_kind kind, const char *name,
		     uint16_t set, uint8_t protocol, uint16_t port)
{
	struct rule_name *entry = rule_program_add_name(program);

	assert_non_null(entry);
	*entry = (struct rule_name){
		.kind = kind, .name = strdup(name), .set = set, .protocol = protocol, .port = port};
}

static struct rule_program *make_program(const struct rules_options *options)
{
	struct rule_program *program = rule_program_new();

	assert_non_null(program);
	add_set(program, "names", RULE_BOTH_FAMILIES);
	add_set(program, "clocks", RULE_IPV4);
	add_name(program, PEER_HOST, "api.example.com", 0, IPPROTO_TCP, 443);
	add_name(program, PEER_DOMAIN, "example.net", 0, IPPROTO_TCP, 8883);
	add_name(program, PEER_HOST, "pool.ntp.example", 1, IPPROTO_UDP, 123);
	assert_int_equal(string_list_add(&program->questions, "only.example.org"), 0);
	rule_program_sort_names(program);
	program->first_queue = options->first_queue;
	program->log_group = options->log_group;
	return program;
}

static struct profile *make_profile(void)
{
	static const char text[] =
		"{\"format\": \"rtguard-profile/1\", \"device\": {}, \"policy\": {\"connections\": "
		"["
		"{\"protocol\": \"tcp\", \"peer\": {\"host\": \"api.example.com\"}, \"port\": 443, "
		"\"program\": \"/usr/bin/app\"}, "
		"{\"protocol\": \"tcp\", \"peer\": {\"domain\": \"example.net\"}, \"port\": 8883}, "
		"{\"protocol\": \"udp\", \"peer\": {\"role\": \"internet\"}, \"port\": \"same\", "
		"\"program\": \"/usr/bin/peers\"}, "
		"{\"protocol\": \"udp\", \"peer\": {\"host\": \"pool.ntp.example\"}, "
		"\"port\": 123}]}, \"evidence\": {\"addresses\": {"
		"\"api.example.com\": [\"203.0.113.10\"], \"nas.example.com\": "
		"[\"192.168.1.9\"]}}}";
	struct error error = {0};
	struct profile *profile;

	if (profile_parse("profile", text, strlen(text), &profile, &error) < 0)
		fail_msg("%s", error.message);
	return profile;
}

int scene_setup(void **state)
{
	static struct backend backend;
	struct scene *scene = calloc(1, sizeof(*scene));
	struct gate *gate = &scene->gate;
	int ends[2];

	assert_non_null(scene);
	scene_now = scene;
	assert_int_equal(channel_pair(ends), 0);
	scene->supervisor = ends[0];
	scene->config = (struct gate_config){
		.rules = RULES_OPTIONS_DEFAULT,
		.names = NAME_TIMES_DEFAULT,
		.channel = ends[1],
	};
	assert_int_equal(gate_prepare(gate, &scene->config), 0);
	gate->kernel.backend = &fake_backend;
	gate->kernel.answer = fake_answer;
	gate->kernel.find_owner = fake_owner;
	gate->backend = &backend;
	gate->queues = dup(ends[1]); /* not asked anything */
	gate->profile = make_profile();
	gate->program = make_program(&scene->config.rules);
	assert_int_equal(verdict_new(gate->profile, &gate->profile->network, &gate->verdict), 0);
	assert_int_equal(string_list_add(&gate->local_names, "nas.example.com"), 0);
	*state = scene;
	return 0;
}

int scene_teardown(void **state)
{
	struct scene *scene = *state;

	gate_release_all(&scene->gate);
	(void)close(scene->supervisor);
	(void)close(scene->config.channel);
	free(scene);
	return 0;
}

/* ---- records ---- */

static struct ip_address address_of(const char *text)
{
	struct ip_address address;

	if (ip_parse(text, &address) < 0)
		fail_msg("%s is no address", text);
	return address;
}

struct held scene_question(struct scene *scene, const char *name, uint16_t id)
{
	struct held held = {
		.kind = HELD_QUESTION,
		.packet = ++scene->next_packet,
		.queue = RULE_QUEUE_NAMES,
		.way = HELD_OUT,
		.dns_id = id,
		.question_type = 1,
	};

	held.flow.local = address_of("10.0.0.2");
	held.flow.remote = address_of("10.0.0.53");
	held.flow.protocol = IPPROTO_UDP;
	held.flow.local_port = 40000;
	held.flow.remote_port = 53;
	(void)snprintf(held.flow.name, sizeof(held.flow.name), "%s", name);
	(void)snprintf(held.asked, sizeof(held.asked), "%s", name);
	assert_true(held_is_valid(&held));
	return held;
}

struct held scene_answer(struct scene *scene, const char *name, uint16_t id,
			 const char *const *addresses)
{
	struct held held = scene_question(scene, name, id);

	held.kind = HELD_ANSWER;
	held.way = HELD_IN;
	for (; addresses && *addresses; addresses++)
		held.addresses[held.address_count++] =
			(struct dns_address){.address = address_of(*addresses), .ttl_s = 300};
	assert_true(held_is_valid(&held));
	return held;
}

struct held scene_flow(struct scene *scene, const char *remote, uint8_t protocol, uint16_t port)
{
	struct held held = {
		.kind = HELD_FLOW,
		.packet = ++scene->next_packet,
		.queue = RULE_QUEUE_FLOWS,
		.way = HELD_OUT,
	};

	held.flow.local = address_of("10.0.0.2");
	held.flow.remote = address_of(remote);
	held.flow.protocol = protocol;
	held.flow.local_port = 41000;
	held.flow.remote_port = port;
	assert_true(held_is_valid(&held));
	return held;
}

/* ---- what came of it ---- */

bool scene_has_verdict(const struct scene *scene, uint32_t packet)
{
	for (size_t i = 0; i < scene->call_count; i++)
		if (scene->calls[i].kind == CALL_ANSWER && scene->calls[i].packet == packet)
			return true;
	return false;
}

const struct scene_call *scene_verdict(const struct scene *scene, uint32_t packet)
{
	const struct scene_call *found = NULL;

	for (size_t i = 0; i < scene->call_count; i++) {
		if (scene->calls[i].kind != CALL_ANSWER || scene->calls[i].packet != packet)
			continue;
		assert_null(found);
		found = &scene->calls[i];
	}
	assert_non_null(found);
	return found;
}

size_t scene_added(const struct scene *scene, uint16_t set, const char *address,
		   uint32_t before_packet)
{
	struct ip_address wanted = address_of(address);
	size_t count = 0;

	for (size_t i = 0; i < scene->call_count; i++) {
		const struct scene_call *call = &scene->calls[i];

		if (before_packet && call->kind == CALL_ANSWER && call->packet == before_packet)
			break;
		if (call->kind == CALL_ADD && call->set == set &&
		    ip_equal(&call->member.address, &wanted))
			count++;
	}
	return count;
}

size_t scene_calls(const struct scene *scene, enum scene_call_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < scene->call_count; i++)
		count += scene->calls[i].kind == kind;
	return count;
}

bool scene_word(struct scene *scene, enum gate_word_kind kind, struct gate_word *ret_word)
{
	while (channel_receive(scene->supervisor, ret_word, sizeof(*ret_word), 1, false, NULL) == 1)
		if (ret_word->kind == kind)
			return true;
	return false;
}
