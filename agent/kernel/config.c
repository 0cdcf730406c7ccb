/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/file.h"

/* Those of distributions are below 300 KiB. */
#define CONFIG_SIZE_LIMIT (4 * 1024 * 1024)

#define PREFIX	"CONFIG_"
#define NOT_SET " is not set"

static const char *const option_names[OPTION_COUNT] = {
	[OPTION_NONE] = "",
	[OPTION_FANOTIFY] = "CONFIG_FANOTIFY",
	[OPTION_FANOTIFY_ACCESS_PERMISSIONS] = "CONFIG_FANOTIFY_ACCESS_PERMISSIONS",
	[OPTION_CONNECTOR] = "CONFIG_CONNECTOR",
	[OPTION_PROC_EVENTS] = "CONFIG_PROC_EVENTS",
	[OPTION_CROSS_MEMORY_ATTACH] = "CONFIG_CROSS_MEMORY_ATTACH",
	[OPTION_HAVE_ARCH_TRACEHOOK] = "CONFIG_HAVE_ARCH_TRACEHOOK",
	[OPTION_MEMFD_CREATE] = "CONFIG_MEMFD_CREATE",
	[OPTION_SYSCTL] = "CONFIG_SYSCTL",
	[OPTION_SECURITY_YAMA] = "CONFIG_SECURITY_YAMA",
	[OPTION_USER_NS] = "CONFIG_USER_NS",
	[OPTION_USERFAULTFD] = "CONFIG_USERFAULTFD",
	[OPTION_IO_URING] = "CONFIG_IO_URING",
	[OPTION_MODULES] = "CONFIG_MODULES",
	[OPTION_MODULE_SIG_FORCE] = "CONFIG_MODULE_SIG_FORCE",
	[OPTION_KEXEC_CORE] = "CONFIG_KEXEC_CORE",
	[OPTION_BPF_SYSCALL] = "CONFIG_BPF_SYSCALL",
	[OPTION_BPF_UNPRIV_DEFAULT_OFF] = "CONFIG_BPF_UNPRIV_DEFAULT_OFF",
	[OPTION_PROC_MEM_NO_FORCE] = "CONFIG_PROC_MEM_NO_FORCE",
};

/* A line, not terminated. */
struct line {
	const char *text;
	size_t size;
};

const char *kernel_option_name(enum kernel_option option)
{
	return option_names[option];
}

static bool starts_with(struct line line, const char *word)
{
	size_t size = strlen(word);

	return line.size >= size && memcmp(line.text, word, size) == 0;
}

static struct line without(struct line line, size_t size)
{
	return (struct line){line.text + size, line.size - size};
}

static void set_option(struct kernel_config *config, struct line name, bool set)
{
	for (size_t i = OPTION_NONE + 1; i < OPTION_COUNT; i++)
		if (strlen(option_names[i]) == name.size &&
		    memcmp(option_names[i], name.text, name.size) == 0)
			config->set[i] = set;
}

/* The length of "CONFIG_NAME" at the line's beginning, 0 if it is none. */
static size_t name_size(struct line line)
{
	size_t size = strlen(PREFIX);

	if (!starts_with(line, PREFIX))
		return 0;
	while (size < line.size &&
	       (isalnum((unsigned char)line.text[size]) || line.text[size] == '_'))
		size++;
	return size > strlen(PREFIX) ? size : 0;
}

/* "# Linux/x86 6.1.90 Kernel Configuration", "# Linux kernel version: 2.6.32" */
static void take_heading(struct line line, struct kernel_config *config)
{
	char text[128];
	const char *number;

	if (!starts_with(line, "# Linux") || !kernel_release_is_none(config->release))
		return;
	(void)snprintf(text, sizeof(text), "%.*s", (int)line.size, line.text);
	if (!strstr(text, "Kernel Configuration") && !strstr(text, "kernel version"))
		return;
	number = strpbrk(text, " ");
	while (number && kernel_release_parse(number + 1, &config->release) < 0)
		number = strpbrk(number + 1, " ");
}

/* Returns 1 if the line is about an option, 0 if it is empty or a comment, or -EINVAL. */
static int take_line(struct line line, struct kernel_config *config)
{
	bool commented = starts_with(line, "# ");
	struct line rest = commented ? without(line, 2) : line;
	size_t size = name_size(rest);
	struct line after = without(rest, size);

	if (size > 0 && !commented && starts_with(after, "=")) {
		set_option(config, (struct line){rest.text, size},
			   after.size == 2 && (after.text[1] == 'y' || after.text[1] == 'm'));
		return 1;
	}
	if (size > 0 && commented && after.size == strlen(NOT_SET) && starts_with(after, NOT_SET)) {
		set_option(config, (struct line){rest.text, size}, false);
		return 1;
	}
	if (line.size > 0 && line.text[0] != '#')
		return -EINVAL;
	take_heading(line, config);
	return 0;
}

int kernel_config_parse(const char *text, size_t size, struct kernel_config *ret_config,
			struct error *error)
{
	struct kernel_config config = {0};
	size_t options = 0;
	size_t number = 1;

	/* RFC 1952, 2.3.1: how gzip begins */
	if (size >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
		return error_set(
			error, EINVAL,
			"is compressed; try: zcat FILE | rtguard doctor --kernel-config -");
	for (size_t at = 0; at < size; number++) {
		const char *end = memchr(text + at, '\n', size - at);
		struct line line = {text + at, end ? (size_t)(end - (text + at)) : size - at};
		int result;

		at += line.size + 1;
		if (line.size > 0 && line.text[line.size - 1] == '\r')
			line.size--;
		result = take_line(line, &config);
		if (result < 0)
			return error_set(
				error, EINVAL,
				"line %zu: expected CONFIG_NAME=VALUE, as in the .config of "
				"a kernel",
				number);
		options += (size_t)result;
	}
	if (options == 0)
		return error_set(error, EINVAL,
				 "no CONFIG_ line in it; expected the .config of a kernel");
	*ret_config = config;
	return 0;
}

int kernel_config_read(const char *path, struct kernel_config *ret_config, struct error *error)
{
	const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int result = file_read(file, CONFIG_SIZE_LIMIT, &text, &size, error);

	if (result < 0)
		return result;
	result = kernel_config_parse(text, size, ret_config, error);
	return result < 0 ? error_prefix(error, "%s", path) : 0;
}

int kernel_config_running(struct kernel_config *ret_config)
{
	static const char *const places[] = {"/boot/config-%s", "/lib/modules/%s/config",
					     "/lib/modules/%s/build/.config"};
	struct utsname names;
	char path[sizeof(names.release) + 64];

	if (uname(&names) < 0)
		return -errno;
	for (size_t i = 0; i < array_length(places); i++) {
		const char *mark = strstr(places[i], "%s");

		(void)snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - places[i]), places[i],
			       names.release, mark + 2);
		if (kernel_config_read(path, ret_config, NULL) == 0)
			return 0;
	}
	return -ENOENT;
}
