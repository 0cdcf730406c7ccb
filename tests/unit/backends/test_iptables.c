/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "filter_backend.h"
#include "profiles/profile_json.h"
#include "rules/compile.h"
#include "rules/render.h"

static const struct backend_type *const type = &backend_iptables;

static void test_probe(void **state)
{
	_cleanup_(freep) char *before = NULL;
	struct error error = {0};

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	before = filter_scene_tables();
	if (type->probe(&error) < 0)
		fail_msg("%s", error.message);
	filter_backend_assert_gone(before);
}

static void restore_rendered(const struct rule_program *program, unsigned int family,
			     const struct render_instance *instance)
{
	FILE *pipe = popen(family == RULE_IPV4 ? "iptables-legacy-restore --noflush"
					       : "ip6tables-legacy-restore --noflush",
			   "we");

	assert_non_null(pipe);
	render_iptables(program, family, instance, pipe);
	assert_int_equal(pclose(pipe), 0);
}

/* The same as iptables-restore and ipset-restore make of the rendered text. */
static void assert_as_rendered(const struct rule_program *program)
{
	static const char save[] =
		"for save in iptables-legacy-save ip6tables-legacy-save; do $save || exit 1; done "
		"| sed -e /^#/d; ipset save | sed 's/ initval [^ ]*//; s/ timeout [0-9]*$//' | "
		"sort";
	struct backend *backend = filter_backend_open();
	struct render_instance instance = {.generation = 'a'};
	_cleanup_(freep) char *applied = NULL;
	_cleanup_(freep) char *restored = NULL;
	FILE *pipe;

	filter_backend_apply(backend, program);
	instance.release_mark = type->release_mark(backend);
	type->close(backend);
	applied = filter_scene_output("%s", save);

	filter_scene_clear();
	pipe = popen("ipset restore", "we");
	assert_non_null(pipe);
	render_ipset(program, &instance, pipe);
	assert_int_equal(pclose(pipe), 0);
	restore_rendered(program, RULE_IPV4, &instance);
	restore_rendered(program, RULE_IPV6, &instance);
	restored = filter_scene_output("%s", save);
	assert_string_equal(applied, restored);
	filter_scene_clear();
}

static void test_same_as_text(void **state)
{
	struct rule_program *program;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_program();
	assert_as_rendered(program);
	rule_program_free(program);
}

static int user_id(const char *name, uint32_t *ret_user)
{
	*ret_user = 1000 + (uint32_t)strlen(name);
	return 0;
}

/* The profiles that the documentation shows, in every way they can be enforced. */
static void test_examples_same_as_text(void **state)
{
	static const struct rules_options ways[] = {
		RULES_OPTIONS_DEFAULT,
		{.report_only = true, .binding = BIND_LOOKUP, .first_queue = 1, .log_group = 2},
		{.reject = true,
		 .binding = BIND_USER,
		 .user_id = user_id,
		 .answer_ping = true,
		 .inbound_per_s = 50},
		{.binding = BIND_NONE,
		 .inbound_from_lan = true,
		 .leave_forwarded = true,
		 .permit_unknown_names = true},
	};
	const char *examples = getenv("RTGUARD_EXAMPLES");
	glob_t files;
	char pattern[512];

	(void)state;
	filter_scene_require();
	assert_non_null(examples);
	(void)snprintf(pattern, sizeof(pattern), "%s/*.json", examples);
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct profile *profile;
		struct error error = {0};

		if (profile_load(files.gl_pathv[i], &profile, &error) < 0)
			fail_msg("%s", error.message);
		for (size_t j = 0; j < array_length(ways); j++) {
			struct rule_program *program;

			if (rules_compile(profile, &ways[j], NULL, &program, &error) < 0)
				fail_msg("%s: %s", files.gl_pathv[i], error.message);
			assert_true(rules_seed(program, profile, 3600) >= 0);
			filter_scene_clear();
			assert_as_rendered(program);
			rule_program_free(program);
		}
		profile_free(profile);
	}
	assert_true(files.gl_pathc >= 4);
	globfree(&files);
}

