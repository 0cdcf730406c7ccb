/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "gate/gate_private.h"

/* What was learnt since the state file was written: a line for each new address, in the file beside
 * it, there before the answer is released. Not synced: it is for who comes after a gate that was
 * killed; a machine that lost its power has the state file. */

#define JOURNAL_MODE 0600
#define JOURNAL_MOST (4 << 20) /* bytes; the state file is due long before */

static void path_of(const struct gate *gate, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s.new", gate->config->names_file);
}

static bool is_regular(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void gate_journal_open(struct gate *gate)
{
	struct error error = {0};
	char path[PATH_MAX];
	size_t damaged;
	int fd;

	path_of(gate, path);
	/* its last line may be cut: that address is asked for again */
	(void)name_addresses_load(gate->names, path, clock_boottime_ns(), &damaged, &error);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		  JOURNAL_MODE);
	if (fd >= 0 && is_regular(fd)) {
		gate->journal = fd;
		gate->journal_size = lseek(fd, 0, SEEK_END);
		gate->names_changed = gate->journal_size > 0;
		return;
	}
	gate_say(gate, "%s cannot be written: what names had is forgotten when the gate is killed",
		 path);
	if (fd >= 0)
		(void)close(fd);
}

void gate_journal_note(struct gate *gate, const char *name, const struct ip_address *address)
{
	char text[IP_TEXT_SIZE];
	char line[NAME_SIZE + IP_TEXT_SIZE + 2];
	int length;

	if (gate->journal < 0 || gate->journal_size > JOURNAL_MOST)
		return;
	ip_format(address, text);
	length = snprintf(line, sizeof(line), "%s %s\n", name, text);
	/* a full disk takes nothing: then as without a journal */
	if (write_all(gate->journal, line, (size_t)length) == 0)
		gate->journal_size += length;
}

void gate_journal_saved(struct gate *gate, off_t size)
{
	if (gate->journal < 0 || size != gate->journal_size)
		return;
	if (ftruncate(gate->journal, 0) == 0)
		gate->journal_size = 0;
}
