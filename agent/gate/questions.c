/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/questions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct questions {
	struct map *waiting; /* key → struct waiting, oldest first */
};

struct waiting {
	uint64_t noted_ns;
};

/* Both addresses, both ports, id and type, protocol, the name without its NUL. */
#define KEY_SIZE_MAX (2 * sizeof(struct ip_address) + 4 * sizeof(uint16_t) + 1 + NAME_SIZE)

struct key {
	size_t size;
	uint8_t bytes[KEY_SIZE_MAX];
};

static void key_put(struct key *key, const void *bytes, size_t size)
{
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

/* The same for a question and its answer: local and remote are seen from this host in both. */
static void key_of(const struct held *held, struct key *ret_key)
{
	const struct observed_flow *flow = &held->flow;

	ret_key->size = 0;
	key_put(ret_key, &flow->local, sizeof(flow->local));
	key_put(ret_key, &flow->remote, sizeof(flow->remote));
	key_put(ret_key, &flow->local_port, sizeof(flow->local_port));
	key_put(ret_key, &flow->remote_port, sizeof(flow->remote_port));
	key_put(ret_key, &held->dns_id, sizeof(held->dns_id));
	key_put(ret_key, &held->question_type, sizeof(held->question_type));
	key_put(ret_key, &flow->protocol, sizeof(flow->protocol));
	key_put(ret_key, flow->name, strnlen(flow->name, NAME_SIZE));
}

int questions_new(struct questions **ret_questions)
{
	struct questions *questions = calloc(1, sizeof(*questions));

	if (!questions)
		return -ENOMEM;
	if (map_new(&questions->waiting, QUESTIONS_LIMIT, sizeof(struct waiting), NULL, NULL) < 0) {
		free(questions);
		return -ENOMEM;
	}
	*ret_questions = questions;
	return 0;
}

void questions_free(struct questions *questions)
{
	if (!questions)
		return;
	map_free(questions->waiting);
	free(questions);
}

int questions_note(struct questions *questions, const struct held *question, uint64_t now_ns)
{
	struct waiting *waiting;
	struct key key;

	key_of(question, &key);
	waiting = map_add(questions->waiting, key.bytes, key.size);
	if (!waiting)
		return -ENOMEM;
	waiting->noted_ns = now_ns;
	return 0;
}

bool questions_answered(struct questions *questions, const struct held *answer, uint64_t now_ns)
{
	const struct waiting *waiting;
	struct key key;

	key_of(answer, &key);
	/* answers do not keep a question young: whoever sends them cannot push out others */
	waiting = map_peek(questions->waiting, key.bytes, key.size);
	if (!waiting)
		return false;
	if (now_ns - waiting->noted_ns < QUESTION_LIFE_NS)
		return true;
	map_remove(questions->waiting, key.bytes, key.size);
	return false;
}
