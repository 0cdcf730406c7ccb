/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hostname.h"
#include "base/text.h"
#include "gate/name_addresses.h"
#include "privilege/child.h"

#define HEADING "# The addresses that names had last, as rtguard saw them: NAME ADDRESS\n"

/* Name, blank, address, end of line. */
#define LINE_SIZE_MAX (HOSTNAME_SIZE + IP_TEXT_SIZE)
#define FILE_SIZE_MAX ((size_t)NAME_ADDRESSES_LIMIT * LINE_SIZE_MAX)

struct line {
	const char *name;
	struct ip_address address;
};

struct lines {
	struct line *items;
	size_t count;
	size_t capacity;
	bool out_of_memory;
};

static void take_line(void *context, const char *name, const struct ip_address *address,
		      uint32_t left_s)
{
	struct lines *lines = context;

	(void)left_s;
	if (array_reserve(&lines->items, &lines->capacity, lines->count, sizeof(struct line)) < 0)
		lines->out_of_memory = true;
	else
		lines->items[lines->count++] = (struct line){name, *address};
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *left = a;
	const struct line *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : ip_compare(&left->address, &right->address);
}

static int file_text(const struct name_addresses *names, char **ret_text)
{
	struct lines lines = {0};
	struct text text = {0};
	char address[IP_TEXT_SIZE];

	name_addresses_each_kept(names, take_line, &lines);
	if (lines.out_of_memory) {
		free(lines.items);
		return -ENOMEM;
	}
	if (lines.count > 0)
		qsort(lines.items, lines.count, sizeof(struct line), compare_lines);
	text_append(&text, HEADING);
	for (size_t i = 0; i < lines.count; i++) {
		ip_format(&lines.items[i].address, address);
		text_append(&text, lines.items[i].name);
		text_append(&text, " ");
		text_append(&text, address);
		text_append(&text, "\n");
	}
	free(lines.items);
	return text_finish(&text, ret_text);
}

static int not_a_file(const char *path, struct error *error)
{
	return error_set(error, EINVAL, "%s: is not a regular file", path);
}

/* Where this host goes is nobody else's business. The replacement takes over the mode. */
static int make_private(const char *path, struct error *error)
{
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return not_a_file(path, error);
	if (fchmod(fd, 0600) < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	return 0;
}

int name_addresses_save(const struct name_addresses *names, const char *path, struct error *error)
{
	_cleanup_(freep) char *text = NULL;
	int result = file_text(names, &text);

	if (result < 0)
		return error_set(error, -result, "%s: out of memory", path);
	result = make_private(path, error);
	if (result < 0)
		return result;
	return file_replace(path, text, strlen(text), error);
}

pid_t name_addresses_save_aside(const struct name_addresses *names, const char *path)
{
	pid_t pid = child_fork(-1);

	if (pid == 0)
		_exit(-name_addresses_save(names, path, NULL));
	return pid;
}

/* What another host can be reached at. */
static bool is_host_address(const struct ip_address *address)
{
	switch (ip_scope(address)) {
	case ADDRESS_LINK_LOCAL:
	case ADDRESS_PRIVATE:
	case ADDRESS_PUBLIC:
		return true;
	case ADDRESS_UNSPECIFIED:
	case ADDRESS_LOOPBACK:
	case ADDRESS_MULTICAST:
	case ADDRESS_BROADCAST:
		break;
	}
	return false;
}

/* Without its end. Returns 0, -EINVAL or -ENOMEM. */
static int parse_line(struct name_addresses *names, const char *bytes, size_t size, uint64_t now_ns)
{
	char line[LINE_SIZE_MAX];
	struct ip_address address;
	char *blank;

	if (size == 0 || bytes[0] == '#')
		return 0;
	if (size >= sizeof(line) || memchr(bytes, '\0', size))
		return -EINVAL;
	memcpy(line, bytes, size);
	line[size] = '\0';
	blank = strchr(line, ' ');
	if (!blank)
		return -EINVAL;
	*blank = '\0';
	if (!hostname_is_valid(line) || ip_parse(blank + 1, &address) < 0 ||
	    !is_host_address(&address))
		return -EINVAL;
	return name_addresses_remember(names, line, &address, now_ns);
}

int name_addresses_parse(struct name_addresses *names, const char *bytes, size_t size,
			 uint64_t now_ns, size_t *ret_damaged)
{
	size_t damaged = 0;

	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t length = end ? (size_t)(end - bytes) : size;
		size_t taken = end ? length + 1 : length;
		/* a line that was cut may be another address than the one that was meant */
		int result =
			end || length == 0 ? parse_line(names, bytes, length, now_ns) : -EINVAL;

		if (result == -ENOMEM)
			return result;
		damaged += result < 0;
		bytes += taken;
		size -= taken;
	}
	*ret_damaged = damaged;
	return 0;
}

int name_addresses_load(struct name_addresses *names, const char *path, uint64_t now_ns,
			size_t *ret_damaged, struct error *error)
{
	_cleanup_(freep) char *bytes = NULL;
	struct error reading = {0};
	struct stat status;
	size_t size;
	int result;

	/* a pipe would be waited for, and the rules with it */
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return not_a_file(path, error);
	result = file_read(path, FILE_SIZE_MAX, &bytes, &size, &reading);
	if (result == -ENOENT) {
		*ret_damaged = 0;
		return 0;
	}
	if (result < 0)
		return error_set(error, -result, "%s", reading.message);
	if (name_addresses_parse(names, bytes, size, now_ns, ret_damaged) < 0)
		return error_set(error, ENOMEM, "%s: out of memory", path);
	return 0;
}
