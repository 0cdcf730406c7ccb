/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/map.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct node {
	struct node *next_in_bucket;
	struct node *older;
	struct node *newer;
	uint64_t hash;
	void *key;
	size_t key_size;
	alignas(max_align_t) unsigned char value[];
};

struct map {
	struct node **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	size_t limit;
	size_t value_size;
	uint64_t evicted;
	uint64_t secret[2];
	struct node *oldest;
	struct node *newest;
	map_dispose_fn dispose;
	void *context;
};

static uint64_t rotate(uint64_t word, unsigned int by)
{
	return word << by | word >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein 2012): one round a word, three at the end. */
static uint64_t hash_key(const struct map *map, const unsigned char *key, size_t size)
{
	uint64_t v[4] = {
		map->secret[0] ^ UINT64_C(0x736f6d6570736575),
		map->secret[1] ^ UINT64_C(0x646f72616e646f6d),
		map->secret[0] ^ UINT64_C(0x6c7967656e657261),
		map->secret[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t left = size;

	for (; left >= 8; left -= 8, key += 8) {
		memcpy(&word, key, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)size << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)key[i] << 8 * i;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int map_new(struct map **ret_map, size_t limit, size_t value_size, map_dispose_fn dispose,
	    void *context)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	map->bucket_count = 16;
	map->buckets = calloc(map->bucket_count, sizeof(struct node *));
	if (!map->buckets) {
		free(map);
		return -ENOMEM;
	}
	/* Without randomness the table still works; only its resistance to crafted keys is gone. */
	if (getrandom(map->secret, sizeof(map->secret), GRND_NONBLOCK) < 0)
		map->secret[0] = (uint64_t)(uintptr_t)map;
	map->limit = limit ? limit : 1;
	map->value_size = value_size;
	map->dispose = dispose;
	map->context = context;
	*ret_map = map;
	return 0;
}

static struct node *node_of(void *value)
{
	return (struct node *)((unsigned char *)value - offsetof(struct node, value));
}

static const struct node *node_of_const(const void *value)
{
	return (const struct node *)((const unsigned char *)value - offsetof(struct node, value));
}

static void unlink_age(struct map *map, struct node *node)
{
	if (node->older)
		node->older->newer = node->newer;
	else
		map->oldest = node->newer;
	if (node->newer)
		node->newer->older = node->older;
	else
		map->newest = node->older;
}

static void link_newest(struct map *map, struct node *node)
{
	node->older = map->newest;
	node->newer = NULL;
	if (map->newest)
		map->newest->newer = node;
	else
		map->oldest = node;
	map->newest = node;
}

static void remove_node(struct map *map, struct node *node)
{
	struct node **place = &map->buckets[node->hash & (map->bucket_count - 1)];

	while (*place != node)
		place = &(*place)->next_in_bucket;
	*place = node->next_in_bucket;
	unlink_age(map, node);
	map->count--;
	if (map->dispose)
		map->dispose(node->value, map->context);
	free(node->key);
	free(node);
}

void map_clear(struct map *map)
{
	while (map->oldest)
		remove_node(map, map->oldest);
}

void map_free(struct map *map)
{
	if (!map)
		return;
	map_clear(map);
	free(map->buckets);
	free(map);
}

static struct node *find_node(const struct map *map, uint64_t hash, const void *key,
			      size_t key_size)
{
	struct node *node = map->buckets[hash & (map->bucket_count - 1)];

	for (; node; node = node->next_in_bucket)
		if (node->hash == hash && node->key_size == key_size &&
		    memcmp(node->key, key, key_size) == 0)
			return node;
	return NULL;
}

void *map_find(struct map *map, const void *key, size_t key_size)
{
	struct node *node = find_node(map, hash_key(map, key, key_size), key, key_size);

	if (!node)
		return NULL;
	if (node != map->newest) {
		unlink_age(map, node);
		link_newest(map, node);
	}
	return node->value;
}

void *map_peek(const struct map *map, const void *key, size_t key_size)
{
	struct node *node = find_node(map, hash_key(map, key, key_size), key, key_size);

	return node ? node->value : NULL;
}

/* A table that cannot grow stays correct and only gets slower. */
static void grow(struct map *map)
{
	size_t larger = map->bucket_count * 2;
	struct node **buckets = calloc(larger, sizeof(struct node *));

	if (!buckets)
		return;
	for (struct node *node = map->oldest; node; node = node->newer) {
		struct node **bucket = &buckets[node->hash & (larger - 1)];

		node->next_in_bucket = *bucket;
		*bucket = node;
	}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = larger;
}

void *map_add(struct map *map, const void *key, size_t key_size)
{
	void *value = map_find(map, key, key_size);
	struct node *node;
	struct node **bucket;

	if (value)
		return value;
	if (map->count >= map->limit) {
		remove_node(map, map->oldest);
		map->evicted++;
	}
	node = calloc(1, sizeof(*node) + map->value_size);
	if (!node)
		return NULL;
	node->key = malloc(key_size ? key_size : 1);
	if (!node->key) {
		free(node);
		return NULL;
	}
	if (key_size)
		memcpy(node->key, key, key_size);
	node->key_size = key_size;
	node->hash = hash_key(map, key, key_size);
	if (map->count >= map->bucket_count)
		grow(map);
	bucket = &map->buckets[node->hash & (map->bucket_count - 1)];
	node->next_in_bucket = *bucket;
	*bucket = node;
	link_newest(map, node);
	map->count++;
	return node->value;
}

void map_remove(struct map *map, const void *key, size_t key_size)
{
	struct node *node = find_node(map, hash_key(map, key, key_size), key, key_size);

	if (node)
		remove_node(map, node);
}

void map_remove_value(struct map *map, void *value)
{
	remove_node(map, node_of(value));
}

size_t map_count(const struct map *map)
{
	return map->count;
}

uint64_t map_evicted(const struct map *map)
{
	return map->evicted;
}

void *map_next(const struct map *map, const void *value)
{
	struct node *node = value ? node_of_const(value)->newer : map->oldest;

	return node ? node->value : NULL;
}

const void *map_key(const void *value, size_t *ret_key_size)
{
	if (ret_key_size)
		*ret_key_size = node_of_const(value)->key_size;
	return node_of_const(value)->key;
}
