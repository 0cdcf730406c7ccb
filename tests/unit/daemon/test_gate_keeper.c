/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With gates that do what the first byte of the profile says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/gate_keeper.h"
#include "privilege/channel.h"

#define REFUSES 'r' /* says no */
#define DIES	'd' /* ends over it */
#define TARRIES 't' /* says yes, some time later */
#define LIES	'l' /* says what makes no sense, and then yes */

#define TARRY_US 300000

/* ---- the gates ---- */

static void say(int channel, uint32_t kind, int result, const char *what, char profile,
		bool report_only)
{
	struct gate_word word = {.kind = kind, .result = result};

	(void)snprintf(word.text, sizeof(word.text), "%s %c%s", what, profile,
		       report_only ? "audit" : "");
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
}

static void lie(int channel)
{
	struct gate_word word = {.kind = GATE_FOUND};

	word.finding.kind = FINDING_KIND_COUNT;
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
	memset(&word, 'x', sizeof(word));
	word.kind = GATE_SAID; /* no end */
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
	word.kind = GATE_COUNTED;
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
	word.kind = GATE_APPLIED;
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
	word.kind = 99;
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
	memset(&word, 0, sizeof(word));
	word.kind = GATE_FOUND;
	word.finding.kind = FINDING_NAME_UNKNOWN;
	(void)channel_send(channel, &word, sizeof(word), 1, -1);
}

static void apply(int channel, char profile, bool report_only)
{
	if (profile == DIES)
		_exit(3);
	if (profile == TARRIES)
		(void)usleep(TARRY_US);
	if (profile == LIES)
		lie(channel);
	if (profile == REFUSES) {
		say(channel, GATE_APPLIED, -EOPNOTSUPP, "no", profile, false);
		return;
	}
	say(channel, GATE_SAID, 0, "applies", profile, report_only);
	say(channel, GATE_APPLIED, 0, "done", profile, report_only);
}

static int run_gate(const struct gate_config *config)
{
	struct gate_order order;
	int fd = -1;

	(void)alarm(20);
	while (channel_receive(config->channel, &order, sizeof(order), 1, true, &fd) > 0) {
		char profile = '-';

		if (order.kind == GATE_APPLY && pread(fd, &profile, 1, 0) == 1)
			apply(config->channel, profile, order.report_only);
		closep(&fd);
		if (order.kind != GATE_CLEAR)
			continue;
		say(config->channel, GATE_SAID, 0, "clears", profile, false);
		say(config->channel, GATE_CLEARED, 0, "done", profile, false);
		return 0;
	}
	return 0;
}

/* ---- the keeper ---- */

struct scene {
	struct loop *loop;
	struct gate_keeper *keeper;
	char said[4][GATE_TEXT_SIZE]; /* the last ones */
	size_t said_count;
	size_t found;
	size_t started;
	enum failure failure;
	size_t failures;
	bool done;
	int result;
	char why[GATE_TEXT_SIZE];
	bool (*until)(const struct scene *scene);
};

static void on_found(void *context, const struct finding *finding)
{
	struct scene *scene = context;

	assert_int_equal(finding->kind, FINDING_NAME_UNKNOWN);
	scene->found++;
}

static void on_said(void *context, const char *sentence)
{
	struct scene *scene = context;

	(void)snprintf(scene->said[scene->said_count++ % 4], GATE_TEXT_SIZE, "%s", sentence);
}

static void on_started(void *context, pid_t pid)
{
	struct scene *scene = context;

	assert_true(pid > 0);
	scene->started++;
}

static void on_replaced(void *context, enum failure failure, const char *why)
{
	struct scene *scene = context;

	assert_true(*why);
	scene->failure = failure;
	scene->failures++;
}

static void on_done(void *context, int result, const char *why)
{
	struct scene *scene = context;

	scene->done = true;
	scene->result = result;
	(void)snprintf(scene->why, sizeof(scene->why), "%s", why ? why : "");
}

static void on_child(void *context, int signal_number)
{
	struct scene *scene = context;
	int status;
	pid_t pid;

	(void)signal_number;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		(void)gate_keeper_child(scene->keeper, pid, status);
}

