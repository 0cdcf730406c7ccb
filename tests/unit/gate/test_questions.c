/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "gate/questions.h"

#define NOW_NS (UINT64_C(1000) * 1000000000)

static struct held question_of(const char *name)
{
	struct held held = {.kind = HELD_QUESTION, .dns_id = 0x1234, .question_type = 1};

	held.flow.protocol = IPPROTO_UDP;
	held.flow.local_port = 40000;
	held.flow.remote_port = 53;
	assert_int_equal(ip_parse("192.168.1.20", &held.flow.local), 0);
	assert_int_equal(ip_parse("192.168.1.1", &held.flow.remote), 0);
	(void)snprintf(held.flow.name, sizeof(held.flow.name), "%s", name);
	return held;
}

static struct held answer_to(const struct held *question)
{
	struct held answer = *question;

	answer.kind = HELD_ANSWER;
	answer.way = HELD_IN;
	answer.packet = 77;
	answer.address_count = 1;
	return answer;
}

static void answers_to_what_was_asked_only(void **state)
{
	struct held question = question_of("api.example.com");
	struct held answer = answer_to(&question);
	struct questions *questions;

	(void)state;
	assert_int_equal(questions_new(&questions), 0);
	assert_false(questions_answered(questions, &answer, NOW_NS));
	assert_int_equal(questions_note(questions, &question, NOW_NS), 0);
	assert_true(questions_answered(questions, &answer, NOW_NS));
	/* resolvers repeat themselves */
	assert_true(questions_answered(questions, &answer, NOW_NS + 1));
	questions_free(questions);
}

static void forge_id(struct held *answer)
{
	answer->dns_id++;
}

static void forge_type(struct held *answer)
{
	answer->question_type = 28;
}

static void forge_name(struct held *answer)
{
	answer->flow.name[0] = 'b';
}

static void forge_longer_name(struct held *answer)
{
	strcat(answer->flow.name, "m");
}

static void forge_local_port(struct held *answer)
{
	answer->flow.local_port++;
}

static void forge_remote_port(struct held *answer)
{
	answer->flow.remote_port = 5353;
}

static void forge_resolver(struct held *answer)
{
	answer->flow.remote.bytes[3]++;
}

static void forge_family(struct held *answer)
{
	answer->flow.remote.family = 6;
}

static void forge_asker(struct held *answer)
{
	answer->flow.local.bytes[3]++;
}

static void forge_protocol(struct held *answer)
{
	answer->flow.protocol = IPPROTO_TCP;
}

static void swap_ends(struct held *answer)
{
	struct ip_address local = answer->flow.local;

	answer->flow.local = answer->flow.remote;
	answer->flow.remote = local;
}

static void what_differs_in_anything_is_forged(void **state)
{
	static void (*const forgeries[])(struct held *) = {
		forge_id,	   forge_type,	   forge_name,	 forge_longer_name,
		forge_local_port,  forge_resolver, forge_family, forge_asker,
		forge_remote_port, forge_protocol, swap_ends,
	};
	struct held question = question_of("api.example.com");
	struct questions *questions;

	(void)state;
	assert_int_equal(questions_new(&questions), 0);
	assert_int_equal(questions_note(questions, &question, NOW_NS), 0);
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		struct held answer = answer_to(&question);

		forgeries[i](&answer);
		if (questions_answered(questions, &answer, NOW_NS))
			fail_msg("forgery %zu was taken", i);
	}
	questions_free(questions);
}

static void another_name_is_another_question(void **state)
{
	struct held first = question_of("a.example.com");
	struct held second = question_of("b.example.com");
	struct held answer;
	struct questions *questions;

	(void)state;
	assert_int_equal(questions_new(&questions), 0);
	assert_int_equal(questions_note(questions, &first, NOW_NS), 0);
	assert_int_equal(questions_note(questions, &second, NOW_NS), 0);
	answer = answer_to(&first);
	assert_true(questions_answered(questions, &answer, NOW_NS));
	answer = answer_to(&second);
	assert_true(questions_answered(questions, &answer, NOW_NS));
	questions_free(questions);
}

static void a_life_ends_and_a_repeated_question_renews_it(void **state)
{
	struct held question = question_of("a.example.com");
	struct held answer = answer_to(&question);
	struct questions *questions;

	(void)state;
	assert_int_equal(questions_new(&questions), 0);
	assert_int_equal(questions_note(questions, &question, NOW_NS), 0);
	assert_true(questions_answered(questions, &answer, NOW_NS + QUESTION_LIFE_NS - 1));
	/* answers do not renew it */
	assert_false(questions_answered(questions, &answer, NOW_NS + QUESTION_LIFE_NS));
	assert_int_equal(questions_note(questions, &question, NOW_NS), 0);
	assert_int_equal(questions_note(questions, &question, NOW_NS + QUESTION_LIFE_NS / 2), 0);
	assert_true(questions_answered(questions, &answer, NOW_NS + QUESTION_LIFE_NS));
	questions_free(questions);
}

static void the_oldest_makes_room(void **state)
{
	struct held first = question_of("first.example.com");
	struct held answer = answer_to(&first);
	struct questions *questions;

	(void)state;
	assert_int_equal(questions_new(&questions), 0);
	assert_int_equal(questions_note(questions, &first, NOW_NS), 0);
	for (int i = 0; i < QUESTIONS_LIMIT - 1; i++) {
		struct held question = question_of("other.example.com");

		question.dns_id = (uint16_t)i;
		assert_int_equal(questions_note(questions, &question, NOW_NS), 0);
	}
	/* being answered makes it no younger */
	assert_true(questions_answered(questions, &answer, NOW_NS));
	first.dns_id++;
	assert_int_equal(questions_note(questions, &first, NOW_NS), 0);
	assert_false(questions_answered(questions, &answer, NOW_NS));
	answer.dns_id++;
	assert_true(questions_answered(questions, &answer, NOW_NS));
	questions_free(questions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_to_what_was_asked_only),
		cmocka_unit_test(what_differs_in_anything_is_forged),
		cmocka_unit_test(another_name_is_another_question),
		cmocka_unit_test(a_life_ends_and_a_repeated_question_renews_it),
		cmocka_unit_test(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
