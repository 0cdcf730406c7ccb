/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#include "backends/backend.h"
#include "backends/iptc_family.h"
#include "backends/xtables_lock.h"
#include "base/cleanup.h"
#include "filter_scene.h"
#include "rules/render.h"

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

/* ---- scenes ---- */

static char lock_file[64];

static int set_up_group(void **state)
{
	(void)state;
	(void)snprintf(lock_file, sizeof(lock_file), "/tmp/rtguard-xtables-%d", (int)getpid());
	(void)setenv("XTABLES_LOCKFILE", lock_file, 1);
	(void)filter_scene_enter();
	return 0;
}

static int tear_down_group(void **state)
{
	(void)state;
	(void)unlink(lock_file);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	return 0;
}

static struct backend *open_backend(void)
{
	struct backend *backend;
	struct error error = {0};

	if (type->open(&backend, &error) < 0)
		fail_msg("%s", error.message);
	return backend;
}

static void apply(struct backend *backend, const struct rule_program *program)
{
	struct error error = {0};

	if (type->apply(backend, program, &error) < 0)
		fail_msg("%s", error.message);
}

static struct rule_member member_of(const char *address, uint16_t port)
{
	struct rule_member member = {
		.protocol = IPPROTO_UDP, .port = port, .last_port = port, .timeout_s = 60};

	assert_int_equal(ip_parse(address, &member.address), 0);
	member.prefix_length = member.address.family == 4 ? 32 : 128;
	return member;
}

static char *our_sets(void)
{
	return filter_scene_output("ipset list -n | grep ^rtguard- | sort || true");
}

static void assert_nothing_of_ours(const char *tables_before)
{
	_cleanup_(freep) char *tables = filter_scene_tables();
	_cleanup_(freep) char *sets = our_sets();

	assert_string_equal(tables, tables_before);
	assert_string_equal(sets, "");
}

/* What stands in the tables without ours must be what was there before. */
static void assert_foreign_untouched(const char *tables_before)
{
	_cleanup_(freep) char *tables = filter_scene_output(
		"for save in iptables-legacy-save ip6tables-legacy-save; do $save -c || exit 1; "
		"done | sed -e /^#/d -e /RTGUARD-/d");

	assert_string_equal(tables, tables_before);
}

/* ---- what is in the kernel ---- */

static void test_probe(void **state)
{
	_cleanup_(freep) char *before = NULL;
	struct error error = {0};

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	before = filter_scene_tables();
	if (type->probe(&error) < 0)
		fail_msg("%s", error.message);
	assert_nothing_of_ours(before);
}

static void restore_rendered(const struct rule_program *program, unsigned int family,
			     const struct render_instance *instance)
{
	FILE *pipe = popen(family == RULE_IPV4 ? "iptables-legacy-restore --noflush"
					       : "ip6tables-legacy-restore --noflush",
			   "we");

	assert_non_null(pipe);
	render_iptables(program, family, instance, pipe);
	assert_int_equal(pclose(pipe), 0);
}

/* The same as iptables-restore and ipset-restore make of the rendered text. */
static void assert_as_rendered(const struct rule_program *program)
{
	static const char save[] =
		"for save in iptables-legacy-save ip6tables-legacy-save; do $save || exit 1; done "
		"| sed -e /^#/d; ipset save | sed 's/ initval [^ ]*//; s/ timeout [0-9]*$//' | "
		"sort";
	struct backend *backend = open_backend();
	struct render_instance instance = {.generation = 'a'};
	_cleanup_(freep) char *applied = NULL;
	_cleanup_(freep) char *restored = NULL;
	FILE *pipe;

	apply(backend, program);
	instance.release_mark = type->release_mark(backend);
	type->close(backend);
	applied = filter_scene_output("%s", save);

	filter_scene_clear();
	pipe = popen("ipset restore", "we");
	assert_non_null(pipe);
	render_ipset(program, &instance, pipe);
	assert_int_equal(pclose(pipe), 0);
	restore_rendered(program, RULE_IPV4, &instance);
	restore_rendered(program, RULE_IPV6, &instance);
	restored = filter_scene_output("%s", save);
	assert_string_equal(applied, restored);
	filter_scene_clear();
}

