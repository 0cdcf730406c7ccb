/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FILTER_SCENE_H
#define TESTS_FILTER_SCENE_H

#include <stdbool.h>

#include "rules/program.h"

/*
 * A network namespace of the test's own, in which packet filters can be changed: nothing here ever
 * reaches the machine's.
 */

/* Unshares and brings lo up. False, and why on the output, where that or a tool is missing: the
 * tests are to be skipped. */
bool filter_scene_enter(void);

/* Says so and skips the test when filter_scene_enter() failed. */
void filter_scene_require(void);

/* Runs a command by sh; the test fails when it does. Never outside of the namespace. */
void filter_scene_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What it printed, to be freed. */
char *filter_scene_output(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* iptables-legacy-save of both families with counters, without comments. To be freed. */
char *filter_scene_tables(void);

/* Takes every set and every rule away, whoever's they are. */
void filter_scene_clear(void);

/* Rules of others in every chain, with counters, a chain and a set of their own. */
void filter_scene_furnish(void);

/* A program with every set, match and verdict that iptables can say. To be freed. */
struct rule_program *filter_scene_program(void);

/* One that drops UDP to that port on the way out, unless the address is in the set "open"; no
 * rule refers to the other, "idle". */
#define FILTER_SCENE_OPEN 1
struct rule_program *filter_scene_small_program(uint16_t port);

/* The same with that many more addresses in the set. */
struct rule_program *filter_scene_large_program(uint16_t port, size_t members);

/* UDP to port 9001 is reported and goes on, as in audit; from the network to port 9002 is not. */
struct rule_program *filter_scene_counting_program(void);

/* Holds UDP to that port on the way out for the queue of flows. */
struct rule_program *filter_scene_holding_program(uint16_t port);

/* Sends one datagram over lo; false: it was refused. */
bool filter_scene_send(const char *address, uint16_t port);

#endif
