/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FILTER_BACKEND_H
#define TESTS_FILTER_BACKEND_H

#include "backends/backend.h"
#include "filter_scene.h"

/* What the tests of the iptables backend do again and again; a failure fails the test. */

/* A namespace and a lock file of the test's own, for cmocka_run_group_tests(). */
int filter_backend_set_up(void **state);
int filter_backend_tear_down(void **state);

struct backend *filter_backend_open(void);
void filter_backend_apply(struct backend *backend, const struct rule_program *program);

/* UDP, for 60 s. */
struct rule_member filter_backend_member(const char *address, uint16_t port);

/* The names of our sets, one a line; to be freed. */
char *filter_backend_sets(void);

/* What stands in the tables must be what was there before, and no set of ours. */
void filter_backend_assert_gone(const char *tables_before);

/* The same of what is not ours. */
void filter_backend_assert_untouched(const char *tables_before);

#endif
