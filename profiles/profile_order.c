/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profiles/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int string_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int string_list_compare(const void *a, const void *b)
{
	const struct string_list *left = a;
	const struct string_list *right = b;

	for (size_t i = 0; i < left->count && i < right->count; i++) {
		int order = strcmp(left->items[i], right->items[i]);

		if (order)
			return order;
	}
	return compare_number(left->count, right->count);
}

int program_compare(const void *a, const void *b)
{
	const struct profile_program *left = a;
	const struct profile_program *right = b;
	int order = compare_text(left->path, right->path);

	return order ? order : compare_text(left->sha256, right->sha256);
}

int script_compare(const void *a, const void *b)
{
	const struct profile_script *left = a;
	const struct profile_script *right = b;
	int order = compare_text(left->path, right->path);

	if (!order)
		order = compare_text(left->sha256, right->sha256);
	return order ? order : compare_text(left->interpreter, right->interpreter);
}

int library_compare(const void *a, const void *b)
{
	const struct profile_library *left = a;
	const struct profile_library *right = b;
	int order = compare_text(left->path, right->path);

	return order ? order : compare_text(left->sha256, right->sha256);
}

int listener_compare(const void *a, const void *b)
{
	const struct profile_listener *left = a;
	const struct profile_listener *right = b;
	int order = compare_number(left->protocol, right->protocol);

	if (!order)
		order = compare_number(left->port, right->port);
	if (!order)
		order = compare_number(right->any_address, left->any_address);
	if (!order)
		order = compare_number(right->loopback, left->loopback);
	if (!order && !left->any_address && !left->loopback)
		order = ip_compare(&left->address, &right->address);
	return order ? order : compare_text(left->program, right->program);
}

/* Only what the kind of peer uses counts. */
static int compare_peers(const struct profile_connection *left,
			 const struct profile_connection *right)
{
	int order = compare_number(left->peer_kind, right->peer_kind);

	if (order)
		return order;
	if (left->peer_kind == PEER_ROLE)
		return compare_number(left->role, right->role);
	if (left->peer_kind != PEER_ADDRESS)
		return compare_text(left->name, right->name);
	order = ip_compare(&left->address, &right->address);
	return order ? order : compare_number(left->prefix_length, right->prefix_length);
}

static int compare_ports(const struct profile_connection *left,
			 const struct profile_connection *right)
{
	int order;

	if (protocol_has_types(left->protocol))
		return compare_number(left->icmp_type, right->icmp_type);
	if (!protocol_has_ports(left->protocol))
		return 0;
	order = compare_number(left->port_kind, right->port_kind);
	if (!order && left->port_kind == PORT_NUMBER)
		order = compare_number(left->port, right->port);
	return order ? order : compare_number(left->local_port, right->local_port);
}

int connection_compare(const void *a, const void *b)
{
	const struct profile_connection *left = a;
	const struct profile_connection *right = b;
	int order = compare_number(left->protocol, right->protocol);

	if (!order)
		order = compare_peers(left, right);
	if (!order)
		order = compare_ports(left, right);
	return order ? order : compare_text(left->program, right->program);
}

int device_compare(const void *a, const void *b)
{
	const struct profile_device *left = a;
	const struct profile_device *right = b;

	return memcmp(&left->mac, &right->mac, sizeof(left->mac));
}

struct duplicate_search {
	const char *items;
	size_t item_size;
	compare_fn compare;
};

/* Equal items lie in the order of their indexes. */
static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct duplicate_search *search = context;
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	int order = search->compare(search->items + left * search->item_size,
				    search->items + right * search->item_size);

	return order ? order : compare_number(left, right);
}

bool is_ascending(const void *items, size_t count, size_t item_size, compare_fn compare)
{
	const char *item = items;

	for (size_t i = 1; i < count; i++, item += item_size)
		if (compare(item, item + item_size) >= 0)
			return false;
	return true;
}

int duplicate_find(const void *items, size_t count, size_t item_size, compare_fn compare,
		   size_t *ret_first, size_t *ret_second)
{
	struct duplicate_search search = {items, item_size, compare};
	_cleanup_(freep) size_t *indexes = NULL;

	if (is_ascending(items, count, item_size, compare))
		return 0;
	indexes = calloc(count, sizeof(*indexes));
	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		indexes[i] = i;
	qsort_r(indexes, count, sizeof(*indexes), compare_indexes, &search);
	for (size_t i = 1; i < count; i++) {
		if (compare(search.items + indexes[i - 1] * item_size,
			    search.items + indexes[i] * item_size) != 0)
			continue;
		*ret_first = indexes[i - 1];
		*ret_second = indexes[i];
		return 1;
	}
	return 0;
}
