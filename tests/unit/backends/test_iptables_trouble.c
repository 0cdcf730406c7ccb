/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#include "backends/iptc_family.h"
#include "backends/xtables_lock.h"
#include "base/cleanup.h"
#include "filter_backend.h"

static const struct backend_type *const type = &backend_iptables;

/* ---- what goes wrong on demand: the linker leads the calls of the backend here ---- */

static struct {
	int ipv6_commit_code;	   /* refuses with that errno */
	bool ipv6_commit_ends;	   /* the process is gone in the middle */
	bool no_tables;		   /* a kernel without legacy tables */
	const char *missing;	   /* match or target */
	unsigned int lock_wait_ms; /* in the place of the true one */
} fault;

int __real_ip6tc_commit(struct xtc_handle *handle);
int __wrap_ip6tc_commit(struct xtc_handle *handle);
struct xtc_handle *__real_iptc_init(const char *table);
struct xtc_handle *__wrap_iptc_init(const char *table);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int __real_xtables_lock(unsigned int wait_ms, int *ret_fd, struct error *error);
int __wrap_xtables_lock(unsigned int wait_ms, int *ret_fd, struct error *error);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const *arguments,
		       char *const *environment);

int __wrap_ip6tc_commit(struct xtc_handle *handle)
{
	if (fault.ipv6_commit_ends)
		_exit(0);
	if (fault.ipv6_commit_code) {
		errno = fault.ipv6_commit_code;
		return 0;
	}
	return __real_ip6tc_commit(handle);
}

struct xtc_handle *__wrap_iptc_init(const char *table)
{
	if (!fault.no_tables)
		return __real_iptc_init(table);
	errno = ENOPROTOOPT;
	return NULL;
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	bool asks = (level == IPPROTO_IP &&
		     (option == IPT_SO_GET_REVISION_MATCH || option == IPT_SO_GET_REVISION_TARGET));

	if (asks && fault.missing &&
	    strcmp(((struct xt_get_revision *)value)->name, fault.missing) == 0) {
		errno = ENOENT;
		return -1;
	}
	return __real_getsockopt(fd, level, option, value, size);
}

int __wrap_xtables_lock(unsigned int wait_ms, int *ret_fd, struct error *error)
{
	return __real_xtables_lock(fault.lock_wait_ms ? fault.lock_wait_ms : wait_ms, ret_fd,
				   error);
}

int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const *arguments,
		       char *const *environment)
{
	(void)pid;
	(void)path;
	(void)actions;
	(void)attributes;
	(void)arguments;
	(void)environment;
	return ENOENT;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	return 0;
}

