/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program/environment.h"

static void variables_count_for_their_interpreter(void **state)
{
	(void)state;
	assert_true(environment_brings_code("/usr/bin/perl5.36", "PERL5DB=BEGIN{}"));
	assert_true(environment_brings_code("/bin/bash", "BASH_FUNC_ls%%=() { :; }"));
	assert_true(environment_brings_code("/usr/bin/python3.11", "PYTHONINSPECT=1"));
	assert_true(environment_brings_code("lua5.4", "LUA_INIT_5_4=os.exit()"));
	assert_false(environment_brings_code("/bin/bash", "PERL5DB=BEGIN{}"));
	assert_false(environment_brings_code("/usr/bin/perl", "BASH_ENV=/dev/stdin"));
	assert_false(environment_brings_code("/perl/tool", "PERL5DB=BEGIN{}"));
}

static void names_are_whole(void **state)
{
	(void)state;
	assert_false(environment_brings_code("/bin/bash", "BASH_ENVIRONMENT=x"));
	assert_false(environment_brings_code("/bin/bash", "XPS4=x"));
	assert_false(environment_brings_code("/bin/bash", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_count_for_their_interpreter),
		cmocka_unit_test(names_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
