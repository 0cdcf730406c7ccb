/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "example_program.h"
#include "profiles/profile_json.h"
#include "rules/compile.h"
#include "rules/render.h"

typedef void (*write_fn)(const struct rule_program *program, FILE *stream);

static void write_v4(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_iptables(program, RULE_IPV4, &instance, stream);
}

static void write_v6(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_iptables(program, RULE_IPV6, &instance, stream);
}

static void write_sets(const struct rule_program *program, FILE *stream)
{
	const struct render_instance instance = RENDER_INSTANCE_DEFAULT;

	render_ipset(program, &instance, stream);
}

static char *render(const struct rule_program *program, write_fn write_text)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	write_text(program, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

/* ---- golden texts ---- */

static char *read_golden(const char *name)
{
	char path[4096];
	char *text = NULL;
	size_t size = 0;
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/rules/%s", getenv("RTGUARD_GOLDEN"), name);
	stream = fopen(path, "r");
	if (!stream)
		return NULL;
	if (getdelim(&text, &size, '\0', stream) < 0)
		text[0] = '\0';
	(void)fclose(stream);
	return text;
}

/* RTGUARD_GOLDEN_WRITE=1: takes what is rendered for right. */
static void check_golden(const struct rule_program *program, write_fn write_text, const char *name)
{
	_cleanup_(freep) char *text = render(program, write_text);
	_cleanup_(freep) char *golden = NULL;

	if (getenv("RTGUARD_GOLDEN_WRITE")) {
		char path[4096];
		FILE *stream;

		(void)snprintf(path, sizeof(path), "%s/rules/%s", getenv("RTGUARD_GOLDEN"), name);
		stream = fopen(path, "w");
		assert_non_null(stream);
		(void)fputs(text, stream);
		assert_int_equal(fclose(stream), 0);
	}
	golden = read_golden(name);
	if (!golden)
		fail_msg("tests/golden/rules/%s cannot be read", name);
	assert_string_equal(text, golden);
}

static void test_example_is_as_in_golden_files(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(true);

	(void)state;
	check_golden(program, render_nftables, "example.nft");
	check_golden(program, write_v4, "example.v4");
	check_golden(program, write_v6, "example.v6");
	check_golden(program, write_sets, "example.ipset");
}

/* An example profile, as `rtguard compile` would print it. */
static struct rule_program *camera_program(void)
{
	const struct rules_options options = RULES_OPTIONS_DEFAULT;
	struct rule_program *program = NULL;
	struct profile *profile = NULL;
	struct error error = {0};
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/camera.json", getenv("RTGUARD_EXAMPLES"));
	if (profile_load(path, &profile, &error) < 0 ||
	    rules_compile(profile, &options, NULL, &program, &error) < 0)
		fail_msg("%s", error.message);
	profile_free(profile);
	return program;
}

static void test_camera_is_as_in_golden_files(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = camera_program();

	(void)state;
	check_golden(program, render_nftables, "camera.nft");
	check_golden(program, write_v4, "camera.v4");
	check_golden(program, write_v6, "camera.v6");
	check_golden(program, write_sets, "camera.ipset");
}

/* ---- small things ---- */

static void test_names_fit_their_places(void **state)
{
	struct rule_set set = {.name = "nineteen-characters", .kind = SET_ADDRESS};
	struct rule_chain chain = {.name = "nineteen-characters"};
	char name[RENDER_SET_NAME_SIZE];
	char chain_name[RENDER_CHAIN_NAME_SIZE];

	(void)state;
	render_set_name(&set, '6', 'b', name);
	assert_string_equal(name, "rtguard-b6-nineteen-characters");
	render_nftables_set_name(&set, '6', name);
	assert_string_equal(name, "nineteen-characters6");
	set.kind = SET_PORT;
	render_nftables_set_name(&set, '6', name);
	assert_string_equal(name, "nineteen-characters");
	render_chain_name(&chain, chain_name);
	assert_string_equal(chain_name, "RTGUARD-NINETEEN-CHARACTERS");
}

static void test_way_of_a_chain_is_that_of_who_jumps_to_it(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	uint16_t circle;

	(void)state;
	assert_true(render_chain_is_inbound(program, rule_program_find_chain(program, "in")));
	assert_true(
		render_chain_is_inbound(program, rule_program_find_chain(program, "refuse-in")));
	assert_false(
		render_chain_is_inbound(program, rule_program_find_chain(program, "refuse-out")));
	assert_false(render_chain_is_inbound(program,
					     rule_program_find_chain(program, "refuse-forward")));
	/* one that only itself jumps to: no packet comes there, and nothing runs for ever */
	circle = (uint16_t)program->chain_count;
	assert_non_null(rule_program_add_chain(program));
	rule_chain_add_rule(&program->chains[circle])->verdict = RULE_JUMP;
	program->chains[circle].rules[0].chain = circle;
	assert_false(render_chain_is_inbound(program, circle));
}

static void test_everything_of_ipset_is_two_halves(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = rule_program_new();
	struct rule_set *set = rule_program_add_set(program);
	struct rule_member everything = {.address = {.family = 4}};
	_cleanup_(freep) char *text = NULL;

	(void)state;
	(void)snprintf(set->name, sizeof(set->name), "all");
	set->kind = SET_PREFIX;
	set->families = RULE_IPV4;
	assert_int_equal(rule_set_add(set, &everything), 0);
	text = render(program, write_sets);
	assert_string_equal(
		text, "create rtguard-a4-all hash:net family inet hashsize 1024 maxelem 65536\n"
		      "add rtguard-a4-all 0.0.0.0/1\n"
		      "add rtguard-a4-all 128.0.0.0/1\n");
}

static void test_sets_grow_with_their_members(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = rule_program_new();
	struct rule_set *set = rule_program_add_set(program);
	_cleanup_(freep) char *text = NULL;

	(void)state;
	(void)snprintf(set->name, sizeof(set->name), "many");
	set->kind = SET_ADDRESS;
	set->families = RULE_IPV4;
	for (unsigned int i = 0; i < 40000; i++) {
		struct rule_member member = {
			.address = {4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}},
			.prefix_length = 32,
		};

		assert_int_equal(rule_set_add(set, &member), 0);
	}
	text = render(program, write_sets);
	assert_non_null(strstr(text, "hashsize 65536 maxelem 80000\n"));
}

