/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe/host/process_table.h"

static struct process_table *table_of(size_t limit)
{
	struct process_table *table;

	assert_int_equal(process_table_new(&table, limit), 0);
	return table;
}

static void runs(struct process_table *table, pid_t pid, const char *path)
{
	struct label *label = label_new(path, NULL);

	process_match(process_find(table, pid), label);
	label_release(label);
}

static const char *parent_of(struct process_table *table, pid_t pid)
{
	return label_text(process_parent_program(table, process_find(table, pid)));
}

static void a_child_begins_with_what_its_parent_has(void **state)
{
	struct process_table *table = table_of(16);
	struct process *parent = process_add(table, 10);

	(void)state;
	parent->flags |= PROCESS_SESSION;
	parent->user = 33;
	runs(table, 10, "/bin/a");
	assert_non_null(process_forked(table, 10, 11, 5));
	assert_int_equal(process_find(table, 11)->user, 33);
	assert_true(process_find(table, 11)->flags & PROCESS_SESSION);
	assert_string_equal(label_text(process_find(table, 11)->program), "/bin/a");
	assert_string_equal(parent_of(table, 11), "/bin/a");
	process_table_free(table);
}

/* What a parent runs later is not what it ran when it forked. */
static void the_parent_is_what_it_was_at_the_fork(void **state)
{
	struct process_table *table = table_of(16);

	(void)state;
	(void)process_add(table, 10);
	runs(table, 10, "/bin/sh");
	(void)process_forked(table, 10, 11, 0);
	(void)process_executed(table, 10);
	runs(table, 10, "/bin/daemon");
	assert_string_equal(parent_of(table, 11), "/bin/sh");
	process_table_free(table);
}

/* All process events of a burst come before the first file: files are joined by their order. */
static void late_files_find_their_image(void **state)
{
	struct process_table *table = table_of(16);

	(void)state;
	(void)process_add(table, 10);
	runs(table, 10, "/bin/sh");
	(void)process_executed(table, 10); /* a */
	(void)process_forked(table, 10, 11, 0);
	(void)process_executed(table, 10); /* b */
	(void)process_forked(table, 10, 12, 0);
	assert_null(parent_of(table, 11)); /* not known yet: no guess */
	assert_null(parent_of(table, 12));
	runs(table, 10, "/bin/a");
	assert_string_equal(parent_of(table, 11), "/bin/a");
	assert_null(parent_of(table, 12));
	runs(table, 10, "/bin/b");
	assert_string_equal(parent_of(table, 11), "/bin/a");
	assert_string_equal(parent_of(table, 12), "/bin/b");
	assert_int_equal(process_find(table, 10)->unmatched, 0);
	process_table_free(table);
}

/* setpriv: exec as root, setuid, exec; all of it was told before the first file came. */
static void each_image_has_the_user_it_began_with(void **state)
{
	struct process_table *table = table_of(16);
	struct process *process;

	(void)state;
	process_add(table, 10)->user = 0;
	assert_int_equal(process_image_user(process_find(table, 10)), PROCESS_USER_UNKNOWN);
	process = process_forked(table, 10, 11, 0);
	assert_int_equal(process_image_user(process), 0);
	process = process_executed(table, 11);
	process->user = 65534;
	(void)process_executed(table, 11);
	runs(table, 11, "/bin/setpriv");
	assert_int_equal(process_image_user(process), 0);
	runs(table, 11, "/bin/job");
	assert_int_equal(process_image_user(process), 65534);
	/* more than are kept: no guess */
	process->user = 7;
	for (int i = 0; i <= PROCESS_IMAGES_KEPT; i++)
		(void)process_executed(table, 11);
	runs(table, 11, "/bin/first");
	assert_int_equal(process_image_user(process), PROCESS_USER_UNKNOWN);
	runs(table, 11, "/bin/second");
	assert_int_equal(process_image_user(process), 7);
	/* another process of that pid has nothing of it */
	process_forget(table, 11);
	process = process_executed(table, 11);
	assert_int_equal(process_image_user(process), PROCESS_USER_UNKNOWN);
	process_table_free(table);
}

