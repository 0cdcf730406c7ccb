/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/settings.h"
#include "kernel/settings_state.h"

/* A directory that looks like a kernel's, and the state beside it. */
struct place {
	char root[64];
	char state[96];
};

static void put(const struct place *place, const char *path, const char *value)
{
	char whole[256];
	FILE *file;

	(void)snprintf(whole, sizeof(whole), "%s/%s", place->root, path);
	file = fopen(whole, "w");
	assert_non_null(file);
	(void)fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const struct place *place, const char *path, const char *value)
{
	char whole[256];
	char *bytes;
	size_t size;

	(void)snprintf(whole, sizeof(whole), "%s/%s", place->root, path);
	assert_int_equal(file_read(whole, 1000, &bytes, &size, NULL), 0);
	bytes[strcspn(bytes, "\n")] = '\0';
	assert_string_equal(bytes, value);
	free(bytes);
}

#define MEMFD	"proc/sys/vm/memfd_noexec"
#define PTRACE	"proc/sys/kernel/yama/ptrace_scope"
#define MODULES "proc/sys/kernel/modules_disabled"
#define USERS	"proc/sys/user/max_user_namespaces"
#define BOOT	"proc/sys/kernel/random/boot_id"

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char command[256];

	assert_non_null(place);
	(void)snprintf(place->root, sizeof(place->root), "/tmp/rtguard-test-XXXXXX");
	assert_non_null(mkdtemp(place->root));
	(void)snprintf(place->state, sizeof(place->state), "%s/settings", place->root);
	(void)snprintf(command, sizeof(command),
		       "mkdir -p %s/proc/sys/vm %s/proc/sys/kernel/yama %s/proc/sys/user "
		       "%s/proc/sys/kernel/random",
		       place->root, place->root, place->root, place->root);
	assert_int_equal(system(command), 0);
	put(place, MEMFD, "0\n");
	put(place, PTRACE, "1\n");
	put(place, MODULES, "0\n");
	put(place, USERS, "31000\n");
	put(place, BOOT, "11111111-2222-3333-4444-555555555555\n");
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", place->root);
	free(place);
	return system(command);
}

static int apply(const struct place *place, const char *name, struct settings **settings,
		 struct error *error)
{
	return settings_apply(&name, 1, place->state, place->root, settings, error);
}

static void sets_and_puts_back(void **state)
{
	const struct place *place = *state;
	const char *names[] = {"ptrace", "memfd"};
	struct settings *settings;

	assert_int_equal(settings_apply(names, 2, place->state, place->root, &settings, NULL), 0);
	assert_holds(place, MEMFD, "2");
	assert_holds(place, PTRACE, "2");
	assert_holds(place, USERS, "31000");
	assert_int_equal(access(place->state, F_OK), 0);
	settings_restore(settings);
	assert_holds(place, MEMFD, "0");
	assert_holds(place, PTRACE, "1");
	assert_int_equal(access(place->state, F_OK), -1);
}

static void what_is_stricter_stays(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	put(place, PTRACE, "3\n");
	assert_int_equal(apply(place, "ptrace", &settings, NULL), 0);
	assert_holds(place, PTRACE, "3");
	assert_int_equal(access(place->state, F_OK), -1);
	settings_restore(settings);
	assert_holds(place, PTRACE, "3");
}

static void after_a_crash_the_first_values_come_back(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_free(settings); /* as a crash leaves it */
	assert_holds(place, MEMFD, "2");
	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_restore(settings);
	assert_holds(place, MEMFD, "0");
}

static void after_a_crash_what_is_no_longer_wanted_comes_back_at_once(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_free(settings);
	assert_int_equal(apply(place, "ptrace", &settings, NULL), 0);
	assert_holds(place, MEMFD, "0");
	assert_holds(place, PTRACE, "2");
	settings_restore(settings);
	assert_holds(place, PTRACE, "1");
}

/* A kernel that does not go back: what was there first is still known to a later start. */
static void what_cannot_be_put_back_stays_written_down(void **state)
{
	struct place *place = *state;
	struct settings *settings;
	char path[256];

	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_free(settings);
	(void)snprintf(path, sizeof(path), "%s/%s", place->root, MEMFD);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* cannot be written */
	assert_int_equal(apply(place, "ptrace", &settings, NULL), 0);
	settings_restore(settings);
	assert_int_equal(access(place->state, F_OK), 0);
	assert_int_equal(rmdir(path), 0);
	put(place, MEMFD, "2\n");
	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_restore(settings);
	assert_holds(place, MEMFD, "0");
	assert_int_equal(access(place->state, F_OK), -1);
}

static void another_boot_begins_anew(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_free(settings);
	put(place, BOOT, "99999999-2222-3333-4444-555555555555\n");
	put(place, MEMFD, "1\n"); /* as the new boot has it */
	assert_int_equal(apply(place, "memfd", &settings, NULL), 0);
	settings_restore(settings);
	assert_holds(place, MEMFD, "1");
}

static void what_lasts_until_the_next_boot_is_left(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	assert_int_equal(apply(place, "modules", &settings, NULL), 0);
	assert_int_equal(access(place->state, F_OK), -1); /* nothing to go back to */
	settings_restore(settings);
	assert_holds(place, MODULES, "1");
	assert_int_equal(access(place->state, F_OK), -1);
}

