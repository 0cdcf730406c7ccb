/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "program/file_nature.h"

#define ELF(data, ...)                                                                             \
	"\x7f"                                                                                     \
	"ELF\x02" data "\x01\0\0\0\0\0\0\0\0\0" __VA_ARGS__

#define NATURE(bytes, path, nature)                                                                \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, path, nature                                             \
	}

static void natures(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *path;
		enum file_nature nature;
	} cases[] = {
		NATURE("", "/x", FILE_EMPTY),
		NATURE("", "/x.py", FILE_EMPTY),
		NATURE("hello", "/x", FILE_DATA),
		NATURE("hello", "", FILE_DATA),
		NATURE("hello", "/x.py", FILE_CODE),
		NATURE("hello", "/x.pyx", FILE_DATA),
		NATURE("hello", "/dir.py/x", FILE_DATA),
		NATURE("\x7f", "/lib/a.pyc", FILE_CODE),
		NATURE("#!/bin/sh\n", "/x", FILE_CODE),
		NATURE("#!", "/x", FILE_CODE),
		NATURE("#", "/x", FILE_DATA),
		NATURE("\x1b"
		       "Lua",
		       "/x", FILE_CODE),
		NATURE("\xca\xfe\xba\xbe", "/x", FILE_CODE),
		/* little endian */
		NATURE(ELF("\x01", "\x02\0"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x01", "\x03\0"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x01", "\x01\0"), "/x.py", FILE_RELOCATABLE),
		NATURE(ELF("\x01", "\x04\0"), "/core", FILE_DATA),
		/* big endian */
		NATURE(ELF("\x02", "\0\x02"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x02", "\0\x03"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x02", "\0\x01"), "/x", FILE_RELOCATABLE),
		/* the kernel does not look which of both it says */
		NATURE(ELF("\x02", "\x02\0"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x02", "\x03\0"), "/x", FILE_EXECUTABLE),
		/* odd ones */
		NATURE("\x7f"
		       "ELF",
		       "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x01", "\x03"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x01", "\0\0"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x01", "\x77\x77"), "/x", FILE_EXECUTABLE),
		NATURE(ELF("\x09", "\x09\x09"), "/x", FILE_EXECUTABLE),
	};

	(void)state;
	for (size_t i = 0; i < array_length(cases); i++)
		if (file_nature_of((const uint8_t *)cases[i].bytes, cases[i].size, cases[i].path) !=
		    cases[i].nature)
			fail_msg("case %zu, %s", i, cases[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