static void ended_processes_stay_for_a_while(void **state)
{
	struct process_table *table = table_of(16);

	(void)state;
	(void)process_add(table, 10);
	(void)process_forked(table, 10, 11, 1);
	process_exited(table, 11, 100);
	process_exited(table, 11, 900); /* told twice: the first counts */
	process_table_expire(table, 100);
	assert_non_null(process_find(table, 11));
	assert_true(process_find(table, 11)->flags & PROCESS_ENDED);
	process_table_expire(table, 101);
	assert_null(process_find(table, 11));
	assert_int_equal(process_table_count(table), 1);
	process_table_free(table);
}

static void a_reused_pid_is_somebody_else(void **state)
{
	struct process_table *table = table_of(16);

	(void)state;
	process_add(table, 10)->flags |= PROCESS_SESSION;
	(void)process_add(table, 20);
	runs(table, 20, "/bin/twenty");
	(void)process_forked(table, 10, 11, 1);
	runs(table, 11, "/bin/old");
	process_exited(table, 11, 2);
	(void)process_forked(table, 20, 11, 3);
	assert_string_equal(label_text(process_find(table, 11)->program), "/bin/twenty");
	assert_false(process_find(table, 11)->flags & (PROCESS_SESSION | PROCESS_ENDED));
	process_table_expire(table, 1000);
	assert_non_null(process_find(table, 11));
	process_table_free(table);
}

/* exec from a thread: the leader's end is told, then the thread lives on under its pid. */
static void an_exec_after_the_end_revives(void **state)
{
	struct process_table *table = table_of(16);

	(void)state;
	(void)process_add(table, 10);
	process_exited(table, 10, 5);
	assert_non_null(process_executed(table, 10));
	process_table_expire(table, 1000);
	assert_non_null(process_find(table, 10));
	process_table_free(table);
}

static void a_full_table_keeps_the_living(void **state)
{
	struct process_table *table = table_of(3);

	(void)state;
	(void)process_add(table, 1);
	(void)process_add(table, 2);
	(void)process_add(table, 3);
	assert_null(process_add(table, 4));
	assert_int_equal(process_table_refused(table), 1);
	process_exited(table, 2, 1);
	assert_non_null(process_add(table, 4));
	assert_null(process_find(table, 2));
	assert_int_equal(process_table_refused(table), 1);
	assert_int_equal(process_table_count(table), 3);
	assert_null(process_add(table, 0));
	assert_null(process_add(table, -1));
	process_table_free(table);
}

static void a_hundred_thousand_processes(void **state)
{
	struct process_table *table = table_of(131072);
	pid_t pids[3];

	(void)state;
	(void)process_add(table, 1);
	runs(table, 1, "/sbin/init");
	for (pid_t pid = 2; pid <= 100000; pid++)
		assert_non_null(process_forked(table, 1, pid, (uint64_t)pid));
	process_find(table, 99999)->flags |= PROCESS_KERNEL;
	assert_int_equal(process_table_recent(table, pids, 3), 3);
	assert_int_equal(pids[0], 100000);
	assert_int_equal(pids[1], 99998);
	assert_int_equal(pids[2], 99997);
	for (pid_t pid = 1; pid <= 100000; pid++)
		assert_int_equal(process_find(table, pid)->pid, pid);
	process_find(table, 50000)->generation = 7;
	process_table_sweep_end(table, 7, 10);
	process_table_expire(table, 11);
	assert_int_equal(process_table_count(table), 1);
	assert_non_null(process_find(table, 50000));
	process_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_begins_with_what_its_parent_has),
		cmocka_unit_test(the_parent_is_what_it_was_at_the_fork),
		cmocka_unit_test(late_files_find_their_image),
		cmocka_unit_test(each_image_has_the_user_it_began_with),
		cmocka_unit_test(ended_processes_stay_for_a_while),
		cmocka_unit_test(a_reused_pid_is_somebody_else),
		cmocka_unit_test(an_exec_after_the_end_revives),
		cmocka_unit_test(a_full_table_keeps_the_living),
		cmocka_unit_test(a_hundred_thousand_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
