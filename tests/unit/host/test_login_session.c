/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/host/login_session.h"

enum { TERMINAL = 1, LISTENS = 2 };

struct member {
	pid_t pid;
	pid_t parent;
	int has;
};

/* A table of members that ends with pid 0. */
static bool look_up(void *context, pid_t pid, struct session_process *ret_process)
{
	for (const struct member *member = context; member->pid; member++) {
		if (member->pid != pid)
			continue;
		*ret_process = (struct session_process){.parent = member->parent,
							.has_terminal = member->has & TERMINAL,
							.listens = member->has & LISTENS};
		return true;
	}
	return false;
}

struct tree {
	const char *what;
	struct member members[9];
	pid_t self;
	pid_t root;
};

static const struct tree trees[] = {
	{"sshd under init: listener, privileged, user's, shell, sudo, self",
	 {{1, 0, 0},
	  {50, 1, LISTENS},
	  {60, 50, 0},
	  {61, 60, 0},
	  {62, 61, TERMINAL},
	  {63, 62, TERMINAL},
	  {64, 63, TERMINAL}},
	 64,
	 60},
	{"sshd without a terminal for the command",
	 {{1, 0, 0}, {50, 1, LISTENS}, {60, 50, 0}, {61, 60, 0}, {62, 61, 0}},
	 62,
	 60},
	{"OpenSSH 9.8: listener, sshd-session twice, shell",
	 {{1, 0, 0}, {50, 1, LISTENS}, {60, 50, 0}, {61, 60, 0}, {62, 61, TERMINAL}},
	 62,
	 60},
	{"s6: svscan, supervise, listener, connection, shell",
	 {{1, 0, 0},
	  {30, 1, 0},
	  {31, 30, 0},
	  {50, 31, LISTENS},
	  {60, 50, 0},
	  {61, 60, TERMINAL},
	  {62, 61, TERMINAL}},
	 62,
	 60},
	{"s6-svscan is pid 1: supervise, listener, connection, shell",
	 {{1, 0, 0}, {31, 1, 0}, {50, 31, LISTENS}, {60, 50, 0}, {61, 60, TERMINAL}},
	 61,
	 60},
	{"a listener that a script started from a console",
	 {{1, 0, 0}, {40, 1, TERMINAL}, {50, 40, LISTENS | TERMINAL}, {60, 50, 0}, {61, 60, 1}},
	 61,
	 60},
	{"dropbear: listener, connection, shell",
	 {{1, 0, 0}, {50, 1, LISTENS}, {60, 50, 0}, {61, 60, TERMINAL}},
	 61,
	 60},
	{"inetd: listener, telnetd, login, shell",
	 {{1, 0, 0}, {50, 1, LISTENS}, {60, 50, 0}, {61, 60, TERMINAL}, {62, 61, TERMINAL}},
	 62,
	 60},
	{"sshd@ by socket activation: init itself listens",
	 {{1, 0, LISTENS}, {60, 1, 0}, {61, 60, 0}, {62, 61, TERMINAL}},
	 62,
	 61},
	{"console: login, shell, self",
	 {{1, 0, 0}, {70, 1, TERMINAL}, {71, 70, TERMINAL}, {72, 71, TERMINAL}},
	 72,
	 70},
	{"console: the shell is a child of init", {{1, 0, 0}, {70, 1, TERMINAL}}, 70, 70},
	{"tmux: its server serves other panes as well",
	 {{1, 0, 0}, {80, 1, 0}, {81, 80, TERMINAL}, {82, 81, TERMINAL}},
	 82,
	 81},
	{"started by a service manager", {{1, 0, 0}, {90, 1, 0}}, 90, 90},
	{"started by a supervisor below init", {{1, 0, 0}, {30, 1, 0}, {90, 30, 0}}, 90, 90},
	{"entered a container from outside", {{1, 0, 0}, {20, 0, 1}, {21, 20, 1}}, 21, 20},
	{"is what entered a container", {{1, 0, 0}, {20, 0, 1}}, 20, 20},
	{"started by a service of a container", {{1, 0, 0}, {5, 1, 0}, {6, 5, 0}}, 6, 6},
	{"is the container's init", {{1, 0, 0}}, 1, 1},
};

static void the_session_begins_below_who_serves_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(trees); i++) {
		struct tree tree = trees[i];
		pid_t root = login_session_root(look_up, tree.members, tree.self);

		if (root != tree.root)
			print_error("%s: %d\n", tree.what, (int)root);
		assert_int_equal(root, tree.root);
	}
}

static void broken_trees(void **state)
{
	struct member gone[] = {{31, 30, 0}, {0, 0, 0}};
	struct member circle[] = {{40, 41, 0}, {41, 40, 0}, {0, 0, 0}};
	struct member none[] = {{0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, gone, 31), 31);
	assert_int_equal(login_session_root(look_up, circle, 40), 40);
	assert_int_equal(login_session_root(look_up, none, 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_session_begins_below_who_serves_others),
		cmocka_unit_test(broken_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