/* ---- what the tools themselves make of the texts ---- */

/* A network namespace of this test's own, with nothing of ours in it yet. */
static void need_own_network(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		print_message("SKIPPED: %s\n", "needs a network namespace of its own (root)");
		skip();
	}
}

/* Runs it with the text on standard input; what it says comes back. */
static char *run(const char *command, const char *input)
{
	char path[] = "/tmp/rtguard-test-render-XXXXXX";
	char line[512];
	char *output = NULL;
	size_t size;
	FILE *stream = open_memstream(&output, &size);
	FILE *pipe_stream;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, input, strlen(input)), strlen(input));
	(void)close(fd);
	(void)snprintf(line, sizeof(line), "timeout 20 %s <%s 2>&1 || echo \"status $?\"", command,
		       path);
	pipe_stream = popen(line, "r");
	assert_non_null(pipe_stream);
	for (int c; (c = fgetc(pipe_stream)) != EOF;)
		(void)fputc(c, stream);
	(void)pclose(pipe_stream);
	(void)fclose(stream);
	(void)unlink(path);
	return output;
}

static bool have(const char *tool)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "command -v %s >/dev/null", tool);
	if (system(line) == 0)
		return true;
	print_message("SKIPPED: no %s here\n", tool);
	return false;
}

/* Where there is an /etc/protocols iptables-save has names for more than iptables itself knows. */
static void write_rule(const char *rule, int length, FILE *stream)
{
	static const struct {
		const char *saved;
		const char *rendered;
	} names[] = {{" -p igmp ", " -p 2 "}, {" -p dccp ", " -p 33 "}};

	for (size_t i = 0; i < array_length(names); i++) {
		const char *name =
			memmem(rule, (size_t)length, names[i].saved, strlen(names[i].saved));

		if (!name)
			continue;
		(void)fprintf(stream, "%.*s%s", (int)(name - rule), rule, names[i].rendered);
		length -= (int)(name - rule + (ptrdiff_t)strlen(names[i].saved));
		rule = name + strlen(names[i].saved);
	}
	(void)fprintf(stream, "%.*s\n", length, rule);
}

