/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/capability_table.h"
#include "kernel/setting_table.h"

/* A kernel with all that its version can have. */
static struct kernel_config full(unsigned int major, unsigned int minor)
{
	struct kernel_config config = {.release = {{major, minor, 0}}};

	for (size_t i = 0; i < OPTION_COUNT; i++)
		config.set[i] = true;
	config.set[OPTION_MODULE_SIG_FORCE] = false;
	config.set[OPTION_BPF_UNPRIV_DEFAULT_OFF] = false;
	config.set[OPTION_PROC_MEM_NO_FORCE] = false;
	return config;
}

static enum capability_state judged(struct kernel_config config, enum capability capability)
{
	struct capability_finding findings[CAPABILITY_COUNT];

	capabilities_judge(&config, findings);
	assert_int_equal(findings[capability].capability, capability);
	return findings[capability].state;
}

static struct kernel_config without(struct kernel_config config, enum kernel_option option)
{
	config.set[option] = false;
	return config;
}

static struct kernel_config with(struct kernel_config config, enum kernel_option option)
{
	config.set[option] = true;
	return config;
}

static void every_row_says_what_it_has_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		const struct capability_row *row = &capability_table[i];

		assert_non_null(row->name);
		assert_non_null(row->what);
		assert_non_null(row->open);
		assert_non_null(row->kernel);
		assert_non_null(row->probe);
		if (row->setting)
			assert_non_null(setting_find(row->setting));
	}
}

static void versions_and_options_decide(void **state)
{
	(void)state;
	assert_int_equal(judged(full(6, 6), CAPABILITY_FANOTIFY_PERMISSION), CAPABILITY_ON);
	assert_int_equal(judged(without(full(6, 6), OPTION_FANOTIFY_ACCESS_PERMISSIONS),
				CAPABILITY_FANOTIFY_PERMISSION),
			 CAPABILITY_MISSING);
	assert_int_equal(judged(without(full(6, 6), OPTION_FANOTIFY_ACCESS_PERMISSIONS),
				CAPABILITY_FANOTIFY_FILESYSTEM),
			 CAPABILITY_ON);
	assert_int_equal(judged(full(4, 20), CAPABILITY_FANOTIFY_EXEC), CAPABILITY_MISSING);
	assert_int_equal(judged(full(4, 19), CAPABILITY_FANOTIFY_FILESYSTEM), CAPABILITY_MISSING);
	assert_int_equal(judged(full(5, 0), CAPABILITY_FANOTIFY_EXEC), CAPABILITY_ON);
	assert_int_equal(judged(full(5, 10), CAPABILITY_EXEC_ARGUMENTS), CAPABILITY_MISSING);
	assert_int_equal(judged(full(5, 11), CAPABILITY_EXEC_ARGUMENTS), CAPABILITY_ON);
	assert_int_equal(judged(full(5, 18), CAPABILITY_FANOTIFY_EVICTABLE), CAPABILITY_MISSING);
	assert_int_equal(
		judged(without(full(6, 6), OPTION_PROC_EVENTS), CAPABILITY_PROCESS_CONNECTOR),
		CAPABILITY_MISSING);
}

static void what_a_setting_decides_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(judged(full(6, 6), CAPABILITY_MEMFD_NOEXEC), CAPABILITY_UNKNOWN);
	assert_int_equal(judged(full(6, 1), CAPABILITY_MEMFD_NOEXEC), CAPABILITY_MISSING);
	assert_int_equal(judged(full(6, 6), CAPABILITY_PTRACE_SCOPE), CAPABILITY_UNKNOWN);
	assert_int_equal(judged(full(5, 10), CAPABILITY_USERFAULTFD), CAPABILITY_UNKNOWN);
	assert_int_equal(judged(full(5, 11), CAPABILITY_USERFAULTFD), CAPABILITY_ON);
}

static void what_is_not_there_leaves_no_gap(void **state)
{
	(void)state;
	assert_int_equal(judged(without(full(5, 10), OPTION_IO_URING), CAPABILITY_IO_URING),
			 CAPABILITY_ON);
	assert_int_equal(judged(full(5, 10), CAPABILITY_IO_URING), CAPABILITY_MISSING);
	assert_int_equal(judged(without(full(6, 6), OPTION_MODULES), CAPABILITY_MODULE_LOADING),
			 CAPABILITY_ON);
	assert_int_equal(
		judged(with(full(6, 6), OPTION_MODULE_SIG_FORCE), CAPABILITY_MODULE_LOADING),
		CAPABILITY_ON);
	assert_int_equal(
		judged(with(full(6, 12), OPTION_PROC_MEM_NO_FORCE), CAPABILITY_PROCESS_MEMORY),
		CAPABILITY_ON);
}