static void on_tick(void *context)
{
	struct scene *scene = context;

	if (scene->until(scene))
		loop_stop(scene->loop, 0);
}

static void run_until(struct scene *scene, bool (*until)(const struct scene *scene))
{
	scene->until = until;
	assert_int_equal(loop_run(scene->loop), 0);
}

static int profile_of(char content)
{
	int memory = memfd_create("test", MFD_CLOEXEC);

	assert_true(memory >= 0);
	assert_int_equal(pwrite(memory, &content, 1, 0), 1);
	return memory;
}

static void set_up(struct scene *scene)
{
	const struct gate_keeper_config config = {
		.run = run_gate,
		.found = on_found,
		.said = on_said,
		.started = on_started,
		.replaced = on_replaced,
		.context = scene,
	};
	struct error error = {0};

	*scene = (struct scene){0};
	assert_int_equal(loop_new(&scene->loop), 0);
	assert_int_equal(loop_add_signal(scene->loop, SIGCHLD, on_child, scene, NULL), 0);
	assert_int_equal(loop_add_timer(scene->loop, 5 * NS_PER_MS, on_tick, scene, NULL), 0);
	if (gate_keeper_new(scene->loop, &config, &scene->keeper, &error) < 0)
		fail_msg("%s", error.message);
}

static void tear_down(struct scene *scene)
{
	pid_t pid = gate_keeper_pid(scene->keeper);

	gate_keeper_free(scene->keeper);
	if (pid > 0)
		assert_int_equal(kill(pid, 0), -1); /* no gate is left */
	loop_free(scene->loop);
}

static const char *last_said(const struct scene *scene)
{
	return scene->said_count ? scene->said[(scene->said_count - 1) % 4] : "";
}

static bool is_done(const struct scene *scene)
{
	return scene->done;
}

static bool is_second_applied(const struct scene *scene)
{
	return scene->started == 2 && !gate_keeper_trouble(scene->keeper);
}

static void the_first_rules_are_waited_for(void **state)
{
	struct scene scene;
	struct error error = {0};
	int profile = profile_of('a');
	int refused = profile_of(REFUSES);
	int deadly = profile_of(DIES);

	(void)state;
	set_up(&scene);
	assert_non_null(gate_keeper_trouble(scene.keeper));
	assert_int_equal(gate_keeper_apply_first(scene.keeper, refused, false, &error),
			 -EOPNOTSUPP);
	assert_string_equal(error.message, "no r");
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, true, &error), 0);
	assert_string_equal(last_said(&scene), "applies aaudit");
	assert_null(gate_keeper_trouble(scene.keeper));
	assert_int_equal(scene.failures, 0);
	tear_down(&scene);
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, deadly, false, &error), -EIO);
	tear_down(&scene);
	(void)close(profile);
	(void)close(refused);
	(void)close(deadly);
}

static void a_gate_that_ends_is_replaced(void **state)
{
	const struct {
		int signal;
		enum failure failure;
	} ends[] = {{SIGKILL, FAILURE_GATE_ENDED}, {SIGSTOP, FAILURE_GATE_HUNG}};
	struct scene scene;
	int profile = profile_of('a');

	(void)state;
	for (size_t i = 0; i < array_length(ends); i++) {
		set_up(&scene);
		assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, true, NULL), 0);
		scene.said_count = 0;
		assert_int_equal(kill(gate_keeper_pid(scene.keeper), ends[i].signal), 0);
		run_until(&scene, is_second_applied);
		assert_string_equal(last_said(&scene), "applies aaudit");
		assert_int_equal(scene.failure, ends[i].failure);
		assert_int_equal(scene.failures, 1);
		assert_int_equal(gate_keeper_restarts(scene.keeper), 1);
		tear_down(&scene);
	}
	(void)close(profile);
}