/* The rules of our chains, one a line. */
static char *own_rules(const char *text)
{
	char *rules = NULL;
	size_t size;
	FILE *stream = open_memstream(&rules, &size);

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, "-A RTGUARD-", 11) == 0)
			write_rule(line, (int)(end - line), stream);
		line = *end ? end + 1 : end;
	}
	(void)fclose(stream);
	return rules;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* iptables-save has the chains in another order; that of the rules in each stays. */
static void sort_by_chain(char *rules)
{
	char *lines[512] = {NULL};
	char keys[512][40];
	size_t count = 0;
	_cleanup_(freep) char *copy = strdup(rules);
	char *at = rules;

	for (char *rest = copy, *line; (line = strsep(&rest, "\n")) && *line;) {
		char *key = keys[count];
		char *made = NULL;

		(void)snprintf(key, sizeof(keys[0]), "%.*s", (int)strcspn(line + 3, " "), line + 3);
		assert_true(asprintf(&made, "%-32s%04zu%s", key, count, line) > 0);
		lines[count++] = made;
		assert_true(count < array_length(lines));
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++) {
		at = stpcpy(stpcpy(at, lines[i] + 36), "\n");
		free(lines[i]);
	}
}

static void check_saved(const struct rule_program *program, write_fn write_text,
			const char *restore, const char *save)
{
	_cleanup_(freep) char *text = render(program, write_text);
	_cleanup_(freep) char *said = run(restore, text);
	_cleanup_(freep) char *saved = run(save, "");
	_cleanup_(freep) char *rendered_rules = own_rules(text);
	_cleanup_(freep) char *saved_rules = own_rules(saved);

	assert_string_equal(said, "");
	sort_by_chain(rendered_rules);
	sort_by_chain(saved_rules);
	assert_string_equal(rendered_rules, saved_rules);
}

static void check_iptables(const struct rule_program *program)
{
	_cleanup_(freep) char *sets = render(program, write_sets);
	_cleanup_(freep) char *said = NULL;

	need_own_network();
	if (!have("ipset") || !have("iptables-legacy-restore"))
		skip();
	said = run("ipset restore", sets);
	assert_string_equal(said, "");
	check_saved(program, write_v4, "iptables-legacy-restore --noflush", "iptables-legacy-save");
	check_saved(program, write_v6, "ip6tables-legacy-restore --noflush",
		    "ip6tables-legacy-save");
}

static void test_iptables_saves_what_was_rendered(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *example = example_program(true);
	_cleanup_(rule_program_freep) struct rule_program *camera = camera_program();

	(void)state;
	check_iptables(example);
	check_iptables(camera);
}

static void test_nft_takes_the_text(void **state)
{
	_cleanup_(rule_program_freep) struct rule_program *program = example_program(false);
	_cleanup_(freep) char *text = render(program, render_nftables);
	_cleanup_(freep) char *said = NULL;
	_cleanup_(freep) char *again = NULL;
	_cleanup_(freep) char *listed = NULL;

	(void)state;
	need_own_network();
	if (!have("nft"))
		skip();
	said = run("nft -f -", text);
	assert_string_equal(said, "");
	again = run("nft -f -", text);
	assert_string_equal(again, "");
	listed = run("nft -nn list ruleset", "");
	assert_non_null(strstr(listed, "counter packets 0 bytes 0 reject with icmpx"));
	assert_non_null(strstr(listed, "8000-8010"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_is_as_in_golden_files),
		cmocka_unit_test(test_camera_is_as_in_golden_files),
		cmocka_unit_test(test_names_fit_their_places),
		cmocka_unit_test(test_way_of_a_chain_is_that_of_who_jumps_to_it),
		cmocka_unit_test(test_everything_of_ipset_is_two_halves),
		cmocka_unit_test(test_sets_grow_with_their_members),
		cmocka_unit_test(test_iptables_saves_what_was_rendered),
		cmocka_unit_test(test_nft_takes_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
