/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/name_addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/hostname.h"
#include "base/map.h"

/* Addresses that came within this time of each other were one answer, or two of one question (A and
 * AAAA are told apart by the family). */
#define SAME_ANSWER_NS NS_PER_S

struct name;

/* One address of one name. It is in the heap while it is valid: due when it is over or, while it is
 * renewed, at half of its time. */
struct pair {
	struct heap_item item; /* first: the heap's items are pairs */
	struct name *name;
	struct pair *older; /* of the same name, by when they were answered */
	struct pair *newer;
	struct ip_address address;
	uint64_t until_ns;
	uint64_t answered_ns; /* 0: remembered */
};

struct name {
	struct pair *oldest;
	struct pair *newest;
	size_t count;
	size_t over_count;	 /* not valid any more */
	uint64_t answered_ns[2]; /* the last answer with IPv4, IPv6 addresses */
	bool answered;		 /* in this run: nothing is renewed any more */
};

struct name_addresses {
	uint64_t floor_s;
	uint64_t grace_s;
	uint64_t remembered_ns;
	struct map *names; /* text with its NUL → struct name; answered longest ago first */
	struct map *pairs; /* the same text, then the address → struct pair */
	struct heap valid;
};

struct pair_key {
	size_t size;
	uint8_t bytes[HOSTNAME_SIZE + sizeof(struct ip_address)];
};

static bool pair_key_of(const char *name, const struct ip_address *address,
			struct pair_key *ret_key)
{
	size_t size = strnlen(name, HOSTNAME_SIZE) + 1;

	if (size > HOSTNAME_SIZE)
		return false;
	memcpy(ret_key->bytes, name, size);
	memcpy(ret_key->bytes + size, address, sizeof(*address));
	ret_key->size = size + sizeof(*address);
	return true;
}

static uint32_t at_most(uint32_t number, uint32_t most)
{
	return number < most ? number : most;
}

int name_addresses_new(const struct name_times *times, struct name_addresses **ret_names)
{
	struct name_addresses *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	names->floor_s = at_most(times->floor_s, NAME_TTL_MOST);
	names->grace_s = at_most(times->grace_s, NAME_TTL_MOST);
	names->remembered_ns = at_most(times->remembered_s, NAME_TTL_MOST) * NS_PER_S;
	/* renewed at half of it: less would be a loop */
	if (names->remembered_ns < 2 * NS_PER_S)
		names->remembered_ns = 2 * NS_PER_S;
	/* room is made here, before a map would make it */
	if (map_new(&names->names, NAME_ADDRESSES_LIMIT + 1, sizeof(struct name), NULL, NULL) < 0 ||
	    map_new(&names->pairs, NAME_ADDRESSES_LIMIT + 1, sizeof(struct pair), NULL, NULL) < 0) {
		name_addresses_free(names);
		return -ENOMEM;
	}
	*ret_names = names;
	return 0;
}

void name_addresses_free(struct name_addresses *names)
{
	if (!names)
		return;
	if (names->pairs)
		map_free(names->pairs);
	if (names->names)
		map_free(names->names);
	heap_free(&names->valid);
	free(names);
}

static void unlink_pair(struct name *name, struct pair *pair)
{
	*(pair->older ? &pair->older->newer : &name->oldest) = pair->newer;
	*(pair->newer ? &pair->newer->older : &name->newest) = pair->older;
}

static void link_newest(struct name *name, struct pair *pair)
{
	pair->older = name->newest;
	pair->newer = NULL;
	*(name->newest ? &name->newest->newer : &name->oldest) = pair;
	name->newest = pair;
}

/* The name stays, perhaps with no address: see drop_name_if_empty(). */
static void drop_pair(struct name_addresses *names, struct pair *pair)
{
	struct name *name = pair->name;

	if (heap_has(&pair->item))
		heap_take(&names->valid, &pair->item);
	else
		name->over_count--;
	unlink_pair(name, pair);
	name->count--;
	map_remove_value(names->pairs, pair);
}

static void drop_name_if_empty(struct name_addresses *names, struct name *name)
{
	if (name->count == 0)
		map_remove_value(names->names, name);
}

