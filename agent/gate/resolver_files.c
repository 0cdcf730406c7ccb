/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/resolver_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define FILE_SIZE_MAX 65536
#define LINKS_MAX     8

struct place {
	const char *path;
	/* anybody may make it where nobody has: it and its directory must be root's */
	bool is_public;
};

static const struct place places[] = {
	{"/etc/resolv.conf", false},
	/* whom systemd-resolved asks: the one above names 127.0.0.53 then */
	{"/run/systemd/resolve/resolv.conf", false},
	/* NetworkManager: what it would have written, and whom its local dnsmasq asks */
	{"/run/NetworkManager/resolv.conf", false},
	{"/run/NetworkManager/no-stub-resolv.conf", false},
	/* resolvconf and openresolv */
	{"/run/resolvconf/resolv.conf", false},
	/* whom dnsmasq asks: Debian's resolvconf hook; openresolv's usual name */
	{"/run/dnsmasq/resolv.conf", false},
	{"/etc/dnsmasq-resolv.conf", false},
	{"/run/connman/resolv.conf", false},
	/* pppd's usepeerdns */
	{"/etc/ppp/resolv.conf", false},
	/* netifd, whom OpenWrt's dnsmasq asks */
	{"/tmp/resolv.conf.d/resolv.conf.auto", true},
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void add(struct resolver_list *list, const struct ip_address *address)
{
	size_t place = 0;

	while (place < list->count && ip_compare(&list->items[place], address) < 0)
		place++;
	if (place < list->count && ip_equal(&list->items[place], address))
		return;
	if (list->count == RESOLVERS_MAX)
		return;
	memmove(&list->items[place + 1], &list->items[place],
		(list->count - place) * sizeof(list->items[0]));
	list->items[place] = *address;
	list->count++;
}

/* resolv.conf(5): the keyword begins the line, blanks follow; what stands behind the address is
 * ignored as libc ignores it. */
static void parse_line(const char *at, const char *end, struct resolver_list *list)
{
	static const char keyword[] = "nameserver";
	size_t keyword_size = sizeof(keyword) - 1;
	char text[IP_TEXT_SIZE];
	struct ip_address address;
	size_t size = 0;

	if ((size_t)(end - at) <= keyword_size || memcmp(at, keyword, keyword_size) != 0 ||
	    !is_blank(at[keyword_size]))
		return;
	at += keyword_size;
	while (at < end && is_blank(*at))
		at++;
	while (at < end && !is_blank(*at) && *at != '%') {
		if (size + 1 == sizeof(text))
			return;
		text[size++] = *at++;
	}
	text[size] = '\0';
	if (strlen(text) != size || ip_parse(text, &address) < 0)
		return;
	switch (ip_scope(&address)) {
	case ADDRESS_LOOPBACK:
	case ADDRESS_LINK_LOCAL:
	case ADDRESS_PRIVATE:
	case ADDRESS_PUBLIC:
		add(list, &address);
		break;
	case ADDRESS_UNSPECIFIED: /* this host, by libc's reading; loopback is free anyway */
	case ADDRESS_MULTICAST:
	case ADDRESS_BROADCAST:
		break;
	}
}

void resolver_file_parse(const char *bytes, size_t size, struct resolver_list *list)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t length = newline ? (size_t)(newline - bytes) : size;

		parse_line(bytes, bytes + length, list);
		length += newline != NULL;
		bytes += length;
		size -= length;
	}
}

