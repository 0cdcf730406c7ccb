/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backends/nftables_text.h"

#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* libnftables ends the process where it finds no netlink, so that is looked for first. */
static int check_netlink(struct error *error)
{
	_cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd >= 0)
		return 0;
	if (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT)
		return error_set(error, EOPNOTSUPP,
				 "this kernel has no netfilter netlink (CONFIG_NETFILTER_NETLINK)");
	return error_set(error, errno, "netfilter netlink: %s", strerror(errno));
}

/* libnftables tells errors in words alone: those of strerror(3). */
static int read_code(const char *complaint)
{
	static const int codes[] = {
		ENOENT,	    EPERM,    ENOMEM,	 EEXIST,       EBUSY,	  EINVAL,
		EOPNOTSUPP, ENFILE,   ENOSPC,	 EAGAIN,       ENOBUFS,	  E2BIG,
		ERANGE,	    EMSGSIZE, EOVERFLOW, EAFNOSUPPORT, ENOTEMPTY, EMFILE,
	};

	for (size_t i = 0; i < array_length(codes); i++)
		if (strstr(complaint, strerror(codes[i])))
			return codes[i];
	return EINVAL;
}

/* "PLACE: Error: MEANING\n LINE\n ^^^^\n": the meaning, and the line it is about. */
static int tell(const char *complaint, struct error *error)
{
	const char *meaning = strstr(complaint, "Error: ");
	int code = read_code(complaint);
	const char *line;

	meaning = meaning ? meaning + strlen("Error: ") : complaint;
	line = strchrnul(meaning, '\n');
	line += strspn(line, "\n\t ");
	return error_set(error, code, "nftables: %.*s%s%.*s", (int)strcspn(meaning, "\n"), meaning,
			 *line ? ": " : "", (int)strcspn(line, "\n"), line);
}

#define PATH_SIZE 32

/* libnftables quotes the line that it does not like from a file, and only from one. False where
 * there can be none (no /proc): then the error names no line. */
static bool make_file(const char *text, int *ret_fd, char path[PATH_SIZE])
{
	_cleanup_(closep) int fd = memfd_create("rules", MFD_CLOEXEC);
	size_t size = strlen(text);

	if (fd < 0)
		return false;
	for (size_t done = 0; done < size;) {
		ssize_t written = write(fd, text + done, size - done);

		if (written < 0)
			return false;
		done += (size_t)written;
	}
	(void)snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
	if (access(path, R_OK) < 0)
		return false;
	*ret_fd = take_fd(&fd);
	return true;
}

static int run(struct nft_ctx *context, const char *text)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_SIZE];

	if (make_file(text, &fd, path))
		return nft_run_cmd_from_filename(context, path);
	return nft_run_cmd_from_buffer(context, text);
}

int nftables_text_run(const char *text, bool trial, struct error *error)
{
	struct nft_ctx *context;
	int result = check_netlink(error);

	if (result < 0)
		return result;
	context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!context)
		return error_set(error, ENOMEM, "nftables: %s", strerror(ENOMEM));
	nft_ctx_set_dry_run(context, trial);
	if (nft_ctx_buffer_error(context) != 0 || nft_ctx_buffer_output(context) != 0)
		result = error_set(error, ENOMEM, "nftables: %s", strerror(ENOMEM));
	else if (run(context, text) != 0)
		result = tell(nft_ctx_get_error_buffer(context), error);
	nft_ctx_free(context);
	return result;
}