static void a_kernels_fault_has_a_beginning_and_an_end(void **state)
{
	struct kernel_config config = full(6, 12);

	(void)state;
	assert_int_equal(judged(full(6, 10), CAPABILITY_WRITE_EXECUTE), CAPABILITY_ON);
	assert_int_equal(judged(full(6, 11), CAPABILITY_WRITE_EXECUTE), CAPABILITY_MISSING);
	assert_int_equal(judged(config, CAPABILITY_WRITE_EXECUTE), CAPABILITY_MISSING);
	config.release.number[2] = 2;
	assert_int_equal(judged(config, CAPABILITY_WRITE_EXECUTE), CAPABILITY_ON);
}

static void a_gap_says_what_is_open_and_how_to_close_it(void **state)
{
	struct capability_finding findings[CAPABILITY_COUNT];
	struct kernel_config config = full(4, 4);

	(void)state;
	config.set[OPTION_FANOTIFY] = false;
	capabilities_judge(&config, findings);
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		assert_int_equal(findings[i].state == CAPABILITY_ON, !findings[i].open);
		assert_int_equal(findings[i].state == CAPABILITY_ON, !findings[i].remedy);
	}
	assert_string_equal(findings[CAPABILITY_FANOTIFY_PERMISSION].detail,
			    "CONFIG_FANOTIFY is not set");
}

/* A directory with a proc/sys in it. */
struct place {
	char path[64];
};

static void put(const struct place *place, const char *directory, const char *name,
		const char *value)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "mkdir -p %s/proc/sys/%s", place->path, directory);
	assert_int_equal(system(path), 0);
	(void)snprintf(path, sizeof(path), "%s/proc/sys/%s/%s", place->path, directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static void settings_are_read(void **state)
{
	struct capability_finding findings[CAPABILITY_COUNT];
	struct place place = {"/tmp/rtguard-test-XXXXXX"};
	char command[128];

	(void)state;
	assert_non_null(mkdtemp(place.path));
	put(&place, "vm", "memfd_noexec", "2\n");
	put(&place, "kernel/yama", "ptrace_scope", "1\n");
	put(&place, "user", "max_user_namespaces", "0\n");
	put(&place, "kernel", "unprivileged_userns_clone", "1\n");
	put(&place, "kernel", "unprivileged_bpf_disabled", "many\n");
	capabilities_probe_below(place.path, findings);
	assert_int_equal(findings[CAPABILITY_MEMFD_NOEXEC].state, CAPABILITY_ON);
	assert_string_equal(findings[CAPABILITY_MEMFD_NOEXEC].detail, "vm.memfd_noexec=2");
	assert_int_equal(findings[CAPABILITY_PTRACE_SCOPE].state, CAPABILITY_OFF);
	/* one of the two ways is closed */
	assert_int_equal(findings[CAPABILITY_USER_NAMESPACES].state, CAPABILITY_ON);
	assert_int_equal(findings[CAPABILITY_BPF].state, CAPABILITY_UNKNOWN);
	(void)snprintf(command, sizeof(command), "rm -r %s", place.path);
	assert_int_equal(system(command), 0);
}

static size_t open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The probe of this machine: it comes back, leaves nothing behind, and says something of each. */
static void the_running_kernel_can_be_asked(void **state)
{
	struct capability_finding findings[CAPABILITY_COUNT];
	size_t before = open_descriptors();

	(void)state;
	(void)alarm(20);
	capabilities_probe(findings);
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		assert_int_equal(findings[i].capability, i);
		assert_true(findings[i].detail[0] != '\0');
	}
	assert_int_equal(open_descriptors(), before);
	/* what the tests themselves run on */
	assert_int_equal(findings[CAPABILITY_PIDFD].state, CAPABILITY_ON);
	if (geteuid() == 0)
		assert_int_not_equal(findings[CAPABILITY_FANOTIFY_FILESYSTEM].state,
				     CAPABILITY_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_says_what_it_has_to),
		cmocka_unit_test(versions_and_options_decide),
		cmocka_unit_test(what_a_setting_decides_is_unknown),
		cmocka_unit_test(what_is_not_there_leaves_no_gap),
		cmocka_unit_test(a_kernels_fault_has_a_beginning_and_an_end),
		cmocka_unit_test(a_gap_says_what_is_open_and_how_to_close_it),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(the_running_kernel_can_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
