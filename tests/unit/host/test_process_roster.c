/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/host/process_info.h"
#include "observe/host/process_roster.h"

/* sshd 100 - connection 200 - shell 201 - self 202; pids beyond any of this machine */
enum { BASE = 5000000, INIT = BASE, SSHD = BASE + 100, CONNECTION = BASE + 200, SHELL, SELF };

struct place {
	struct process_table *table;
	struct process_roster *roster;
};

static struct process *add(struct place *place, pid_t pid, pid_t parent, pid_t session)
{
	struct process *process = process_add(place->table, pid);

	process->parent_pid = parent;
	process->session = session;
	(void)process_roster_enroll(place->roster, process);
	return process;
}

static bool left_out(struct place *place, pid_t pid)
{
	return process_roster_left_out(place->roster, process_find(place->table, pid));
}

static struct place place_with(struct login_session session, bool include_session)
{
	struct place place;
	struct process_roster_config config = {
		.session = session, .include_session = include_session, .process_events = true};

	assert_int_equal(process_table_new(&place.table, 1000), 0);
	config.table = place.table;
	assert_int_equal(process_roster_new(&config, &place.roster), 0);
	(void)add(&place, INIT, 0, INIT);
	(void)add(&place, SSHD, INIT, SSHD);
	(void)add(&place, CONNECTION, SSHD, SSHD);
	(void)add(&place, SHELL, CONNECTION, SHELL);
	(void)add(&place, SELF, SHELL, SHELL);
	return place;
}

static struct place ssh(void)
{
	return place_with((struct login_session){.self = SELF,
						 .root = CONNECTION,
						 .outer = SSHD,
						 .audit = AUDIT_SESSION_UNSET},
			  false);
}

static void clear(struct place *place)
{
	process_roster_free(place->roster);
	process_table_free(place->table);
}

static void descendants_of_the_session_are_members(void **state)
{
	struct place place = ssh();

	(void)state;
	(void)add(&place, BASE + 300, SHELL, SHELL);
	(void)add(&place, BASE + 301, SSHD, SSHD);
	assert_false(left_out(&place, SSHD));
	assert_true(left_out(&place, CONNECTION));
	assert_true(left_out(&place, SHELL));
	assert_true(left_out(&place, SELF));
	assert_true(left_out(&place, BASE + 300));
	assert_false(left_out(&place, BASE + 301)); /* in the POSIX session above the root */
	clear(&place);
}

/* nohup x &, and the shell that started it is gone. */
static void an_orphan_is_known_by_its_posix_session(void **state)
{
	struct place place = ssh();

	(void)state;
	(void)add(&place, BASE + 300, INIT, SHELL);
	(void)add(&place, BASE + 301, INIT, BASE + 301);
	assert_true(left_out(&place, BASE + 300));
	assert_false(left_out(&place, BASE + 301));
	/* the id is in use for as long as somebody is in that session */
	process_exited(place.table, SHELL, 1);
	process_exited(place.table, SELF, 1);
	process_roster_swept(place.roster);
	(void)add(&place, BASE + 302, INIT, SHELL);
	assert_true(left_out(&place, BASE + 302));
	clear(&place);
}

static void a_posix_session_without_members_is_anybodys(void **state)
{
	struct place place = ssh();

	(void)state;
	process_exited(place.table, SHELL, 1);
	process_exited(place.table, SELF, 1);
	process_roster_swept(place.roster);
	(void)add(&place, BASE + 300, INIT, SHELL);
	assert_false(left_out(&place, BASE + 300));
	clear(&place);
}

static void without_a_session_only_we_are_left_out(void **state)
{
	struct place place = place_with(
		(struct login_session){.self = SELF, .root = SELF, .audit = AUDIT_SESSION_UNSET},
		false);

	(void)state;
	(void)add(&place, BASE + 300, SELF, SHELL);
	(void)add(&place, BASE + 301, INIT, SHELL);
	assert_false(left_out(&place, SHELL));
	assert_true(left_out(&place, SELF));
	assert_true(left_out(&place, BASE + 300));
	assert_false(left_out(&place, BASE + 301));
	clear(&place);
}

static void the_session_is_included_on_request(void **state)
{
	struct place place = place_with((struct login_session){.self = SELF,
							       .root = CONNECTION,
							       .outer = SSHD,
							       .audit = AUDIT_SESSION_UNSET},
					true);

	(void)state;
	assert_false(left_out(&place, SHELL));
	assert_true(left_out(&place, SELF));
	clear(&place);
}

/* As at a census: every process has a POSIX session of its own, half of them are members. */
static void a_hundred_thousand_processes(void **state)
{
	struct process_roster_config config = {
		.process_events = true,
		.session = {.self = SELF, .root = CONNECTION, .audit = AUDIT_SESSION_UNSET}};
	struct place place;

	(void)state;
	assert_int_equal(process_table_new(&place.table, 131072), 0);
	config.table = place.table;
	assert_int_equal(process_roster_new(&config, &place.roster), 0);
	(void)add(&place, CONNECTION, INIT, SSHD);
	for (pid_t pid = BASE + 1000; pid < BASE + 101000; pid++)
		(void)add(&place, pid, pid % 2 ? CONNECTION : INIT, pid);
	process_roster_swept(place.roster);
	for (pid_t pid = BASE + 1000; pid < BASE + 101000; pid++)
		assert_int_equal(left_out(&place, pid), pid % 2);
	clear(&place);
}

static void what_is_not_in_the_table_is_read_from_proc(void **state)
{
	struct process_roster_config config = {
		.session = {.self = getpid(), .root = getpid(), .audit = AUDIT_SESSION_UNSET}};
	struct place place;
	struct process *process;

	(void)state;
	assert_int_equal(process_table_new(&place.table, 1000), 0);
	config.table = place.table;
	assert_int_equal(process_roster_new(&config, &place.roster), 0);
	process = process_roster_find(place.roster, getpid());
	assert_non_null(process);
	assert_int_equal(process->parent_pid, getppid());
	assert_int_equal(process->session, getsid(0));
	assert_int_equal(process->user, geteuid());
	assert_int_equal(process_image_user(process), geteuid());
	assert_non_null(process->program);
	assert_true(left_out(&place, getpid()));
	assert_false(left_out(&place, getppid()));
	assert_null(process_roster_find(place.roster, BASE));
	clear(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descendants_of_the_session_are_members),
		cmocka_unit_test(an_orphan_is_known_by_its_posix_session),
		cmocka_unit_test(a_posix_session_without_members_is_anybodys),
		cmocka_unit_test(without_a_session_only_we_are_left_out),
		cmocka_unit_test(the_session_is_included_on_request),
		cmocka_unit_test(a_hundred_thousand_processes),
		cmocka_unit_test(what_is_not_in_the_table_is_read_from_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
