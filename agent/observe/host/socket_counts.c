/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/socket_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	uint8_t protocol;
	uint8_t file;
} numbers[] = {
	{"UDP", IPPROTO_UDP, 0},
	{"UDP6", IPPROTO_UDP, 1},
	{"UDPLITE", IPPROTO_UDPLITE, 0},
	{"UDPLITE6", IPPROTO_UDPLITE, 1},
};

struct socket_counts {
	int files[2]; /* the second is -1 on a kernel without IPv6 */
	int64_t before[array_length(numbers)];
	int64_t now[array_length(numbers)]; /* -1: unknown */
};

int socket_counts_new(struct socket_counts **ret_counts)
{
	struct socket_counts *counts = calloc(1, sizeof(*counts));

	if (!counts)
		return -ENOMEM;
	counts->files[0] = open("/proc/net/sockstat", O_RDONLY | O_CLOEXEC);
	counts->files[1] = open("/proc/net/sockstat6", O_RDONLY | O_CLOEXEC);
	if (counts->files[0] < 0) {
		socket_counts_free(counts);
		return -ENOENT;
	}
	for (size_t i = 0; i < array_length(numbers); i++)
		counts->now[i] = -1;
	*ret_counts = counts;
	return 0;
}

void socket_counts_free(struct socket_counts *counts)
{
	if (!counts)
		return;
	for (size_t i = 0; i < array_length(counts->files); i++)
		closep(&counts->files[i]);
	free(counts);
}

int64_t socket_counts_parse(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (text) {
		unsigned int number;

		if (!strncmp(text, name, length) &&
		    sscanf(text + length, ": inuse %u", &number) == 1)
			return number;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return -1;
}

void socket_counts_read(struct socket_counts *counts)
{
	char text[array_length(counts->files)][1024];

	for (size_t i = 0; i < array_length(counts->files); i++) {
		ssize_t length = pread(counts->files[i], text[i], sizeof(text[i]) - 1, 0);

		text[i][length > 0 ? length : 0] = '\0';
	}
	for (size_t i = 0; i < array_length(numbers); i++) {
		counts->before[i] = counts->now[i];
		counts->now[i] = socket_counts_parse(text[numbers[i].file], numbers[i].name);
	}
}

bool socket_counts_changed(const struct socket_counts *counts, uint8_t protocol)
{
	bool known = false;

	for (size_t i = 0; i < array_length(numbers); i++) {
		if (numbers[i].protocol != protocol)
			continue;
		if (counts->now[i] != counts->before[i])
			return true;
		known = known || counts->now[i] >= 0;
	}
	return !known;
}