static void test_same_as_text(void **state)
{
	struct rule_program *program;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_program();
	assert_as_rendered(program);
	rule_program_free(program);
}

/* ---- others' rules ---- */

static void test_foreign_rules_survive(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	_cleanup_(freep) char *before = NULL;
	_cleanup_(freep) char *sets = NULL;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	before = filter_scene_tables();
	assert_non_null(strstr(before, "[11:1100] -A INPUT"));

	program = filter_scene_program();
	backend = open_backend();
	apply(backend, program);
	assert_foreign_untouched(before);
	filter_scene_run("iptables-legacy -S OUTPUT 1 | grep -qx -- '-A OUTPUT -j RTGUARD-OUT'");
	filter_scene_run("ip6tables-legacy -S INPUT 1 | grep -qx -- '-A INPUT -j RTGUARD-IN'");
	apply(backend, program);
	assert_foreign_untouched(before);
	sets = our_sets();
	assert_non_null(strstr(sets, "rtguard-b4-names"));
	assert_null(strstr(sets, "rtguard-a4-names"));
	assert_int_equal(type->clear(NULL), 0);
	assert_nothing_of_ours(before);
	assert_int_equal(type->clear(NULL), 0);
	filter_scene_run("ipset test others 192.0.2.77 2>/dev/null");
	type->close(backend);
	rule_program_free(program);
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
	backend = open_backend();
	apply(backend, program);

	child = fork();
	if (child == 0) {
		fault.ipv6_commit_ends = true;
		(void)type->apply(backend, program, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	type->close(backend);
	assert_foreign_untouched(before);
	sets = our_sets();
	assert_non_null(strstr(sets, "rtguard-a6-names"));
	assert_non_null(strstr(sets, "rtguard-b4-names"));

	backend = open_backend();
	apply(backend, program);
	assert_int_equal(type->check(backend, NULL), 0);
	after = our_sets();
	assert_non_null(strstr(after, "rtguard-c4-names"));
	assert_null(strstr(after, "rtguard-a"));
	assert_null(strstr(after, "rtguard-b"));
	assert_int_equal(type->clear(NULL), 0);
	assert_nothing_of_ours(before);
	type->close(backend);
	rule_program_free(program);
}

/* ---- when the kernel refuses ---- */

static void assert_refused(struct backend *backend, int code, const char *part)
{
	struct rule_program *program = filter_scene_program();
	_cleanup_(freep) char *before = filter_scene_tables();
	_cleanup_(freep) char *sets_before = our_sets();
	_cleanup_(freep) char *after = NULL;
	_cleanup_(freep) char *sets_after = NULL;
	struct error error = {0};

	assert_int_equal(type->apply(backend, program, &error), -code);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" does not say \"%s\"", error.message, part);
	after = filter_scene_tables();
	sets_after = our_sets();
	assert_string_equal(after, before);
	assert_string_equal(sets_after, sets_before);
	rule_program_free(program);
}

/* With a program in force, and without. */
static void assert_refused_twice(int code, const char *part)
{
	struct rule_program *small = filter_scene_small_program(9999);
	struct backend *backend;

	filter_scene_clear();
	filter_scene_furnish();
	backend = open_backend();
	assert_refused(backend, code, part);
	memset(&fault, 0, sizeof(fault));
	apply(backend, small);
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
	backend = open_backend();
	fault.ipv6_commit_code = ENOMEM;
	assert_refused(backend, ENOMEM, "IPv6");
	fault.ipv6_commit_code = 0;

	small = filter_scene_small_program(9999);
	apply(backend, small);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	fault.ipv6_commit_code = ENOMEM;
	assert_refused(backend, ENOMEM, "IPv6");
	/* the program before is in force, with its sets and its counts */
	assert_int_equal(type->check(backend, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	member = member_of("127.0.0.1", 9999);
	assert_int_equal(type->add(backend, 0, &member, 1, NULL), 0);
	assert_true(filter_scene_send("127.0.0.1", 9999));
	type->close(backend);
	rule_program_free(small);
}

static void test_missing_match(void **state)
{
	struct error error = {0};

	(void)state;
	filter_scene_require();
	fault.missing = "hashlimit";
	assert_refused_twice(EOPNOTSUPP, "CONFIG_NETFILTER_XT_MATCH_HASHLIMIT");
	fault.missing = "NFQUEUE";
	assert_refused_twice(EOPNOTSUPP, "CONFIG_NETFILTER_XT_TARGET_NFQUEUE");
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
	backend = open_backend();
	assert_int_equal(__real_xtables_lock(100, &lock, NULL), 0);
	fault.lock_wait_ms = 200;
	assert_refused(backend, EBUSY, "test_iptables");
	closep(&lock);
	type->close(backend);
}

static void test_hold_stage_that_does_more(void **state)
{
	struct rule_program *program;
	struct backend *backend;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	backend = open_backend();
	program = filter_scene_program();
	program->chains[0].rules[0].verdict = RULE_PERMIT;
	assert_int_equal(type->apply(backend, program, NULL), -EINVAL);
	rule_program_free(program);
	type->close(backend);
}

/* ---- at work ---- */

static void test_members_and_counts(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct backend_counts counts = {0};
	struct rule_member members[2] = {member_of("127.0.0.1", 9999), member_of("::1", 9999)};
	struct rule_member other = member_of("127.0.0.1", 9998);

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	backend = open_backend();
	program = filter_scene_small_program(9999);
	assert_int_equal(type->add(backend, 0, members, 2, NULL), -EINVAL);
	apply(backend, program);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_false(filter_scene_send("::1", 9999));
	assert_true(filter_scene_send("127.0.0.1", 9998));
	assert_int_equal(type->counts(backend, &counts, NULL), 0);
	assert_int_equal(counts.refused_out, 3);
	assert_int_equal(counts.refused_in, 0);

	assert_int_equal(type->add(backend, 0, &other, 1, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_int_equal(type->add(backend, 0, members, 2, NULL), 0);
	assert_true(filter_scene_send("127.0.0.1", 9999));
	assert_true(filter_scene_send("::1", 9999));
	/* renewed, not added twice */
	members[0].timeout_s = 5000;
	assert_int_equal(type->add(backend, 0, members, 1, NULL), 0);
	filter_scene_run("ipset list rtguard-a4-open | "
			 "grep -Eq '^127.0.0.1,udp:9999 timeout (49[0-9][0-9]|5000)$'");
	assert_int_equal(type->remove(backend, 0, members, 2, NULL), 0);
	assert_int_equal(type->remove(backend, 0, members, 2, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_int_equal(type->add(backend, 1, members, 1, NULL), -EINVAL);
	type->close(backend);
	rule_program_free(program);
}

/* The rules of the predecessor go on; its mark counts until the next program is there. */
static void test_taken_up_after_restart(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	uint32_t mark;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_program();
	backend = open_backend();
	apply(backend, program);
	mark = type->release_mark(backend);
	assert_true(mark & RENDER_MARK_MASK);
	assert_false(mark & ~RENDER_MARK_MASK);
	type->close(backend);

	filter_scene_run("iptables-legacy -S RTGUARD-OUT | grep -q NFQUEUE");
	backend = open_backend();
	assert_int_equal(type->release_mark(backend), mark);
	apply(backend, program);
	assert_int_not_equal(type->release_mark(backend), mark);
	assert_int_equal(type->check(backend, NULL), 0);
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

static void assert_stale(struct backend *backend, const char *part)
{
	struct error error = {0};

	assert_int_equal(type->check(backend, &error), -ESTALE);
	if (!strstr(error.message, part))
		fail_msg("\"%s\" does not say \"%s\"", error.message, part);
}

static void test_check(void **state)
{
	static const struct {
		const char *change;
		const char *says;
	} changes[] = {
		{"iptables-legacy -I OUTPUT -p tcp -j ACCEPT", "jumps"},
		{"ip6tables-legacy -D INPUT -j RTGUARD-IN", "jumps"},
		{"iptables-legacy -D RTGUARD-REFUSE-IN 1", "rules in"},
		{"iptables-legacy -R RTGUARD-REFUSE-IN 2 -j ACCEPT", "changed rules"},
		{"ip6tables-legacy -R RTGUARD-REFUSE-IN 2 -j DROP -m comment --comment x", "rules"},
		{"iptables-legacy -N RTGUARD-OTHER", "of our chains"},
		{"iptables-legacy -F", "jumps"},
		{"iptables-legacy -F; iptables-legacy -X; ip6tables-legacy -F; ipset flush; "
		 "ipset destroy",
		 "jumps"},
	};
	struct rule_program *program;
	struct backend *backend;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	program = filter_scene_program();
	backend = open_backend();
	for (size_t i = 0; i < array_length(changes); i++) {
		apply(backend, program);
		assert_int_equal(type->check(backend, NULL), 0);
		/* others' rules behind ours are their own affair */
		filter_scene_run("iptables-legacy -A OUTPUT -p tcp -j ACCEPT");
		assert_int_equal(type->check(backend, NULL), 0);
		filter_scene_run("%s", changes[i].change);
		assert_stale(backend, changes[i].says);
	}
	apply(backend, program);
	assert_int_equal(type->check(backend, NULL), 0);
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

/* Somebody's own jump to one of our chains goes with it. */
static void test_clear_after_others_jumped_in(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	_cleanup_(freep) char *before = NULL;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_furnish();
	/* iptables(8) itself sets the counters of policies to zero at each change */
	filter_scene_run("iptables-legacy -N other && iptables-legacy -X other");
	before = filter_scene_tables();
	program = filter_scene_small_program(9999);
	backend = open_backend();
	apply(backend, program);
	filter_scene_run("iptables-legacy -A theirs -p tcp -j RTGUARD-OUT");
	apply(backend, program);
	filter_scene_run("iptables-legacy -A theirs -p tcp -j RTGUARD-OUT");
	assert_int_equal(type->clear(NULL), 0);
	assert_nothing_of_ours(before);
	type->close(backend);
	rule_program_free(program);
}

static void test_full_set(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct rule_member member = member_of("10.0.0.0", 9999);
	struct error error = {0};
	int result = 0;
	size_t added = 0;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_small_program(9999);
	backend = open_backend();
	apply(backend, program);
	while (result == 0 && added < 200000) {
		member.address.bytes[1] = (uint8_t)(added >> 16);
		member.address.bytes[2] = (uint8_t)(added >> 8);
		member.address.bytes[3] = (uint8_t)added;
		result = type->add(backend, 0, &member, 1, &error);
		added += result == 0;
	}
	assert_int_equal(result, -ENOSPC);
	assert_in_range(added, render_set_room(&program->sets[0]),
			2 * render_set_room(&program->sets[0]));
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_probe, set_up),
		cmocka_unit_test_setup(test_same_as_text, set_up),
		cmocka_unit_test_setup(test_foreign_rules_survive, set_up),
		cmocka_unit_test_setup(test_crash_between_families, set_up),
		cmocka_unit_test_setup(test_ipv6_fails_after_ipv4, set_up),
		cmocka_unit_test_setup(test_missing_match, set_up),
		cmocka_unit_test_setup(test_no_legacy_tables, set_up),
		cmocka_unit_test_setup(test_lock_held, set_up),
		cmocka_unit_test_setup(test_hold_stage_that_does_more, set_up),
		cmocka_unit_test_setup(test_members_and_counts, set_up),
		cmocka_unit_test_setup(test_taken_up_after_restart, set_up),
		cmocka_unit_test_setup(test_check, set_up),
		cmocka_unit_test_setup(test_clear_after_others_jumped_in, set_up),
		cmocka_unit_test_setup(test_full_set, set_up),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
