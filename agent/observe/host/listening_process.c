/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/listening_process.h"

#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "observe/host/socket_record.h"

#define SOCKETS_LIMIT 65536
#define LINES_LIMIT   1000000

struct inodes {
	uint32_t *items;
	size_t count;
	size_t capacity;
};

static int compare(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

static void read_sockets(pid_t pid, struct inodes *inodes)
{
	char path[64];
	DIR *directory;
	struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)) && inodes->count < SOCKETS_LIMIT) {
		char target[64];
		ssize_t size =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		uint32_t inode;

		if (size < 0)
			continue;
		target[size] = '\0';
		if (sscanf(target, "socket:[%" SCNu32 "]", &inode) != 1)
			continue;
		if (array_reserve(&inodes->items, &inodes->capacity, inodes->count,
				  sizeof(*inodes->items)) < 0)
			break;
		inodes->items[inodes->count++] = inode;
	}
	if (directory)
		(void)closedir(directory);
	if (inodes->count)
		qsort(inodes->items, inodes->count, sizeof(*inodes->items), compare);
}

static bool one_listens(pid_t pid, const char *table, uint8_t family, const struct inodes *inodes)
{
	char path[64];
	_cleanup_(fclosep) FILE *file = NULL;
	struct socket_record record;
	char line[512];

	(void)snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, table);
	file = fopen(path, "re");
	for (size_t i = 0; file && i < LINES_LIMIT && fgets(line, sizeof(line), file); i++)
		if (socket_record_parse_line(line, family, IPPROTO_TCP, &record) == 0 &&
		    record.state == TCP_LISTEN &&
		    bsearch(&record.inode, inodes->items, inodes->count, sizeof(*inodes->items),
			    compare))
			return true;
	return false;
}

bool process_listens(pid_t pid)
{
	struct inodes inodes = {0};
	bool listens;

	read_sockets(pid, &inodes);
	listens = inodes.count &&
		  (one_listens(pid, "tcp", 4, &inodes) || one_listens(pid, "tcp6", 6, &inodes));
	free(inodes.items);
	return listens;
}
