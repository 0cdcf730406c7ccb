/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_DNS_SCENE_H
#define TESTS_DNS_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * A network of two namespaces: this process is a host, and a resolver lives behind a veth pair. It
 * answers every question with 203.0.113.9 (A) or 2001:db8:9::9 (AAAA), one record; for a name that
 * begins with "big" with 300 of them, and over UDP truncated.
 */
#define SCENE_HOST_4	 "192.0.2.2"
#define SCENE_HOST_6	 "2001:db8:53::2"
#define SCENE_RESOLVER_4 "192.0.2.53"
#define SCENE_RESOLVER_6 "2001:db8:53::53"
#define SCENE_BIG	 300

/* Moves this process into its new namespace. Returns false, and says why, where that is not
 * possible; ends the process should it be in the machine's own namespace. */
bool scene_enter(void);
void scene_leave(void);

/* The questions that reached the resolver so far. */
unsigned int scene_questions(void);

/* Whether a command succeeds, or the test fails. */
bool scene_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
void scene_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The socket address of an address in text. */
socklen_t scene_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address);

/* Rules that hold port 53 in both ways in SCENE_QUEUE, and TCP to port 8080 in the next; that log
 * TCP to port 8081 (RULE_PREFIX_FORWARD) and 8082 (no prefix), and drop it. Whatever is released
 * still has to pass behind that as the judge rules have it. */
struct scene_backend {
	const char *name;
	const char *apply;
	const char *remove;
	bool repeats; /* released by QUEUE_REPEAT with SCENE_MARK; else by QUEUE_ACCEPT */
};

enum { SCENE_QUEUE = 4711, SCENE_QUEUE_LENGTH = 64, SCENE_LOG_GROUP = 4714, SCENE_BACKENDS = 2 };
#define SCENE_MARK UINT32_C(0xabcd0000) /* in the upper half */

extern const struct scene_backend scene_backends[SCENE_BACKENDS];

/* False, and says so, where it does not work. */
bool scene_apply(const struct scene_backend *backend);

/* A question for the address of a name, at most NS_PACKETSZ; returns its size. */
size_t scene_question(uint8_t *message, uint16_t id, const char *name, uint16_t type, bool edns);

/* A socket that waits 1 s at most. local: NULL for any. */
int scene_socket(const char *remote, int type, const char *local, uint16_t local_port);

#endif
