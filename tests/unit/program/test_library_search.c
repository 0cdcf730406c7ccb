/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "program/library_search.h"

/* A place for files that goes when the test ends. */
struct scene {
	char root[64];
	struct library_places *places;
	char found[1024]; /* without the root, each with a blank behind it */
};

/* A library that names one path to look in. */
static void put_library(const char *path, uint16_t machine, int64_t tag, const char *search_path)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		Elf64_Dyn dynamic[4];
		char names[4200];
	} image = {
		.header = {.e_type = ET_DYN,
			   .e_machine = machine,
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segments = {{.p_type = PT_LOAD, .p_filesz = sizeof(image)},
			     {.p_type = PT_DYNAMIC,
			      .p_offset = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
			      .p_filesz = sizeof(image.dynamic)}},
		.dynamic = {{.d_tag = DT_STRTAB,
			     .d_un.d_val = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) +
					   4 * sizeof(Elf64_Dyn)},
			    {.d_tag = tag, .d_un.d_val = 1}},
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = ELFCLASS64;
	image.header.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	(void)snprintf(image.names + 1, sizeof(image.names) - 1, "%s",
		       search_path ? search_path : "");
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &image, sizeof(image)), sizeof(image));
	(void)close(fd);
}

static const char *in(const struct scene *scene, const char *path, char whole[512])
{
	(void)snprintf(whole, 512, "%s%s", scene->root, path);
	return whole;
}

static void put(struct scene *scene, const char *path)
{
	char whole[512];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		(void)snprintf(whole, sizeof(whole), "%s%.*s", scene->root, (int)(at - path), path);
		(void)mkdir(whole, 0755);
	}
	put_library(in(scene, path, whole), EM_X86_64, DT_NULL, NULL);
}

