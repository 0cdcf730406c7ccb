/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/assembly.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int contradicts(const struct assembly *assembly, size_t offset, const uint8_t *bytes,
		       size_t size)
{
	for (size_t i = 0; i < assembly->range_count; i++) {
		size_t begin = larger(assembly->ranges[i].begin, offset);
		size_t end = smaller(assembly->ranges[i].end, offset + size);

		if (begin < end &&
		    memcmp(assembly->bytes + begin, bytes + (begin - offset), end - begin) != 0)
			return 1;
	}
	return 0;
}

static int make_room(struct assembly *assembly, size_t size, size_t limit)
{
	size_t capacity = assembly->capacity ? assembly->capacity : 512;
	uint8_t *bytes;

	if (size <= assembly->capacity)
		return 0;
	while (capacity < size)
		capacity *= 2;
	capacity = smaller(capacity, limit);
	bytes = realloc(assembly->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	assembly->bytes = bytes;
	assembly->capacity = capacity;
	return 0;
}

/* The first range that touches or lies behind [begin, ..., end), and how many it swallows. */
static size_t swallowed(const struct assembly *assembly, size_t begin, size_t end,
			size_t *ret_count)
{
	size_t first = 0;
	size_t last;

	while (first < assembly->range_count && assembly->ranges[first].end < begin)
		first++;
	for (last = first; last < assembly->range_count && assembly->ranges[last].begin <= end;)
		last++;
	*ret_count = last - first;
	return first;
}

int assembly_add(struct assembly *assembly, size_t limit, size_t offset, const uint8_t *bytes,
		 size_t size)
{
	size_t begin = offset;
	size_t end;
	size_t first;
	size_t count;
	size_t behind;
	int error;

	if (size == 0)
		return 0;
	if (offset > limit || size > limit - offset)
		return -ENOBUFS;
	end = offset + size;
	if (contradicts(assembly, offset, bytes, size))
		return -EEXIST;
	first = swallowed(assembly, begin, end, &count);
	if (count == 0 && assembly->range_count == ASSEMBLY_RANGES_MAX)
		return -ENOBUFS;
	error = make_room(assembly, end, limit);
	if (error < 0)
		return error;
	memcpy(assembly->bytes + offset, bytes, size);
	if (count > 0) {
		begin = smaller(begin, assembly->ranges[first].begin);
		end = larger(end, assembly->ranges[first + count - 1].end);
	}
	behind = assembly->range_count - first - count;
	memmove(&assembly->ranges[first + 1], &assembly->ranges[first + count],
		behind * sizeof(assembly->ranges[0]));
	assembly->ranges[first].begin = begin;
	assembly->ranges[first].end = end;
	assembly->range_count = first + 1 + behind;
	return 0;
}

size_t assembly_contiguous(const struct assembly *assembly)
{
	return assembly->range_count && assembly->ranges[0].begin == 0 ? assembly->ranges[0].end
								       : 0;
}

void assembly_consume(struct assembly *assembly, size_t size)
{
	size_t kept = 0;
	size_t end = 0;

	if (assembly->range_count)
		end = assembly->ranges[assembly->range_count - 1].end;
	if (size == 0 || size > assembly_contiguous(assembly))
		return;
	memmove(assembly->bytes, assembly->bytes + size, end - size);
	for (size_t i = 0; i < assembly->range_count; i++) {
		if (assembly->ranges[i].end == size)
			continue;
		assembly->ranges[kept].begin =
			assembly->ranges[i].begin > size ? assembly->ranges[i].begin - size : 0;
		assembly->ranges[kept++].end = assembly->ranges[i].end - size;
	}
	assembly->range_count = kept;
}

void assembly_free(struct assembly *assembly)
{
	free(assembly->bytes);
	memset(assembly, 0, sizeof(*assembly));
}
