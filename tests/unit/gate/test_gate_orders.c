/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "gate/gate_orders.h"
#include "gate_scene.h"
#include "privilege/channel.h"

/* Another profile than the scene's. */
static const char profile_text[] =
	"{\"format\": \"rtguard-profile/1\", \"device\": {}, \"policy\": {\"connections\": ["
	"{\"protocol\": \"tcp\", \"peer\": {\"host\": \"new.example.com\"}, \"port\": 443}]}, "
	"\"evidence\": {\"addresses\": {\"new.example.com\": [\"203.0.113.77\", \"10.9.9.9\"]}}}";

static int memory_file(const char *text, int seals)
{
	int fd = memfd_create("profile", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (seals)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void give_order(struct scene *scene, enum gate_order_kind kind, bool report_only, int fd)
{
	const struct gate_order order = {.kind = kind, .report_only = report_only};

	assert_int_equal(channel_send(scene->supervisor, &order, sizeof(order), 1, fd), 0);
	gate_take_order(&scene->gate);
	if (fd >= 0)
		(void)close(fd);
}

static void apply_text(struct scene *scene, const char *text, bool report_only)
{
	give_order(scene, GATE_APPLY, report_only,
		   memory_file(text, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

static void assert_applied(struct scene *scene, int result, const char *part)
{
	struct gate_word word;

	assert_true(scene_word(scene, GATE_APPLIED, &word));
	if (word.result != result)
		fail_msg("%d: %s", word.result, word.text);
	assert_non_null(strstr(word.text, part));
}

static bool permits(const struct scene *scene, const char *name)
{
	return rule_program_permits_name(scene->gate.program, name);
}

static bool added(const struct scene *scene, const char *address)
{
	for (uint16_t set = 0; set < scene->gate.program->set_count; set++)
		if (scene_added(scene, set, address, 0))
			return true;
	return false;
}

static void a_profile_gets_into_force(void **state)
{
	struct scene *scene = *state;

	apply_text(scene, profile_text, false);
	assert_applied(scene, 0, "");
	assert_true(permits(scene, "new.example.com"));
	assert_false(permits(scene, "api.example.com"));
	assert_int_equal(scene_calls(scene, CALL_APPLY), 1);
	/* with the addresses it had while learning; the local one is by other entries */
	assert_true(added(scene, "203.0.113.77"));
	assert_false(added(scene, "10.9.9.9"));
	assert_true(gate_name_is_local(&scene->gate, "new.example.com"));
	assert_false(gate_name_is_local(&scene->gate, "nas.example.com"));
}

static void refused_the_one_before_stays(void **state)
{
	struct scene *scene = *state;

	scene->apply_result = -EOPNOTSUPP;
	apply_text(scene, profile_text, false);
	assert_applied(scene, -EOPNOTSUPP, "the kernel says no");
	assert_true(permits(scene, "api.example.com"));
	assert_false(permits(scene, "new.example.com"));
	/* and is what is applied again */
	scene->apply_result = 0;
	give_order(scene, GATE_CHANGE, true, -1);
	assert_applied(scene, 0, "");
	assert_true(permits(scene, "api.example.com"));
	assert_true(scene->gate.options.report_only);
}

static void what_is_no_profile_is_refused(void **state)
{
	static const char *const texts[] = {"{}", "[", "{\"format\": \"rtguard-profile/2\"}", ""};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gate_word word;

		apply_text(scene, texts[i], false);
		assert_true(scene_word(scene, GATE_APPLIED, &word));
		assert_true(word.result < 0);
		assert_true(strlen(word.text) > 0);
	}
	assert_int_equal(scene_calls(scene, CALL_APPLY), 0);
	assert_true(permits(scene, "api.example.com"));
}

static void what_may_still_change_is_refused(void **state)
{
	struct scene *scene = *state;

	give_order(scene, GATE_APPLY, false, memory_file(profile_text, 0));
	assert_applied(scene, -EINVAL, "sealed");
	give_order(scene, GATE_APPLY, false, memory_file(profile_text, F_SEAL_SHRINK));
	assert_applied(scene, -EINVAL, "sealed");
	give_order(scene, GATE_APPLY, false, -1);
	assert_applied(scene, -EINVAL, "sealed");
	assert_int_equal(scene_calls(scene, CALL_APPLY), 0);
}

static void counts_are_told(void **state)
{
	struct scene *scene = *state;
	struct gate_word word;

	scene->gate.counts.questions = 7;
	give_order(scene, GATE_COUNT, false, -1);
	assert_true(scene_word(scene, GATE_COUNTED, &word));
	assert_string_equal(word.counts.backend, "fake");
	assert_int_equal(word.counts.questions, 7);
	assert_int_equal(word.counts.refused_out, 1);
	assert_int_equal(word.counts.refused_in, 2);
}

static void an_order_that_is_none_is_passed_over(void **state)
{
	struct scene *scene = *state;
	struct gate_word word;

	give_order(scene, 0, false, -1);
	give_order(scene, 77, false, -1);
	assert_false(scene_word(scene, GATE_APPLIED, &word));
}

/* ---- others at our rules ---- */

static void ask_and_answer(struct scene *scene, struct held *answer)
{
	struct held question = scene_question(scene, "api.example.com", 1);

	*answer = scene_answer(scene, "api.example.com", 1,
			       (const char *const[]){"198.51.100.7", NULL});
	gate_take(&scene->gate, &question);
	gate_take(&scene->gate, answer);
}

static void sets_that_are_gone_come_back_at_once(void **state)
{
	struct scene *scene = *state;
	struct held answer;
	struct gate_word word;
	size_t applied = 0;

	scene->add_result = -ENOENT;
	ask_and_answer(scene, &answer);
	assert_int_equal(scene_calls(scene, CALL_APPLY), 1);
	assert_true(scene_word(scene, GATE_SAID, &word));
	/* with the new address, before the answer goes on */
	for (size_t i = 0; i < scene->call_count; i++) {
		if (scene->calls[i].kind == CALL_APPLY)
			applied = i;
		else if (scene->calls[i].packet == answer.packet)
			assert_true(applied > 0 && applied < i);
	}
	assert_true(added(scene, "198.51.100.7"));
	assert_int_equal(scene_verdict(scene, answer.packet)->verdict, QUEUE_ACCEPT);
	assert_int_equal(scene_verdict(scene, answer.packet)->replacement_size, 0);
}

static void sets_that_do_not_come_back_are_an_error(void **state)
{
	struct scene *scene = *state;
	struct held answer;

	scene->add_result = -ENOENT;
	scene->apply_result = -EBUSY;
	ask_and_answer(scene, &answer);
	assert_true(scene_verdict(scene, answer.packet)->replacement_size > 0);
	assert_int_equal(scene->gate.counts.answers, 0);
	/* tried again when it is due */
	scene->apply_result = 0;
	gate_tick(&scene->gate);
	assert_int_equal(scene_calls(scene, CALL_APPLY), 2);
	assert_true(added(scene, "198.51.100.7"));
	gate_tick(&scene->gate);
	assert_int_equal(scene_calls(scene, CALL_APPLY), 2);
}

static void changed_rules_are_applied_again(void **state)
{
	struct scene *scene = *state;
	struct gate_word word;

	gate_tick(&scene->gate);
	assert_int_equal(scene_calls(scene, CALL_APPLY), 0);
	scene->check_result = -ESTALE;
	scene->gate.checked_ns = 0;
	gate_tick(&scene->gate);
	assert_int_equal(scene_calls(scene, CALL_APPLY), 1);
	assert_true(scene_word(scene, GATE_SAID, &word));
	assert_non_null(strstr(word.text, "a chain is gone"));
}

/* A supervisor that reads nothing. */
static void a_full_channel_stops_nothing(void **state)
{
	struct scene *scene = *state;
	struct held question;
	uint64_t begun_ns = clock_monotonic_ns();

	for (int i = 0; i < 3000; i++)
		gate_say(&scene->gate, "nobody listens");
	question = scene_question(scene, "evil.example", 1);
	gate_take(&scene->gate, &question);
	gate_tick(&scene->gate);
	assert_int_equal(scene_verdict(scene, question.packet)->verdict, QUEUE_ACCEPT);
	assert_true(clock_monotonic_ns() - begun_ns < 2 * NS_PER_S);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_profile_gets_into_force),
		TEST(refused_the_one_before_stays),
		TEST(what_is_no_profile_is_refused),
		TEST(what_may_still_change_is_refused),
		TEST(counts_are_told),
		TEST(an_order_that_is_none_is_passed_over),
		TEST(sets_that_are_gone_come_back_at_once),
		TEST(sets_that_do_not_come_back_are_an_error),
		TEST(changed_rules_are_applied_again),
		TEST(a_full_channel_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