static void put_text(struct scene *scene, const char *path, const char *format)
{
	char whole[512];
	FILE *file;

	put(scene, path);
	file = fopen(in(scene, path, whole), "w");
	assert_non_null(file);
	for (; *format; format++)
		(void)(*format == '@' ? fputs(scene->root, file) : fputc(*format, file));
	(void)fclose(file);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)strcpy(scene->root, "/tmp/rtguard-libraries-XXXXXX");
	*state = scene;
	return mkdtemp(scene->root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	library_places_free(scene->places);
	(void)nftw(scene->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	return 0;
}

/* What ld.so.conf says is in root, with @ for it. */
static void configure(struct scene *scene, const char *configuration)
{
	char conf[512];
	char pattern[512];

	put_text(scene, "/ld.so.conf", configuration);
	assert_int_equal(library_places_new(in(scene, "/ld.so.conf", conf),
					    in(scene, "/musl-*.path", pattern), &scene->places),
			 0);
}

static int note(void *context, const char *path)
{
	struct scene *scene = context;
	size_t length = strlen(scene->found);

	assert_int_equal(strncmp(path, scene->root, strlen(scene->root)), 0);
	(void)snprintf(scene->found + length, sizeof(scene->found) - length, "%s ",
		       path + strlen(scene->root));
	return 0;
}

/* What a file with that search path, used by one with that, gets for the name. */
static const char *search(struct scene *scene, int64_t tag, const char *path, int64_t above_tag,
			  const char *above_path, const char *name)
{
	struct executable_format above = {0};
	struct executable_format format = {0};
	char above_file[512];
	char file[512];
	struct library_user parent = {in(scene, "/above/bin/program", above_file), &above, NULL};
	struct library_user user = {in(scene, "/app/bin/user", file), &format, &parent};
	char image[512];
	int result;
	int fd;

	put_library(in(scene, "/image", image), EM_X86_64, tag, path);
	fd = open(image, O_RDONLY | O_CLOEXEC);
	assert_int_equal(executable_format_of(fd, &format), 0);
	(void)close(fd);
	put_library(image, EM_X86_64, above_tag, above_path);
	fd = open(image, O_RDONLY | O_CLOEXEC);
	assert_int_equal(executable_format_of(fd, &above), 0);
	(void)close(fd);
	scene->found[0] = '\0';
	result = library_search(scene->places, &user, name, note, scene);
	assert_int_equal(result, scene->found[0] ? 0 : -ENOENT);
	executable_format_clear(&format);
	executable_format_clear(&above);
	return scene->found;
}

#define SEARCH(scene, name) search(scene, DT_NULL, NULL, DT_NULL, NULL, name)

static void directories_come_from_the_configuration(void **state)
{
	struct scene *scene = *state;

	put(scene, "/first/liba.so");
	put(scene, "/second/liba.so");
	put(scene, "/second/libb.so");
	put(scene, "/third/libc3.so");
	put(scene, "/musl/libd.so");
	put_text(scene, "/conf.d/x.conf", "@/second\n");
	put_text(scene, "/conf.d/loop.conf", "include x.conf\ninclude loop.conf\n@/third=libc6\n");
	put_text(scene, "/musl-x.path", "@/nowhere:@/musl");
	configure(
		scene,
		"# a comment\n  @/first  # one\nhwcap 1 x\nrelative/dir\ninclude conf.d/*.conf\n");
	assert_string_equal(SEARCH(scene, "liba.so"), "/first/liba.so ");
	assert_string_equal(SEARCH(scene, "libb.so"), "/second/libb.so ");
	assert_string_equal(SEARCH(scene, "libc3.so"), "/third/libc3.so ");
	assert_string_equal(SEARCH(scene, "libd.so"), "/musl/libd.so ");
	assert_string_equal(SEARCH(scene, "liba.s*"), "");
}

static void links_lead_to_files_and_other_machines_are_passed_over(void **state)
{
	struct scene *scene = *state;
	char path[512];
	char target[512];

	put(scene, "/first/other.so");
	put_library(in(scene, "/first/liba.so", path), EM_ARM, DT_NULL, NULL);
	put_text(scene, "/first/libb.so", "INPUT(libb.so.1)\n");
	put(scene, "/second/liba.so.1.2");
	put(scene, "/second/libb.so");
	assert_int_equal(symlink(in(scene, "/second/liba.so.1.2", target),
				 in(scene, "/second/liba.so", path)),
			 0);
	configure(scene, "@/first\n@/second\n");
	assert_string_equal(SEARCH(scene, "liba.so"), "/second/liba.so.1.2 ");
	assert_string_equal(SEARCH(scene, "libb.so"), "/second/libb.so ");
	assert_string_equal(SEARCH(scene, "libnone.so"), "");
}

static void variants_for_processors_come_along(void **state)
{
	struct scene *scene = *state;

	put(scene, "/first/glibc-hwcaps/x86-64-v2/liba.so");
	put(scene, "/first/glibc-hwcaps/x86-64-v3/liba.so");
	put(scene, "/first/liba.so");
	put(scene, "/second/liba.so");
	configure(scene, "@/first\n@/second\n");
	assert_string_equal(SEARCH(scene, "liba.so"),
			    "/first/liba.so /first/glibc-hwcaps/x86-64-v2/liba.so "
			    "/first/glibc-hwcaps/x86-64-v3/liba.so ");
}

static void paths_in_the_file_go_first(void **state)
{
	struct scene *scene = *state;
	char own[600];

	put(scene, "/system/liba.so");
	put(scene, "/app/lib/liba.so");
	put(scene, "/above/lib/liba.so");
	configure(scene, "@/system\n");
	(void)snprintf(own, sizeof(own), "%s/nowhere:%s/app/lib", scene->root, scene->root);
	assert_string_equal(search(scene, DT_RUNPATH, own, DT_NULL, NULL, "liba.so"),
			    "/app/lib/liba.so ");
	assert_string_equal(search(scene, DT_RPATH, own, DT_NULL, NULL, "liba.so"),
			    "/app/lib/liba.so ");
	assert_string_equal(search(scene, DT_RUNPATH, "$ORIGIN/../lib", DT_NULL, NULL, "liba.so"),
			    "/system/liba.so "); /* there is no /app/bin */
	put(scene, "/app/bin/x");
	assert_string_equal(search(scene, DT_RUNPATH, "$ORIGIN/../lib", DT_NULL, NULL, "liba.so"),
			    "/app/lib/liba.so ");
	assert_string_equal(search(scene, DT_RUNPATH, "${ORIGIN}/../lib", DT_NULL, NULL, "liba.so"),
			    "/app/lib/liba.so ");
	/* what cannot be told, and what depends on the working directory, is left */
	assert_string_equal(
		search(scene, DT_RUNPATH, "$PLATFORM/x::lib:../app/lib", DT_NULL, NULL, "liba.so"),
		"/system/liba.so ");
}

static void only_rpath_is_inherited(void **state)
{
	struct scene *scene = *state;

	put(scene, "/system/liba.so");
	put(scene, "/above/lib/liba.so");
	put(scene, "/above/bin/x");
	configure(scene, "@/system\n");
	assert_string_equal(search(scene, DT_NULL, NULL, DT_RPATH, "$ORIGIN/../lib", "liba.so"),
			    "/above/lib/liba.so ");
	assert_string_equal(search(scene, DT_NULL, NULL, DT_RUNPATH, "$ORIGIN/../lib", "liba.so"),
			    "/system/liba.so ");
	/* and DT_RUNPATH of who asks ends the inheritance */
	assert_string_equal(
		search(scene, DT_RUNPATH, "/nowhere", DT_RPATH, "$ORIGIN/../lib", "liba.so"),
		"/system/liba.so ");
}

static void a_name_with_a_slash_is_a_path(void **state)
{
	struct scene *scene = *state;
	char path[512];

	put(scene, "/own/liba.so");
	put(scene, "/system/own/liba.so");
	configure(scene, "@/system\n");
	assert_string_equal(SEARCH(scene, in(scene, "/own/liba.so", path)), "/own/liba.so ");
	assert_string_equal(SEARCH(scene, "own/liba.so"), "");
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(directories_come_from_the_configuration),
		SCENE_TEST(links_lead_to_files_and_other_machines_are_passed_over),
		SCENE_TEST(variants_for_processors_come_along),
		SCENE_TEST(paths_in_the_file_go_first),
		SCENE_TEST(only_rpath_is_inherited),
		SCENE_TEST(a_name_with_a_slash_is_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
