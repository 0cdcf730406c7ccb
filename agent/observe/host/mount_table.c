/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/mount_table.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_octal(char digit)
{
	return digit >= '0' && digit <= '7';
}

/* Space, tab, newline and backslash are written as \ooo (seq_path in the kernel). */
static void unescape(char *text)
{
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) &&
		    is_octal(text[3])) {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

int mount_entry_parse(char *line, struct mount_entry *ret_entry)
{
	char *rest = line;
	char *directory = NULL;
	char *separator;
	char *filesystem;

	line[strcspn(line, "\n")] = '\0';
	separator = strstr(line, " - ");
	if (!separator)
		return -EBADMSG;
	*separator = '\0';
	/* mount id, parent id, major:minor, root, mount point */
	for (int i = 0; i < 5; i++)
		directory = strsep(&rest, " ");
	if (!directory || directory[0] != '/')
		return -EBADMSG;
	rest = separator + strlen(" - ");
	filesystem = strsep(&rest, " ");
	if (!filesystem || !*filesystem)
		return -EBADMSG;
	unescape(directory);
	ret_entry->directory = directory;
	ret_entry->filesystem = filesystem;
	return 0;
}

bool filesystem_holds_programs(const char *filesystem)
{
	static const char *const others[] = {
		"autofs",     "binfmt_misc", "binder",	   "bpf",	 "cgroup",    "cgroup2",
		"configfs",   "cpuset",	     "debugfs",	   "devpts",	 "devtmpfs",  "efivarfs",
		"functionfs", "fusectl",     "hugetlbfs",  "mqueue",	 "nfsd",      "nsfs",
		"proc",	      "pstore",	     "rpc_pipefs", "securityfs", "selinuxfs", "smackfs",
		"sysfs",      "tracefs",
	};

	for (size_t i = 0; i < array_length(others); i++)
		if (strcmp(filesystem, others[i]) == 0)
			return false;
	return true;
}

int mount_table_walk(mount_entry_fn visit, void *context)
{
	_cleanup_(fclosep) FILE *stream = fopen("/proc/self/mountinfo", "re");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;

	if (!stream)
		return -errno;
	while (getline(&line, &capacity, stream) >= 0) {
		struct mount_entry entry;

		if (mount_entry_parse(line, &entry) == 0 &&
		    filesystem_holds_programs(entry.filesystem))
			visit(context, entry.directory);
	}
	return ferror(stream) ? -EIO : 0;
}
