/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "program/executable_format.h"

struct image {
	const unsigned char *bytes;
	size_t size;
};

static ssize_t read_image(void *context, void *bytes, size_t size, uint64_t offset)
{
	const struct image *image = context;

	if (offset >= image->size)
		return 0;
	if (size > image->size - offset)
		size = image->size - offset;
	memcpy(bytes, image->bytes + offset, size);
	return (ssize_t)size;
}

static bool needs(const struct executable_format *format, const char *library_name)
{
	for (size_t at = 0; at < format->needed_size; at += strlen(format->needed + at) + 1)
		if (strcmp(format->needed + at, library_name) == 0)
			return true;
	return false;
}

static struct executable_format format_of(const void *bytes, size_t size)
{
	struct image image = {.bytes = bytes, .size = size};
	struct executable_format format;

	assert_int_equal(executable_format_read(read_image, &image, &format), 0);
	return format;
}

/* A small but complete shared object or program. */
struct crafted {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[6];
	char names[32];
	char loader[16];
};

static struct crafted craft(uint16_t type, bool loader, uint64_t flags)
{
	static const char names[] = "\0libx.so.1\0liby.so\0self.so.2";
	struct crafted crafted = {
		.header = {.e_type = type,
			   .e_phoff = offsetof(struct crafted, segments),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3},
		.segments = {{.p_type = PT_LOAD,
			      .p_vaddr = 0x1000,
			      .p_filesz = sizeof(struct crafted)},
			     {.p_type = PT_DYNAMIC,
			      .p_offset = offsetof(struct crafted, dynamic),
			      .p_filesz = sizeof(crafted.dynamic)},
			     {.p_type = loader ? PT_INTERP : PT_NULL,
			      .p_offset = offsetof(struct crafted, loader),
			      .p_filesz = sizeof("/lib/ld.so")}},
		.dynamic = {{.d_tag = DT_STRTAB,
			     .d_un.d_val = 0x1000 + offsetof(struct crafted, names)},
			    {.d_tag = DT_NEEDED, .d_un.d_val = 1},
			    {.d_tag = DT_NEEDED, .d_un.d_val = 11},
			    {.d_tag = DT_SONAME, .d_un.d_val = 19},
			    {.d_tag = DT_FLAGS_1, .d_un.d_val = flags},
			    {.d_tag = DT_NULL}},
		.loader = "/lib/ld.so",
	};

	memcpy(crafted.header.e_ident, ELFMAG, SELFMAG);
	crafted.header.e_ident[EI_CLASS] = ELFCLASS64;
	crafted.header.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	memcpy(crafted.names, names, sizeof(names));
	return crafted;
}

static void tells_programs_from_libraries(void **state)
{
	struct crafted dynamic = craft(ET_DYN, true, 0);
	struct crafted library = craft(ET_DYN, false, 0);
	struct crafted static_pie = craft(ET_DYN, false, DF_1_PIE);
	struct crafted fixed = craft(ET_EXEC, false, 0);
	struct crafted object = craft(ET_REL, false, 0);
	struct executable_format format = format_of(&dynamic, sizeof(dynamic));

	(void)state;
	assert_int_equal(format.kind, EXECUTABLE_PROGRAM);
	assert_true(format.has_loader);
	assert_string_equal(format.interpreter, "/lib/ld.so");
	executable_format_clear(&format);
	format = format_of(&library, sizeof(library));
	assert_int_equal(format.kind, EXECUTABLE_LIBRARY);
	assert_false(format.has_loader);
	assert_string_equal(format.library_name, "self.so.2");
	assert_true(needs(&format, "libx.so.1"));
	assert_true(needs(&format, "liby.so"));
	assert_false(needs(&format, "self.so.2"));
	assert_false(needs(&format, "libx.so"));
	executable_format_clear(&format);
	format = format_of(&static_pie, sizeof(static_pie));
	assert_int_equal(format.kind, EXECUTABLE_PROGRAM);
	executable_format_clear(&format);
	format = format_of(&fixed, sizeof(fixed));
	assert_int_equal(format.kind, EXECUTABLE_PROGRAM);
	executable_format_clear(&format);
	format = format_of(&object, sizeof(object));
	assert_int_equal(format.kind, EXECUTABLE_OTHER);
	executable_format_clear(&format);
}

static void reads_script_lines(void **state)
{
	static const struct {
		const char *text;
		const char *interpreter;
	} cases[] = {
		{"#!/bin/sh\necho", "/bin/sh"},
		{"#! \t/usr/bin/env python3\n", "/usr/bin/env"},
		{"#!/bin/sh", "/bin/sh"},
		{"#!\n/bin/sh", ""},
		{"#!", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct executable_format format = format_of(cases[i].text, strlen(cases[i].text));

		assert_int_equal(format.kind, EXECUTABLE_SCRIPT);
		assert_string_equal(format.interpreter, cases[i].interpreter);
	}
	assert_int_equal(format_of("echo", 4).kind, EXECUTABLE_OTHER);
	assert_int_equal(format_of("#", 1).kind, EXECUTABLE_OTHER);
	assert_int_equal(format_of("", 0).kind, EXECUTABLE_OTHER);
}

static void a_very_long_script_line(void **state)
{
	char line[600];
	struct executable_format format;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	format = format_of(line, sizeof(line));
	assert_int_equal(format.kind, EXECUTABLE_SCRIPT);
	assert_true(strlen(format.interpreter) < sizeof(format.interpreter));
}

static void every_cut_and_many_flips_are_safe(void **state)
{
	struct crafted crafted = craft(ET_DYN, true, 0);

	(void)state;
	for (size_t size = 0; size < sizeof(crafted); size++) {
		unsigned char *cut = malloc(size + 1);
		struct executable_format format;

		assert_non_null(cut);
		memcpy(cut, &crafted, size);
		format = format_of(cut, size);
		executable_format_clear(&format);
		free(cut);
	}
	srand(2);
	for (int i = 0; i < 50000; i++) {
		struct crafted flipped = crafted;
		struct executable_format format;

		for (int flips = rand() % 8; flips >= 0; flips--)
			((unsigned char *)&flipped)[(size_t)rand() % sizeof(flipped)] =
				rand() % 2 ? 0xff : (unsigned char)rand();
		format = format_of(&flipped, sizeof(flipped));
		executable_format_clear(&format);
	}
}

static void knows_itself(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct executable_format format;

	(void)state;
	assert_int_equal(executable_format_of(fd, &format), 0);
	assert_int_equal(format.kind, EXECUTABLE_PROGRAM);
	assert_true(needs(&format, "libcmocka.so.0"));
	executable_format_clear(&format);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_programs_from_libraries),
		cmocka_unit_test(reads_script_lines),
		cmocka_unit_test(a_very_long_script_line),
		cmocka_unit_test(every_cut_and_many_flips_are_safe),
		cmocka_unit_test(knows_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
