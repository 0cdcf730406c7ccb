/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/host/mount_table.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

/* fs/cifs/cifsglob.h, fs/smb/client; fs/ceph/super.h; not in linux/magic.h everywhere */
#define CIFS_MAGIC 0xFF534D42UL
#define CEPH_MAGIC 0x00C36400UL
#define FUSE_MAGIC 0x65735546UL

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
	uint64_t id;
	unsigned int major_number;
	unsigned int minor_number;

	line[strcspn(line, "\n")] = '\0';
	separator = strstr(line, " - ");
	if (!separator)
		return -EBADMSG;
	*separator = '\0';
	/* mount id, parent id, major:minor, root, mount point */
	if (sscanf(line, "%" SCNu64 " %*d %u:%u", &id, &major_number, &minor_number) != 3)
		return -EBADMSG;
	for (int i = 0; i < 5; i++)
		directory = strsep(&rest, " ");
	if (!directory || directory[0] != '/')
		return -EBADMSG;
	rest = separator + strlen(" - ");
	filesystem = strsep(&rest, " ");
	if (!filesystem || !*filesystem)
		return -EBADMSG;
	unescape(directory);
	ret_entry->id = id;
	ret_entry->device = makedev(major_number, minor_number);
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

bool filesystem_holds_devices(const char *filesystem)
{
	return strcmp(filesystem, "devtmpfs") == 0;
}

enum filesystem_keeper filesystem_keeper(const char *filesystem)
{
	static const char *const networks[] = {"9p",   "afs",	"ceph",	    "cifs",  "coda",
					       "gfs2", "nfs",	"nfs4",	    "ocfs2", "orangefs",
					       "smb3", "smbfs", "virtiofs", "vboxsf"};

	/* virtiofs: the host's files, by the same protocol, from whoever runs this machine */
	if (strncmp(filesystem, "fuse", 4) == 0)
		return FILESYSTEM_PROCESS;
	for (size_t i = 0; i < array_length(networks); i++)
		if (strcmp(filesystem, networks[i]) == 0)
			return FILESYSTEM_NETWORK;
	return FILESYSTEM_KERNEL;
}

enum filesystem_keeper filesystem_keeper_of_magic(unsigned long magic)
{
	static const unsigned long networks[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_MAGIC,	    SMB2_SUPER_MAGIC,
		V9FS_MAGIC,	 CODA_SUPER_MAGIC, AFS_SUPER_MAGIC, CEPH_MAGIC};

	if (magic == FUSE_MAGIC)
		return FILESYSTEM_PROCESS;
	for (size_t i = 0; i < array_length(networks); i++)
		if (magic == networks[i])
			return FILESYSTEM_NETWORK;
	return FILESYSTEM_KERNEL;
}

int mount_table_walk(pid_t pid, mount_entry_fn visit, void *context)
{
	_cleanup_(fclosep) FILE *stream = NULL;
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;
	char path[64] = "/proc/self/mountinfo";

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	stream = fopen(path, "re");
	if (!stream)
		return -errno;
	while (getline(&line, &capacity, stream) >= 0) {
		struct mount_entry entry;

		if (mount_entry_parse(line, &entry) == 0)
			visit(context, &entry);
	}
	return ferror(stream) ? -EIO : 0;
}