static void make_room(struct name_addresses *names, struct name *name)
{
	if (name->count >= NAME_ADDRESSES_OF_ONE)
		drop_pair(names, name->oldest);
	while (map_count(names->pairs) >= NAME_ADDRESSES_LIMIT) {
		struct name *longest_ago = map_next(names->names, NULL);

		/* the name that gets one has none yet if it is new, and then it is the newest */
		drop_pair(names, longest_ago->oldest);
		if (longest_ago != name)
			drop_name_if_empty(names, longest_ago);
	}
}

/* A new pair, valid until then. NULL when memory is out: nothing is changed. */
static struct pair *add_pair(struct name_addresses *names, struct name *name,
			     const struct pair_key *key, const struct ip_address *address,
			     uint64_t until_ns)
{
	struct pair *pair;

	make_room(names, name);
	pair = map_add(names->pairs, key->bytes, key->size);
	if (!pair)
		return NULL;
	if (heap_put(&names->valid, &pair->item, until_ns) < 0) {
		map_remove_value(names->pairs, pair);
		return NULL;
	}
	pair->name = name;
	pair->address = *address;
	pair->until_ns = until_ns;
	link_newest(name, pair);
	name->count++;
	return pair;
}

static uint64_t *last_answer(struct name *name, const struct pair *pair)
{
	return &name->answered_ns[pair->address.family == 6];
}

static bool of_last_answer(const struct pair *pair)
{
	return pair->answered_ns + SAME_ANSWER_NS >= *last_answer(pair->name, pair);
}

/* From the first answer on, what was remembered ends with its time. */
static void end_renewing(struct name_addresses *names, struct name *name)
{
	name->answered = true;
	for (struct pair *pair = name->oldest; pair; pair = pair->newer)
		(void)heap_put(&names->valid, &pair->item, pair->until_ns);
}

/* What was kept only because it was answered last no longer is. */
static void drop_older_answers(struct name_addresses *names, struct name *name)
{
	struct pair *newer;

	for (struct pair *pair = name->oldest; pair && name->over_count > 0; pair = newer) {
		newer = pair->newer;
		if (!heap_has(&pair->item) && !of_last_answer(pair))
			drop_pair(names, pair);
	}
}

/* Whole seconds, so that nothing in the kernel is over before it is over here. */
static uint32_t seconds_left(uint64_t until_ns, uint64_t now_ns)
{
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	uint64_t left_s = left_ns / NS_PER_S + (left_ns % NS_PER_S != 0);

	return left_s > 0 ? (uint32_t)left_s : 1;
}

static uint64_t answer_holds_ns(const struct name_addresses *names, uint32_t ttl_s)
{
	uint64_t holds_s = at_most(ttl_s, NAME_TTL_MOST);

	if (holds_s < names->floor_s)
		holds_s = names->floor_s;
	holds_s += names->grace_s;
	return (holds_s > 0 ? holds_s : 1) * NS_PER_S;
}

/* Valid until then, or longer if it was; from being over, too. */
static int extend(struct name_addresses *names, struct pair *pair, uint64_t until_ns)
{
	bool was_over = !heap_has(&pair->item);

	if (!was_over && pair->until_ns >= until_ns)
		return 0;
	if (heap_put(&names->valid, &pair->item, until_ns) < 0)
		return -ENOMEM;
	pair->until_ns = until_ns;
	if (was_over)
		pair->name->over_count--;
	return 0;
}

int name_addresses_answered(struct name_addresses *names, const char *name_text,
			    const struct ip_address *address, uint32_t ttl_s, uint64_t now_ns)
{
	uint64_t until_ns = now_ns + answer_holds_ns(names, ttl_s);
	struct pair_key key;
	struct pair *pair;
	struct name *name;

	if (!pair_key_of(name_text, address, &key))
		return -EINVAL;
	name = map_add(names->names, key.bytes, key.size - sizeof(*address));
	if (!name)
		return -ENOMEM;
	if (!name->answered)
		end_renewing(names, name);
	pair = map_find(names->pairs, key.bytes, key.size);
	if (!pair)
		pair = add_pair(names, name, &key, address, until_ns);
	else if (extend(names, pair, until_ns) < 0)
		pair = NULL;
	if (!pair) {
		drop_name_if_empty(names, name);
		return -ENOMEM;
	}
	unlink_pair(name, pair);
	link_newest(name, pair);
	pair->answered_ns = now_ns;
	*last_answer(name, pair) = now_ns;
	drop_older_answers(names, name);
	return (int)seconds_left(pair->until_ns, now_ns);
}

