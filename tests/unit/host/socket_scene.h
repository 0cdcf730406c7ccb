/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HOST_SOCKET_SCENE_H
#define TESTS_HOST_SOCKET_SCENE_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#include <cmocka.h>

#include "observe/host/socket_watch_private.h"

/* A socket watch in a network namespace of its own, and programs that use sockets there. Whatever
 * goes wrong fails the test. */

#define SEEN_LIMIT 256

struct seen {
	struct observed_listener listener;
	char program[PATH_MAX];
};

struct scene {
	struct loop *loop;
	struct socket_watch *watch;
	struct seen seen[SEEN_LIMIT];
	size_t count;
	uint64_t lost;
};

/* A running socket_user and its local port. */
struct user {
	pid_t pid;
	uint16_t port;
};

/* The paths of the program that uses sockets, and of a copy, which is a different program. */
extern char user_path[PATH_MAX];
extern char other_path[PATH_MAX];

/* Freed with free(). */
void *scene_memory(void);
void open_scene(struct scene *scene, enum socket_source_kind kind);
void close_scene(struct scene *scene);
void run_ms(struct scene *scene, unsigned int time_ms);

/* Starts the program and waits until its socket is ready. heir: inherits the socket, or NULL. */
struct user start_user(const char *verb, const char *protocol, const char *address, uint16_t port,
		       unsigned int hold_ms, const char *heir);

/* The same with the copy. */
struct user start_other(const char *verb, const char *protocol, const char *address, uint16_t port);
void end_user(struct user user);

size_t times_seen(const struct scene *scene, uint8_t protocol, const char *address, bool dual_stack,
		  uint16_t port, const char *program);
bool port_seen(const struct scene *scene, uint16_t port);

/* From address to the same address. */
struct observed_flow make_flow(uint8_t protocol, const char *address, uint16_t local_port,
			       uint16_t remote_port);

/* Runs the tests in a new namespace. Returns what main() should: 77 without root. */
#define run_in_namespace(argc, argv, tests)                                                        \
	(enter_namespace(argc, argv) ? 77                                                          \
				     : leave_namespace(cmocka_run_group_tests(tests, NULL, NULL)))
int enter_namespace(int argc, char **argv);
int leave_namespace(int failed);

#endif
