/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/host/socket_verdict.h"

struct holder {
	pid_t pid; /* 0: no more */
	const char *program;
	bool left_out;
};

static const struct {
	struct holder holders[4];
	const char *program;
	bool left_out;
} cases[] = {
	{{{0}}, NULL, false},
	{{{7, "/a", false}}, "/a", false},
	{{{7, "/a", false}, {8, "/a", false}}, "/a", false},
	{{{7, "/a", false}, {8, "/b", false}}, NULL, false},
	{{{7, "/a", false}, {8, "/b", false}, {9, "/a", false}}, NULL, false},
	/* socket activation */
	{{{1, "/init", false}}, "/init", false},
	{{{1, "/init", false}, {7, "/a", false}}, "/a", false},
	{{{7, "/a", false}, {1, "/init", false}, {8, "/a", false}}, "/a", false},
	{{{1, "/init", false}, {7, "/a", false}, {8, "/b", false}}, NULL, false},
	/* somebody who can't be known */
	{{{7, NULL, false}}, NULL, false},
	{{{7, "/a", false}, {8, NULL, false}}, NULL, false},
	{{{1, NULL, false}}, NULL, false},
	/* those left out */
	{{{7, NULL, true}}, NULL, true},
	{{{7, "/a", true}, {8, "/b", true}}, NULL, true},
	{{{1, "/init", false}, {7, "/a", true}}, NULL, true},
	{{{7, "/a", true}, {8, "/b", false}}, "/b", false},
};

static void weighs_holders(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_length(cases); i++) {
		struct socket_verdict verdict = {0};
		const char *program;
		bool left_out;

		for (size_t h = 0; cases[i].holders[h].pid; h++)
			assert_int_equal(socket_verdict_add(&verdict, cases[i].holders[h].pid,
							    cases[i].holders[h].program,
							    cases[i].holders[h].left_out),
					 0);
		program = socket_verdict_program(&verdict, &left_out);
		if (cases[i].program)
			assert_string_equal(program, cases[i].program);
		else
			assert_null(program);
		assert_int_equal(left_out, cases[i].left_out);
		assert_int_equal(verdict.held, cases[i].holders[0].pid != 0);
		socket_verdict_clear(&verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weighs_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
