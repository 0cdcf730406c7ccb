/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define PROGRAM_NODE 2
#define REQUEST_SIZE (256 * 1024)

struct service {
	int device;
	char *bytes;
	size_t size;
	bool never_opens;
};

static void reply(const struct service *service, uint64_t unique, int error, const void *bytes,
		  size_t size)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + size), .error = error, .unique = unique};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)bytes, size}};

	(void)!writev(service->device, parts, size ? 2 : 1);
}

static struct fuse_attr attributes(const struct service *service, uint64_t node)
{
	bool is_program = node == PROGRAM_NODE;

	return (struct fuse_attr){
		.ino = node,
		.size = is_program ? service->size : 0,
		.mode = is_program ? S_IFREG | 0755 : S_IFDIR | 0755,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void answer(const struct service *service, const struct fuse_in_header *request)
{
	const void *body = request + 1;
	const struct fuse_read_in *read_in = body;
	uint64_t unique = request->unique;

	switch (request->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
						  .minor = FUSE_KERNEL_MINOR_VERSION,
						  .max_write = 65536};

		reply(service, unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_LOOKUP: {
		const struct fuse_entry_out out = {.nodeid = PROGRAM_NODE,
						   .entry_valid = 60,
						   .attr_valid = 60,
						   .attr = attributes(service, PROGRAM_NODE)};
		bool found = strcmp(body, "program") == 0;

		reply(service, unique, found ? 0 : -ENOENT, &out, found ? sizeof(out) : 0);
		return;
	}
	case FUSE_GETATTR: {
		const struct fuse_attr_out out = {.attr_valid = 60,
						  .attr = attributes(service, request->nodeid)};

		reply(service, unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_OPEN: {
		const struct fuse_open_out out = {.fh = 1};

		if (!service->never_opens)
			reply(service, unique, 0, &out, sizeof(out));
		return;
	}
	case FUSE_READ: {
		size_t left = read_in->offset < service->size ? service->size - read_in->offset : 0;

		reply(service, unique, 0, service->bytes + read_in->offset,
		      left < read_in->size ? left : read_in->size);
		return;
	}
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* these want no answer */
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(service, unique, 0, NULL, 0);
		return;
	default:
		reply(service, unique, -ENOSYS, NULL, 0);
		return;
	}
}

static void serve(const struct service *service)
{
	static _Alignas(8) char request[REQUEST_SIZE];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t got = read(service->device, request, sizeof(request));

		if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (got < (ssize_t)sizeof(struct fuse_in_header))
			return;
		answer(service, (const void *)request);
	}
}

int fuse_server_start(struct fuse_server *server, const char *directory, const char *program,
		      bool never_opens)
{
	struct service service = {.never_opens = never_opens};
	char options[128];
	int result;

	service.device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (service.device < 0)
		return -errno;
	(void)mkdir(directory, 0755);
	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", service.device);
	if (mount("served", directory, "fuse", 0, options) < 0) {
		result = -errno;
		(void)close(service.device);
		return result;
	}
	result = file_read(program, 256U << 20, &service.bytes, &service.size, NULL);
	if (result < 0)
		return result;
	server->pid = fork();
	if (server->pid == 0) {
		serve(&service);
		_exit(0);
	}
	/* its alone: whoever waits for an answer must not be what keeps the connection */
	(void)close(service.device);
	free(service.bytes);
	return server->pid < 0 ? -errno : 0;
}

void fuse_server_end(struct fuse_server *server, const char *directory)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	(void)umount2(directory, MNT_DETACH);
}