static void test_foreign_rules_survive(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *sets = NULL;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	before = filter_scene_tables();
	assert_non_null(strstr(before, "[11:1100] -A INPUT"));

	program = filter_scene_program();
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	filter_backend_assert_untouched(before);
	filter_scene_run("iptables-legacy -S OUTPUT 1 | grep -qx -- '-A OUTPUT -j RTGUARD-OUT'");
	filter_scene_run("ip6tables-legacy -S INPUT 1 | grep -qx -- '-A INPUT -j RTGUARD-IN'");
	filter_backend_apply(backend, program);
	filter_backend_assert_untouched(before);
	sets = filter_backend_sets();
	assert_non_null(strstr(sets, "rtguard-b4-names"));
	assert_null(strstr(sets, "rtguard-a4-names"));
	assert_int_equal(type->clear(NULL), 0);
	filter_backend_assert_gone(before);
	assert_int_equal(type->clear(NULL), 0);
	filter_scene_run("ipset test others 192.0.2.77 2>/dev/null");
	type->close(backend);
	rule_program_free(program);
}

/* The rules of the predecessor go on; its mark counts until the next program is there. */
static void test_taken_up_after_restart(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	uint32_t mark;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_program();
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	mark = type->release_mark(backend);
	assert_true(mark & RENDER_MARK_MASK);
	assert_false(mark & ~RENDER_MARK_MASK);
	type->close(backend);

	filter_scene_run("iptables-legacy -S RTGUARD-OUT | grep -q NFQUEUE");
	backend = filter_backend_open();
	assert_int_equal(type->release_mark(backend), mark);
	filter_backend_apply(backend, program);
	assert_int_not_equal(type->release_mark(backend), mark);
	assert_int_equal(type->check(backend, NULL), 0);
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

static void assert_stale(struct backend *backend, const char *part)
{
	struct error error = {0};

	assert_int_equal(type->check(backend, &error), -ESTALE);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" does not say \"%s\"", error.message, part);
}

static void test_check(void **state)
{
	static const struct {
		const char *change;
		const char *says;
	} changes[] = {
		{"iptables-legacy -I OUTPUT -p tcp -j ACCEPT", "jumps"},
		{"ip6tables-legacy -D INPUT -j RTGUARD-IN", "jumps"},
		{"iptables-legacy -D RTGUARD-REFUSE-IN 1", "rules in"},
		{"iptables-legacy -R RTGUARD-REFUSE-IN 2 -j ACCEPT", "changed rules"},
		{"ip6tables-legacy -R RTGUARD-REFUSE-IN 2 -j DROP -m comment --comment x", "rules"},
		{"iptables-legacy -N RTGUARD-OTHER", "of our chains"},
		{"iptables-legacy -F", "jumps"},
		{"iptables-legacy -F; iptables-legacy -X; ip6tables-legacy -F; ipset flush; "
		 "ipset destroy",
		 "jumps"},
	};
	struct rule_program *program;
	struct backend *backend;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	program = filter_scene_program();
	backend = filter_backend_open();
	for (size_t i = 0; i < array_length(changes); i++) {
		filter_backend_apply(backend, program);
		assert_int_equal(type->check(backend, NULL), 0);
		/* others' rules behind ours are their own affair */
		filter_scene_run("iptables-legacy -A OUTPUT -p tcp -j ACCEPT");
		assert_int_equal(type->check(backend, NULL), 0);
		filter_scene_run("%s", changes[i].change);
		assert_stale(backend, changes[i].says);
	}
	filter_backend_apply(backend, program);
	assert_int_equal(type->check(backend, NULL), 0);
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

/* Somebody's own jump to one of our chains goes with it. */
static void test_clear_after_others_jumped_in(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	_cleanup_(freep) char *before = NULL;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	/* iptables(8) itself sets the counters of policies to zero at each change */
	filter_scene_run("iptables-legacy -N other && iptables-legacy -X other");
	before = filter_scene_tables();
	program = filter_scene_small_program(9999);
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	filter_scene_run("iptables-legacy -A theirs -p tcp -j RTGUARD-OUT");
	filter_backend_apply(backend, program);
	filter_scene_run("iptables-legacy -A theirs -p tcp -j RTGUARD-OUT");
	assert_int_equal(type->clear(NULL), 0);
	filter_backend_assert_gone(before);
	type->close(backend);
	rule_program_free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_same_as_text),
		cmocka_unit_test(test_examples_same_as_text),
		cmocka_unit_test(test_foreign_rules_survive),
		cmocka_unit_test(test_taken_up_after_restart),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_clear_after_others_jumped_in),
	};

	return cmocka_run_group_tests(tests, filter_backend_set_up, filter_backend_tear_down);
}
