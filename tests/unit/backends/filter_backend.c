/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter_backend.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct backend_type *const type = &backend_iptables;

static void name_lock(char *path, size_t size)
{
	(void)snprintf(path, size, "/tmp/rtguard-xtables-%d", (int)getpid());
}

int filter_backend_set_up(void **state)
{
	char path[64];

	(void)state;
	name_lock(path, sizeof(path));
	(void)setenv("XTABLES_LOCKFILE", path, 1);
	(void)filter_scene_enter();
	return 0;
}

int filter_backend_tear_down(void **state)
{
	char path[64];

	(void)state;
	name_lock(path, sizeof(path));
	(void)unlink(path);
	return 0;
}

struct backend *filter_backend_open(void)
{
	struct backend *backend;
	struct error error = {0};

	if (type->open(&backend, &error) < 0)
		fail_msg("%s", error.message);
	return backend;
}

void filter_backend_apply(struct backend *backend, const struct rule_program *program)
{
	struct error error = {0};

	if (type->apply(backend, program, &error) < 0)
		fail_msg("%s", error.message);
}

struct rule_member filter_backend_member(const char *address, uint16_t port)
{
	struct rule_member member = {
		.protocol = IPPROTO_UDP, .port = port, .last_port = port, .timeout_s = 60};

	assert_int_equal(ip_parse(address, &member.address), 0);
	member.prefix_length = member.address.family == 4 ? 32 : 128;
	return member;
}

char *filter_backend_sets(void)
{
	return filter_scene_output("ipset list -n | grep ^rtguard- | sort || true");
}

void filter_backend_assert_gone(const char *tables_before)
{
	_cleanup_(freep) char *tables = filter_scene_tables();
	_cleanup_(freep) char *sets = filter_backend_sets();

	assert_string_equal(tables, tables_before);
	assert_string_equal(sets, "");
}

void filter_backend_assert_untouched(const char *tables_before)
{
	_cleanup_(freep) char *tables = filter_scene_output(
		"for save in iptables-legacy-save ip6tables-legacy-save; do $save -c || exit 1; "
		"done | sed -e /^#/d -e /RTGUARD-/d");

	assert_string_equal(tables, tables_before);
}