static void what_is_refused_leaves_what_was(void **state)
{
	struct scene scene;
	int profile = profile_of('a');
	int refused = profile_of(REFUSES);
	int next = profile_of('b');

	(void)state;
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, false, NULL), 0);
	assert_int_equal(gate_keeper_apply(scene.keeper, refused, false, on_done), 0);
	assert_true(gate_keeper_is_busy(scene.keeper));
	assert_int_equal(gate_keeper_apply(scene.keeper, next, false, on_done), -EBUSY);
	run_until(&scene, is_done);
	assert_int_equal(scene.result, -EOPNOTSUPP);
	assert_string_equal(scene.why, "no r");
	(void)close(refused);
	/* whoever comes next is told what was in force, not what was refused */
	assert_int_equal(kill(gate_keeper_pid(scene.keeper), SIGKILL), 0);
	run_until(&scene, is_second_applied);
	assert_string_equal(last_said(&scene), "applies a");
	scene.done = false;
	assert_int_equal(gate_keeper_apply(scene.keeper, next, true, on_done), 0);
	run_until(&scene, is_done);
	assert_int_equal(scene.result, 0);
	assert_string_equal(last_said(&scene), "applies baudit");
	tear_down(&scene);
	(void)close(profile);
	(void)close(next);
}

static bool is_back(const struct scene *scene)
{
	return scene->done && !gate_keeper_trouble(scene->keeper);
}

static void a_change_that_ends_gates_is_refused(void **state)
{
	struct scene scene;
	int profile = profile_of('a');
	int deadly = profile_of(DIES);

	(void)state;
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, false, NULL), 0);
	assert_int_equal(gate_keeper_apply(scene.keeper, deadly, false, on_done), 0);
	run_until(&scene, is_back);
	assert_int_equal(scene.result, -EIO);
	assert_int_equal(scene.failures, 3);
	assert_string_equal(last_said(&scene), "applies a");
	tear_down(&scene);
	(void)close(profile);
	(void)close(deadly);
}

static void words_are_checked(void **state)
{
	struct scene scene;
	int profile = profile_of(LIES);

	(void)state;
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, false, NULL), 0);
	assert_int_equal(scene.said_count, 1);
	assert_string_equal(last_said(&scene), "applies l");
	assert_int_equal(scene.found, 1);
	assert_int_equal(gate_keeper_counts(scene.keeper)->questions, 0);
	tear_down(&scene);
	(void)close(profile);
}

static void clearing_ends_it(void **state)
{
	struct scene scene;
	struct error error = {0};
	int profile = profile_of('a');
	pid_t pid;

	(void)state;
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, false, NULL), 0);
	pid = gate_keeper_pid(scene.keeper);
	assert_int_equal(gate_keeper_clear(scene.keeper, &error), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(gate_keeper_pid(scene.keeper), 0);
	assert_true(gate_keeper_clear(scene.keeper, &error) < 0); /* nobody is there to do it */
	assert_int_equal(scene.failures, 0);
	tear_down(&scene);
	(void)close(profile);
}

/* The answer to what was ordered before is not that to the clearing. */
static void clearing_waits_for_its_own_answer(void **state)
{
	struct scene scene;
	struct error error = {0};
	int profile = profile_of('a');
	int slow = profile_of(TARRIES);
	uint64_t begin_ns;

	(void)state;
	set_up(&scene);
	assert_int_equal(gate_keeper_apply_first(scene.keeper, profile, false, NULL), 0);
	assert_int_equal(gate_keeper_apply(scene.keeper, slow, false, on_done), 0);
	begin_ns = clock_monotonic_ns();
	scene.said_count = 0;
	assert_int_equal(gate_keeper_clear(scene.keeper, &error), 0);
	assert_true(clock_monotonic_ns() - begin_ns >= TARRY_US / 2 * UINT64_C(1000));
	assert_string_equal(last_said(&scene), "clears -");
	assert_false(scene.done);
	tear_down(&scene);
	(void)close(profile);
	(void)close(slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rules_are_waited_for),
		cmocka_unit_test(a_gate_that_ends_is_replaced),
		cmocka_unit_test(what_is_refused_leaves_what_was),
		cmocka_unit_test(a_change_that_ends_gates_is_refused),
		cmocka_unit_test(words_are_checked),
		cmocka_unit_test(clearing_ends_it),
		cmocka_unit_test(clearing_waits_for_its_own_answer),
	};

	(void)alarm(50);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