static uint64_t renewal_due(const struct name_addresses *names, const struct pair *pair)
{
	return pair->until_ns - names->remembered_ns / 2;
}

int name_addresses_remember(struct name_addresses *names, const char *name_text,
			    const struct ip_address *address, uint64_t now_ns)
{
	struct pair_key key;
	struct pair *pair;
	struct name *name;

	if (!pair_key_of(name_text, address, &key))
		return -EINVAL;
	name = map_peek(names->names, key.bytes, key.size - sizeof(*address));
	if (name && (name->answered || name->count >= NAME_ADDRESSES_OF_ONE))
		return 0;
	if (map_count(names->pairs) >= NAME_ADDRESSES_LIMIT ||
	    map_peek(names->pairs, key.bytes, key.size))
		return 0;
	name = map_add(names->names, key.bytes, key.size - sizeof(*address));
	if (!name)
		return -ENOMEM;
	pair = add_pair(names, name, &key, address, now_ns + names->remembered_ns);
	if (!pair) {
		drop_name_if_empty(names, name);
		return -ENOMEM;
	}
	return heap_put(&names->valid, &pair->item, renewal_due(names, pair));
}

typedef bool (*keep_fn)(const struct pair *pair, uint64_t now_ns, uint32_t *ret_left_s);

static void walk(const struct name_addresses *names, keep_fn keep, uint64_t now_ns,
		 name_address_fn each, void *context)
{
	uint32_t left_s;

	for (struct name *name = map_next(names->names, NULL); name;
	     name = map_next(names->names, name))
		for (const struct pair *pair = name->oldest; pair; pair = pair->newer)
			if (keep(pair, now_ns, &left_s))
				each(context, map_key(name, NULL), &pair->address, left_s);
}

static bool is_valid(const struct pair *pair, uint64_t now_ns, uint32_t *ret_left_s)
{
	*ret_left_s = seconds_left(pair->until_ns, now_ns);
	return heap_has(&pair->item) && pair->until_ns > now_ns;
}

void name_addresses_each(const struct name_addresses *names, uint64_t now_ns, name_address_fn each,
			 void *context)
{
	walk(names, is_valid, now_ns, each, context);
}

static bool is_kept(const struct pair *pair, uint64_t now_ns, uint32_t *ret_left_s)
{
	(void)now_ns;
	*ret_left_s = heap_has(&pair->item);
	return true;
}

void name_addresses_each_kept(const struct name_addresses *names, name_address_fn each,
			      void *context)
{
	walk(names, is_kept, 0, each, context);
}

static void end_pair(struct name_addresses *names, struct pair *pair)
{
	struct name *name = pair->name;

	if (of_last_answer(pair)) {
		heap_take(&names->valid, &pair->item);
		name->over_count++;
		return;
	}
	drop_pair(names, pair);
	drop_name_if_empty(names, name);
}

uint64_t name_addresses_tick(struct name_addresses *names, uint64_t now_ns, name_address_fn renewed,
			     void *context)
{
	struct heap_item *first;

	for (;;) {
		struct pair *pair;

		first = heap_first(&names->valid);
		if (!first || first->due > now_ns)
			break;
		pair = (struct pair *)first;
		if (pair->name->answered) {
			end_pair(names, pair);
			continue;
		}
		pair->until_ns = now_ns + names->remembered_ns;
		(void)heap_put(&names->valid, first, renewal_due(names, pair));
		renewed(context, map_key(pair->name, NULL), &pair->address,
			seconds_left(pair->until_ns, now_ns));
	}
	return first ? first->due : 0;
}

size_t name_addresses_count(const struct name_addresses *names)
{
	return names->valid.count;
}
