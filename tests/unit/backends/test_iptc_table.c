/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/iptc_table.h"
#include "base/cleanup.h"
#include "filter_scene.h"

static int set_up_group(void **state)
{
	(void)state;
	(void)filter_scene_enter();
	return 0;
}

/* Ours: chain RTGUARD-TEST with one rule, and a jump. */
static void build(const struct iptc_family *family, struct iptc_rules *rules)
{
	struct iptc_header tcp = {.has_protocol = true, .protocol = 6, .in_interface = "lo"};
	struct iptc_header any = {0};
	struct iptc_chain *chain = iptc_rules_add_chain(rules, "RTGUARD-TEST");
	struct iptc_entry entry;

	assert_non_null(chain);
	iptc_entry_begin(&entry, family, &tcp);
	iptc_entry_verdict(&entry, family, "DROP");
	assert_int_equal(iptc_chain_append(chain, family, entry.bytes), 0);
	iptc_entry_begin(&entry, family, &any);
	iptc_entry_verdict(&entry, family, "RTGUARD-TEST");
	assert_int_equal(iptc_rules_add_jump(rules, family, "INPUT", 1, entry.bytes), 0);
}

struct intrusion {
	struct iptc_rules rules;
	unsigned int calls;
	unsigned int times; /* that somebody else commits in between */
};

static int change(void *context, const struct iptc_family *family, struct xtc_handle *handle,
		  struct error *error)
{
	struct intrusion *intrusion = context;

	if (intrusion->calls++ < intrusion->times)
		filter_scene_run("XTABLES_LOCKFILE=/tmp/rtguard-other-lock "
				 "%s -A INPUT -p udp --dport %u -j ACCEPT",
				 family->digit == '4' ? "iptables-legacy" : "ip6tables-legacy",
				 intrusion->calls);
	return iptc_rules_put(family, handle, &intrusion->rules, error);
}

static void test_somebody_commits_in_between(void **state)
{
	(void)state;
	filter_scene_require();
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		struct intrusion intrusion = {.times = 2};
		_cleanup_(freep) char *tables = NULL;

		filter_scene_clear();
		build(&iptc_families[i], &intrusion.rules);
		assert_int_equal(iptc_table_change(&iptc_families[i], change, &intrusion, NULL), 0);
		assert_int_equal(intrusion.calls, 3);
		tables = filter_scene_tables();
		assert_non_null(strstr(tables, "--dport 1 -j ACCEPT"));
		assert_non_null(strstr(tables, "--dport 2 -j ACCEPT"));
		assert_non_null(strstr(tables, "-A INPUT -j RTGUARD-TEST"));
		assert_non_null(strstr(tables, "-A RTGUARD-TEST -i lo -p tcp -j DROP"));
		iptc_rules_free(&intrusion.rules);
	}
	filter_scene_run("rm -f /tmp/rtguard-other-lock");
}

static void test_somebody_never_stops(void **state)
{
	struct intrusion intrusion = {.times = 1000};
	struct error error = {0};

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	build(&iptc_families[0], &intrusion.rules);
	assert_int_equal(iptc_table_change(&iptc_families[0], change, &intrusion, &error), -EBUSY);
	assert_non_null(strstr(error.message, "IPv4"));
	assert_in_range(intrusion.calls, 2, 100);
	iptc_rules_free(&intrusion.rules);
	filter_scene_run("rm -f /tmp/rtguard-other-lock");
}

/* What was read can be put back, counters and places included. */
static void test_put_back(void **state)
{
	(void)state;
	filter_scene_require();
	for (size_t i = 0; i < IPTC_FAMILY_COUNT; i++) {
		const struct iptc_family *family = &iptc_families[i];
		const char *tool = family->digit == '4' ? "iptables-legacy" : "ip6tables-legacy";
		struct iptc_rules nothing = {0};
		struct iptc_rules read = {0};
		struct iptc_rules again = {0};
		_cleanup_(freep) char *before = NULL;
		_cleanup_(freep) char *without = NULL;
		_cleanup_(freep) char *after = NULL;

		filter_scene_clear();
		filter_scene_furnish();
		filter_scene_run("%s -N RTGUARD-ONE && %s -N RTGUARD-TWO && "
				 "%s -A RTGUARD-ONE -c 5 6 -p tcp --dport 1 -j RTGUARD-TWO && "
				 "%s -A RTGUARD-ONE -m limit --limit 4/sec -j RETURN && "
				 "%s -A RTGUARD-TWO -c 7 8 -j REJECT && "
				 "%s -I OUTPUT 2 -c 1 2 -j RTGUARD-ONE && "
				 "%s -A OUTPUT -c 3 4 -j RTGUARD-TWO && "
				 "%s -A theirs -j RTGUARD-TWO",
				 tool, tool, tool, tool, tool, tool, tool, tool);
		before = filter_scene_tables();
		assert_int_equal(iptc_table_replace(family, &nothing, &read, NULL), 0);
		assert_int_equal(read.jump_count, 3);
		assert_int_equal(read.chain_count, 2);
		without = filter_scene_tables();
		assert_null(strstr(without, "RTGUARD"));
		assert_int_equal(iptc_table_replace(family, &read, NULL, NULL), 0);
		after = filter_scene_tables();
		assert_string_equal(after, before);

		assert_int_equal(iptc_table_read(family, &again, NULL), 0);
		assert_int_equal(iptc_rules_digest(family, &again).sum,
				 iptc_rules_digest(family, &read).sum);
		iptc_rules_free(&read);
		iptc_rules_free(&again);
	}
}

static void test_too_long_is_refused(void **state)
{
	struct iptc_header any = {0};
	struct iptc_entry entry;

	(void)state;
	iptc_entry_begin(&entry, &iptc_families[0], &any);
	for (unsigned int i = 0; i < 20; i++)
		(void)iptc_entry_match(&entry, MATCH_COMMENT);
	assert_true(entry.too_long);
	iptc_entry_verdict(&entry, &iptc_families[0], "DROP");
	assert_true(entry.too_long);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_somebody_commits_in_between),
		cmocka_unit_test(test_somebody_never_stops),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
