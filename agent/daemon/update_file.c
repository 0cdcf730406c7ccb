/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/update_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/file_sha256.h"

#define SIZE_LIMIT (INT64_C(1) << 30) /* enforcement hashes no larger ones */
#define ATTEMPTS   3

/* Who reads which files as code. Names of interpreters without their version. */
static const struct {
	const char *interpreter;
	const char *endings; /* each with a blank behind it */
} languages[] = {
	{"python", ".py .pyc .pyo .pyw .pyz .pth .egg .whl "},
	{"pypy", ".py .pyc .pyo .pyw .pyz .pth .egg .whl "},
	{"micropython", ".py .mpy "},
	{"perl", ".pl .pm .ph .al "},
	{"ruby", ".rb "},
	{"lua", ".lua .luac "},
	{"luajit", ".lua .luac "},
	{"node", ".js .mjs .cjs .ts "},
	{"nodejs", ".js .mjs .cjs .ts "},
	{"php", ".php .phtml .phar "},
	{"tclsh", ".tcl .tm "},
	{"wish", ".tcl .tm "},
	{"expect", ".exp .tcl .tm "},
	{"sh", ".sh "},
	{"dash", ".sh .dash "},
	{"ash", ".sh "},
	{"bash", ".sh .bash "},
	{"ksh", ".sh .ksh "},
	{"mksh", ".sh .ksh "},
	{"zsh", ".sh .zsh "},
	{"fish", ".fish "},
	{"csh", ".csh "},
	{"tcsh", ".csh "},
	{"busybox", ".sh .awk .sed "},
	{"toybox", ".sh .sed "},
	{"awk", ".awk "},
	{"gawk", ".awk "},
	{"mawk", ".awk "},
	{"sed", ".sed "},
	{"java", ".jar .war .class "},
	{"guile", ".scm .go "},
	{"mono", ".dll .exe "},
	{"dotnet", ".dll "},
	{"erl", ".erl .beam "},
	{"beam.smp", ".erl .beam "},
};

static bool is_ending(const char *endings, const char *dot)
{
	size_t length = strlen(dot);

	for (const char *at = endings; *at; at += strcspn(at, " ") + 1)
		if (strncmp(at, dot, length) == 0 && at[length] == ' ')
			return true;
	return false;
}

bool update_speaks(const char *interpreter_path, const char *file_path)
{
	const char *name = path_base_name(interpreter_path);
	const char *dot = strrchr(path_base_name(file_path), '.');

	for (size_t i = 0; dot && i < array_length(languages); i++) {
		size_t length = strlen(languages[i].interpreter);

		if (strncmp(name, languages[i].interpreter, length) == 0 &&
		    strspn(name + length, "0123456789.-") == strlen(name + length) &&
		    is_ending(languages[i].endings, dot))
			return true;
	}
	return false;
}

static bool is_code_name(const char *path)
{
	const char *dot = strrchr(path_base_name(path), '.');

	for (size_t i = 0; dot && i < array_length(languages); i++)
		if (is_ending(languages[i].endings, dot))
			return true;
	return false;
}

/* libc.so.6 of Debian names a loader, because it can be started to print its version; nobody does,
 * and every program maps it. */
static enum update_kind kind_of_elf(const struct executable_format *format, mode_t mode)
{
	if (format->kind == EXECUTABLE_LIBRARY || format->library_name[0])
		return UPDATE_LIBRARY;
	/* without an x bit only the loader starts it, which is pinned */
	return mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? UPDATE_PROGRAM : UPDATE_DATA;
}

static int classify(int fd, const char *path, struct update_file *file)
{
	char start[SCRIPT_LINE_SIZE];
	ssize_t got;
	int result = executable_format_of(fd, &file->format);

	if (result < 0)
		return result;
	switch (file->format.kind) {
	case EXECUTABLE_PROGRAM:
	case EXECUTABLE_LIBRARY:
		file->kind = kind_of_elf(&file->format, file->mode);
		return 0;
	case EXECUTABLE_SCRIPT:
		file->kind = UPDATE_SCRIPT;
		got = pread(fd, start, sizeof(start), 0);
		if (got > 0)
			(void)script_line_parse(start, (size_t)got, &file->line);
		return got < 0 ? -errno : 0;
	case EXECUTABLE_OTHER:
		file->kind = is_code_name(path) ? UPDATE_CODE : UPDATE_DATA;
		return 0;
	}
	return 0;
}

static int hash(int fd, char sha256[65])
{
	uint8_t sum[32];
	int result = descriptor_sha256(fd, SIZE_LIMIT, sum);

	if (result == 0)
		hex_encode(sum, sizeof(sum), sha256);
	return result;
}

static int read_once(int fd, const char *path, bool always, struct update_file *file)
{
	struct stat status;
	int result;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > SIZE_LIMIT)
		return -EFBIG;
	file->mode = status.st_mode;
	file->owner = status.st_uid;
	file->key = file_key_of(&status);
	result = classify(fd, path, file);
	if (result == 0 && (always || file->kind != UPDATE_DATA))
		result = hash(fd, file->sha256);
	if (result == 0 && fstat(fd, &status) < 0)
		result = -errno;
	if (result == 0) {
		struct file_key after = file_key_of(&status);

		if (!file_key_equal(&after, &file->key))
			result = -EAGAIN;
	}
	if (result < 0)
		update_file_clear(file);
	return result;
}

int update_file_read(const char *path, bool always, struct update_file *ret_file,
		     const char **ret_why)
{
	_cleanup_(closep) int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int result = fd < 0 ? -errno : -EAGAIN;

	for (int i = 0; i < ATTEMPTS && result == -EAGAIN; i++) {
		struct update_file file = {0};

		result = read_once(fd, path, always, &file);
		if (result == 0) {
			*ret_file = file;
			return 0;
		}
	}
	if (result == -ENOMEM)
		return result;
	*ret_why = result == -EAGAIN  ? "is being written to"
		   : result == -EFBIG ? "is larger than 1 GiB"
				      : strerrordesc_np(-result);
	return -EIO;
}

void update_file_clear(struct update_file *file)
{
	executable_format_clear(&file->format);
}