/* "/a/b" becomes "/a", "/a" becomes "/". */
static void cut_last_part(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

static void directory_of(const char *path, char directory[PATH_MAX])
{
	(void)snprintf(directory, PATH_MAX, "%s", path);
	cut_last_part(directory);
}

static bool is_of_root_alone(const struct stat *status)
{
	return status->st_uid == 0 && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

static bool may_be_believed(const struct place *place, const struct stat *file)
{
	char directory[PATH_MAX];
	struct stat status;

	if (!place->is_public)
		return true;
	directory_of(place->path, directory);
	return is_of_root_alone(file) && lstat(directory, &status) == 0 &&
	       S_ISDIR(status.st_mode) && is_of_root_alone(&status);
}

static void read_place(const struct place *place, char *bytes, struct resolver_list *list)
{
	/* a pipe in its place holds nobody up */
	_cleanup_(closep) int fd = open(place->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
							     (place->is_public ? O_NOFOLLOW : 0));
	struct stat status;
	ssize_t size;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    !may_be_believed(place, &status))
		return;
	size = read_text(fd, bytes, FILE_SIZE_MAX);
	if (size > 0)
		resolver_file_parse(bytes, (size_t)size, list);
}

void resolver_files_read(struct resolver_list *ret_list)
{
	_cleanup_(freep) char *bytes = malloc(FILE_SIZE_MAX);

	ret_list->count = 0;
	for (size_t i = 0; bytes && i < array_length(places); i++)
		read_place(&places[i], bytes, ret_list);
}

/* The file itself (it may be mounted there from elsewhere), and its directory, or the one in which
 * the first part of the way that is missing would appear. */
static void watch_path(int fd, const char *path)
{
	const uint32_t gone = IN_DELETE_SELF | IN_MOVE_SELF;
	const uint32_t appears = IN_CREATE | IN_MOVED_TO;
	const uint32_t changes = IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM;
	char directory[PATH_MAX];

	(void)inotify_add_watch(fd, path, IN_MASK_ADD | IN_MODIFY | gone);
	directory_of(path, directory);
	if (inotify_add_watch(fd, directory, IN_MASK_ADD | IN_ONLYDIR | appears | changes | gone) >=
	    0)
		return;
	while (strcmp(directory, "/") != 0) {
		cut_last_part(directory);
		if (inotify_add_watch(fd, directory, IN_MASK_ADD | IN_ONLYDIR | appears | gone) >=
		    0)
			return;
	}
}

static int add_parts(const char *path, struct string_list *names)
{
	char copy[PATH_MAX];
	char *rest;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	for (char *part = strtok_r(copy, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
		if (string_list_add(names, part) < 0)
			return -ENOMEM;
	return 0;
}

/* The names of links that lead to links, wherever these are. */
static int add_links(const char *path, struct string_list *names)
{
	char at[PATH_MAX], link[PATH_MAX], next[PATH_MAX];
	ssize_t size;

	(void)snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS_MAX; i++) {
		size = readlink(at, link, sizeof(link) - 1);
		if (size < 0)
			return 0;
		link[size] = '\0';
		if (add_parts(link, names) < 0)
			return -ENOMEM;
		cut_last_part(at);
		if (snprintf(next, sizeof(next), "%s/%s", link[0] == '/' ? "" : at, link) >=
		    (int)sizeof(next))
			return 0;
		memcpy(at, next, sizeof(at));
	}
	return 0;
}

static int watch_place(int fd, const char *path, struct string_list *names)
{
	char target[PATH_MAX];

	watch_path(fd, path);
	if (add_parts(path, names) < 0 || add_links(path, names) < 0)
		return -ENOMEM;
	if (!realpath(path, target) || strcmp(target, path) == 0)
		return 0;
	watch_path(fd, target);
	return add_parts(target, names);
}

int resolver_files_watch(struct string_list *ret_names)
{
	struct string_list names = {0};
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < array_length(places); i++) {
		if (watch_place(fd, places[i].path, &names) < 0) {
			string_list_free(&names);
			close(fd);
			return -ENOMEM;
		}
	}
	*ret_names = names;
	return fd;
}

/* Without a name it is about what is watched itself, or about events that were lost. */
static bool concerns(const struct inotify_event *event, const struct string_list *names)
{
	if (event->len == 0)
		return true;
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], event->name) == 0)
			return true;
	return false;
}

bool resolver_files_changed(int fd, const struct string_list *names)
{
	_Alignas(struct inotify_event) char bytes[4096];
	bool changed = false;
	ssize_t size;

	while ((size = read(fd, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *event;

		for (char *at = bytes; at < bytes + size; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			changed = changed || concerns(event, names);
		}
	}
	return changed;
}