static void the_first_way_there_is_is_taken(void **state)
{
	const struct place *place = *state;
	struct settings *settings;

	assert_int_equal(apply(place, "user-namespaces", &settings, NULL), 0);
	assert_holds(place, USERS, "0");
	settings_restore(settings);
	assert_holds(place, USERS, "31000");
	put(place, "proc/sys/kernel/unprivileged_userns_clone", "1\n");
	assert_int_equal(apply(place, "user-namespaces", &settings, NULL), 0);
	assert_holds(place, USERS, "31000");
	assert_holds(place, "proc/sys/kernel/unprivileged_userns_clone", "0");
	settings_restore(settings);
}

struct visits {
	size_t set;
	size_t absent;
	char before[24];
};

static void count(void *context, const char *name, const char *sysctl, const char *before,
		  const char *now, int changed)
{
	struct visits *visits = context;

	(void)sysctl;
	(void)now;
	visits->set += changed == 1;
	visits->absent += changed == -ENOENT;
	if (strcmp(name, "ptrace") == 0)
		(void)snprintf(visits->before, sizeof(visits->before), "%s", before);
}

static void all_passes_over_what_the_kernel_has_not(void **state)
{
	const struct place *place = *state;
	struct visits visits = {0};
	struct settings *settings;

	assert_int_equal(apply(place, "all", &settings, NULL), 0);
	settings_each(settings, count, &visits);
	assert_int_equal(visits.set, 4);
	assert_int_equal(visits.absent, 4);
	assert_string_equal(visits.before, "1");
	settings_restore(settings);
	assert_holds(place, MEMFD, "0");
}

static void what_was_named_must_be_there(void **state)
{
	const struct place *place = *state;
	const char *names[] = {"memfd", "bpf"};
	struct settings *settings;
	struct error error = {0};

	assert_int_equal(settings_apply(names, 2, place->state, place->root, &settings, &error),
			 -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "kernel.unprivileged_bpf_disabled"));
	assert_holds(place, MEMFD, "0");
	assert_int_equal(apply(place, "memory", &settings, &error), -EINVAL);
	assert_non_null(strstr(error.message, "memfd, ptrace"));
}

/* One of two settings cannot be written. */
static void a_failure_undoes_what_was_done(void **state)
{
	const struct place *place = *state;
	const char *names[] = {"memfd", "ptrace"};
	struct settings *settings;
	struct error error = {0};
	char path[128];

	if (geteuid() == 0) {
		(void)snprintf(path, sizeof(path), "chattr +i %s/%s 2>/dev/null", place->root,
			       PTRACE);
		if (system(path) != 0) {
			print_message("skipped: root can write everything here\n");
			skip();
		}
	} else {
		(void)snprintf(path, sizeof(path), "%s/%s", place->root, PTRACE);
		assert_int_equal(chmod(path, 0444), 0);
	}
	assert_int_not_equal(settings_apply(names, 2, place->state, place->root, &settings, &error),
			     0);
	assert_non_null(strstr(error.message, "kernel.yama.ptrace_scope"));
	assert_holds(place, MEMFD, "0");
	assert_holds(place, PTRACE, "1");
	assert_int_equal(access(place->state, F_OK), -1);
	if (geteuid() == 0) {
		(void)snprintf(path, sizeof(path), "chattr -i %s/%s", place->root, PTRACE);
		assert_int_equal(system(path), 0);
	}
}

static void nothing_changes_where_nothing_can_be_written_down(void **state)
{
	struct place place = *(struct place *)*state;
	struct settings *settings;

	(void)snprintf(place.state, sizeof(place.state), "%s/missing/settings", place.root);
	assert_int_equal(apply(&place, "memfd", &settings, NULL), -ENOENT);
	assert_holds(&place, MEMFD, "0");
}

static void a_foreign_state_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		const char *says;
	} rows[] = {
		{"", "line 1"},
		{"hello\n", "line 1"},
		{"rtguard-settings 1\n", "line 2"},
		{"rtguard-settings 1\nboot=x\nvm.memfd_noexec=0\n", "line 4"},
		{"rtguard-settings 1\nboot=x\nvm.memfd_noexec=0\nen", "line 4"},
		{"rtguard-settings 1\nboot=x\nkernel.core_pattern=0\nend\n", "line 3"},
		{"rtguard-settings 1\nboot=x\nvm.memfd_noexec=-1\nend\n", "line 3"},
		{"rtguard-settings 1\nboot=x\nvm.memfd_noexec=99999999999999999999\nend\n",
		 "line 3"},
		{"rtguard-settings 1\nboot=x\nvm.memfd_noexec=0\nvm.memfd_noexec=0\nend\n",
		 "line 4"},
		{"rtguard-settings 1\nboot=x\nend\nend\n", "line 3"},
	};
	const struct place *place = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct settings *settings;
		struct error error = {0};

		put(place, "settings", rows[i].bytes);
		assert_int_equal(apply(place, "memfd", &settings, &error), -EINVAL);
		assert_non_null(strstr(error.message, rows[i].says));
		assert_non_null(strstr(error.message, place->state));
		assert_holds(place, MEMFD, "0");
	}
}

#define test_in_place(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_place(sets_and_puts_back),
		test_in_place(what_is_stricter_stays),
		test_in_place(after_a_crash_the_first_values_come_back),
		test_in_place(after_a_crash_what_is_no_longer_wanted_comes_back_at_once),
		test_in_place(what_cannot_be_put_back_stays_written_down),
		test_in_place(another_boot_begins_anew),
		test_in_place(what_lasts_until_the_next_boot_is_left),
		test_in_place(the_first_way_there_is_is_taken),
		test_in_place(all_passes_over_what_the_kernel_has_not),
		test_in_place(what_was_named_must_be_there),
		test_in_place(a_failure_undoes_what_was_done),
		test_in_place(nothing_changes_where_nothing_can_be_written_down),
		test_in_place(a_foreign_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
