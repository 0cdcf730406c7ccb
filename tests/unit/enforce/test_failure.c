/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enforce/failure.h"

static void every_failure_has_an_answer(void **state)
{
	(void)state;
	for (int i = 0; i < FAILURE_COUNT; i++) {
		const struct failure_answer *answer = failure_answer((enum failure)i);

		assert_true(answer->name && *answer->what && *answer->answer && *answer->remedy);
		assert_int_equal(strspn(answer->name, "abcdefghijklmnopqrstuvwxyz-"),
				 strlen(answer->name));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(answer->name,
						failure_answer((enum failure)j)->name);
	}
	assert_null(failure_answer(FAILURE_COUNT));
	assert_null(failure_answer((enum failure) - 1));
}

/* The document's table says the same, row by row and nothing else. */
static void the_document_has_the_same_rows(void **state)
{
	const char *docs = getenv("RTGUARD_DOCS");
	_cleanup_(freep) char *path = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *at;
	size_t size;
	int rows = 0;

	(void)state;
	if (!docs) {
		print_message("skipped: RTGUARD_DOCS does not say where the documents are\n");
		skip();
	}
	assert_true(asprintf(&path, "%s/enforcing.md", docs) > 0);
	assert_int_equal(file_read(path, 1 << 20, &text, &size, NULL), 0);
	at = strstr(text, "\n## When things fail\n");
	assert_non_null(at);
	for (at = strstr(at, "\n| `"); at; at = strchr(at + 1, '\n')) {
		const struct failure_answer *answer = failure_answer((enum failure)rows);
		_cleanup_(freep) char *row = NULL;

		if (strncmp(at, "\n| `", 4) != 0)
			break;
		if (!answer)
			fail_msg("one row too many: %.40s", at + 1);
		assert_true(asprintf(&row, "\n| `%s` | %s | %s | %s |\n", answer->name,
				     answer->what, answer->answer, answer->remedy) > 0);
		if (strncmp(at, row, strlen(row)) != 0)
			fail_msg("expected%sfound\n%.*s", row, (int)strcspn(at + 1, "\n"), at + 1);
		rows++;
	}
	assert_int_equal(rows, FAILURE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_has_an_answer),
		cmocka_unit_test(the_document_has_the_same_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
