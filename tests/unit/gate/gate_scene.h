/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GATE_SCENE_H
#define TESTS_GATE_SCENE_H

#include "gate/gate_private.h"

/*
 * A gate without a kernel: the backend and the packet queue are the scene's, which notes in which
 * order they are called; records are handed in directly.
 */
enum scene_call_kind { CALL_ADD = 1, CALL_ANSWER, CALL_APPLY, CALL_CLEAR };

struct scene_call {
	enum scene_call_kind kind;
	uint16_t set; /* ADD; also what comes with a program that is applied */
	struct rule_member member;
	enum queue_verdict verdict; /* ANSWER */
	uint32_t packet;
	uint32_t mark;
	bool has_mark;
	size_t replacement_size;
};

#define SCENE_CALLS 4096

struct scene {
	struct gate gate;
	struct gate_config config;
	int supervisor; /* the other end of the channel */
	struct scene_call calls[SCENE_CALLS];
	size_t call_count;
	int add_result;	  /* of the next calls of add(); 0 */
	int apply_result; /* of apply() */
	int check_result; /* of check() */
	uint32_t release_mark;
	const char *owner; /* program of every flow; NULL: not found */
	unsigned int owner_searches;
	uint32_t next_packet;
};

/* As cmocka's fixtures. The program has host api.example.com TCP 443 (set 0, both families), domain
 * example.net TCP 8883 (set 0) and pool.ntp.example UDP 123 (set 1, IPv4); "only.example.org" may
 * be asked for. The verdict's profile has these, those of /usr/bin/app where it matters:
 * api.example.com is /usr/bin/app's. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* Records as the reader would send them; each with the next packet number. */
struct held scene_question(struct scene *scene, const char *name, uint16_t id);
/* addresses: NULL-terminated texts. */
struct held scene_answer(struct scene *scene, const char *name, uint16_t id,
			 const char *const *addresses);
struct held scene_flow(struct scene *scene, const char *remote, uint8_t protocol, uint16_t port);

/* The verdict for a packet; fails the test where there was none, or more than one. */
const struct scene_call *scene_verdict(const struct scene *scene, uint32_t packet);
bool scene_has_verdict(const struct scene *scene, uint32_t packet);

/* How many members with that address were added to that set, before the verdict for that packet (0:
 * at all). */
size_t scene_added(const struct scene *scene, uint16_t set, const char *address,
		   uint32_t before_packet);

size_t scene_calls(const struct scene *scene, enum scene_call_kind kind);

/* Takes the next word of that kind off the channel, passing over others. False when there is none.
 */
bool scene_word(struct scene *scene, enum gate_word_kind kind, struct gate_word *ret_word);

#endif