/* A process that ends between the two families' commits leaves both generations in use. */
static void test_crash_between_families(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *sets = NULL;
	_cleanup_(freep) char *after = NULL;
	int status;
	pid_t child;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	before = filter_scene_tables();
	program = filter_scene_program();
	backend = filter_backend_open();
	filter_backend_apply(backend, program);

	child = fork();
	if (child == 0) {
		fault.ipv6_commit_ends = true;
		(void)type->apply(backend, program, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	type->close(backend);
	filter_backend_assert_untouched(before);
	sets = filter_backend_sets();
	assert_non_null(strstr(sets, "rtguard-a6-names"));
	assert_non_null(strstr(sets, "rtguard-b4-names"));

	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	assert_int_equal(type->check(backend, NULL), 0);
	after = filter_backend_sets();
	assert_non_null(strstr(after, "rtguard-c4-names"));
	assert_null(strstr(after, "rtguard-a"));
	assert_null(strstr(after, "rtguard-b"));
	assert_int_equal(type->clear(NULL), 0);
	filter_backend_assert_gone(before);
	type->close(backend);
	rule_program_free(program);
}

static void assert_refused(struct backend *backend, int code, const char *part)
{
	struct rule_program *program = filter_scene_program();
	_cleanup_(freep) char *before = filter_scene_tables();
	_cleanup_(freep) char *sets_before = filter_backend_sets();
	_cleanup_(freep) char *after = NULL;
	_cleanup_(freep) char *sets_after = NULL;
	struct error error = {0};

	assert_int_equal(type->apply(backend, program, &error), -code);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" does not say \"%s\"", error.message, part);
	after = filter_scene_tables();
	sets_after = filter_backend_sets();
	assert_string_equal(after, before);
	assert_string_equal(sets_after, sets_before);
	rule_program_free(program);
}

/* Without a program in force, with one, and with a predecessor's. */
static void assert_always_refused(const char *missing, bool refers, const char *part)
{
	struct rule_program *small = filter_scene_small_program(9999);
	struct backend *backend;

	if (!refers) /* to any of its sets */
		small->chains[0].rules[0].match.lookups[0].set = RULE_NONE;
	filter_scene_clear();
	filter_scene_furnish();
	backend = filter_backend_open();
	fault.missing = missing;
	assert_refused(backend, EOPNOTSUPP, part);
	fault.missing = NULL;
	filter_backend_apply(backend, small);
	assert_int_equal(type->check(backend, NULL), 0);
	fault.missing = missing;
	assert_refused(backend, EOPNOTSUPP, part);
	type->close(backend);
	backend = filter_backend_open();
	if (refers)
		assert_refused(backend, EOPNOTSUPP, part);
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(small);
}

static void test_ipv6_fails_after_ipv4(void **state)
{
	struct rule_program *small;
	struct backend *backend;
	struct rule_member member;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	backend = filter_backend_open();
	fault.ipv6_commit_code = ENOMEM;
	assert_refused(backend, ENOMEM, "IPv6");
	fault.ipv6_commit_code = 0;

	small = filter_scene_small_program(9999);
	filter_backend_apply(backend, small);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	fault.ipv6_commit_code = ENOMEM;
	assert_refused(backend, ENOMEM, "IPv6");
	/* the program before is in force, with its sets and its counts */
	assert_int_equal(type->check(backend, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	member = filter_backend_member("127.0.0.1", 9999);
	assert_int_equal(type->add(backend, FILTER_SCENE_OPEN, &member, 1, NULL), 0);
	assert_true(filter_scene_send("127.0.0.1", 9999));
	type->close(backend);
	rule_program_free(small);
}

static void test_missing_match(void **state)
{
	struct error error = {0};

	(void)state;
	filter_scene_require();
	assert_always_refused("hashlimit", true, "CONFIG_NETFILTER_XT_MATCH_HASHLIMIT");
	assert_always_refused("NFQUEUE", false, "CONFIG_NETFILTER_XT_TARGET_NFQUEUE");
	fault.missing = "set";
	assert_int_equal(type->probe(&error), -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "CONFIG_NETFILTER_XT_SET"));
}

static void test_no_legacy_tables(void **state)
{
	struct error error = {0};

	(void)state;
	filter_scene_require();
	fault.no_tables = true;
	assert_int_equal(type->probe(&error), -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "LEGACY"));
}

static void test_lock_held(void **state)
{
	struct backend *backend;
	int lock = -1;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	backend = filter_backend_open();
	assert_int_equal(__real_xtables_lock(100, &lock, NULL), 0);
	fault.lock_wait_ms = 200;
	assert_refused(backend, EBUSY, "test_iptables");
	closep(&lock);
	type->close(backend);
}

/* Small systems have no names of protocols. */
static void test_no_protocols_file(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	int status;
	pid_t child;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_program();
	backend = filter_backend_open();
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    (mount("/dev/null", "/etc/protocols", NULL, MS_BIND, NULL) < 0 &&
		     errno != ENOENT))
			_exit(77);
		_exit(type->apply(backend, program, NULL) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	filter_scene_run("ipset test rtguard-a4-names 192.0.2.1,tcp:443 2>/dev/null");
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

static void test_hold_stage_that_does_more(void **state)
{
	struct rule_program *program;
	struct backend *backend;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	backend = filter_backend_open();
	program = filter_scene_program();
	program->chains[0].rules[0].verdict = RULE_PERMIT;
	assert_int_equal(type->apply(backend, program, NULL), -EINVAL);
	rule_program_free(program);
	type->close(backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_crash_between_families, set_up),
		cmocka_unit_test_setup(test_ipv6_fails_after_ipv4, set_up),
		cmocka_unit_test_setup(test_missing_match, set_up),
		cmocka_unit_test_setup(test_no_legacy_tables, set_up),
		cmocka_unit_test_setup(test_lock_held, set_up),
		cmocka_unit_test_setup(test_no_protocols_file, set_up),
		cmocka_unit_test_setup(test_hold_stage_that_does_more, set_up),
	};

	return cmocka_run_group_tests(tests, filter_backend_set_up, filter_backend_tear_down);
}
