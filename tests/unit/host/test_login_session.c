/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe/host/login_session.h"

struct member {
	pid_t pid;
	pid_t parent;
	bool has_terminal;
};

/* A table of members that ends with pid 0. */
static bool look_up(void *context, pid_t pid, struct session_process *ret_process)
{
	for (const struct member *member = context; member->pid; member++) {
		if (member->pid != pid)
			continue;
		ret_process->parent = member->parent;
		ret_process->has_terminal = member->has_terminal;
		return true;
	}
	return false;
}

static void ssh_with_sudo(void **state)
{
	/* listener, privileged, user's, shell, sudo, self */
	struct member tree[] = {{1, 0, 0},   {50, 1, 0},  {60, 50, 0}, {61, 60, 0},
				{62, 61, 1}, {63, 62, 1}, {64, 63, 1}, {0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, tree, 64), 60);
}

static void console_login(void **state)
{
	struct member tree[] = {{1, 0, 0}, {70, 1, 1}, {71, 70, 1}, {72, 71, 1}, {0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, tree, 72), 70);
}

static void terminal_multiplexer(void **state)
{
	/* the server is a daemon that serves other panes as well */
	struct member tree[] = {{1, 0, 0}, {80, 1, 0}, {81, 80, 1}, {82, 81, 1}, {0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, tree, 82), 81);
}

static void service_manager(void **state)
{
	struct member tree[] = {{1, 0, 0}, {90, 1, 0}, {0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, tree, 90), 90);
}

static void container(void **state)
{
	/* entered from outside: its parent is in another pid namespace */
	struct member entered[] = {{1, 0, 0}, {20, 0, 1}, {21, 20, 1}, {0, 0, 0}};
	/* started by the container's init */
	struct member init[] = {{1, 0, 0}, {5, 1, 0}, {6, 5, 0}, {0, 0, 0}};
	struct member is_init[] = {{1, 0, 0}, {0, 0, 0}};

	(void)state;
	assert_int_equal(login_session_root(look_up, entered, 21), 20);
	assert_int_equal(login_session_root(look_up, entered, 20), 20);
	assert_int_equal(login_session_root(look_up, init, 6), 6);
	assert_int_equal(login_session_root(look_up, is_init, 1), 1);
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
		cmocka_unit_test(ssh_with_sudo),
		cmocka_unit_test(console_login),
		cmocka_unit_test(terminal_multiplexer),
		cmocka_unit_test(service_manager),
		cmocka_unit_test(container),
		cmocka_unit_test(broken_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
