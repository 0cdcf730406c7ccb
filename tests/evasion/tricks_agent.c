/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent itself: signals, a flood of questions, files that take long or never are the same. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "evade.h"

#define AGENT_LIMIT 16

/* --- signals */
/* The oldest supervises the others, where there are others. */
static pid_t find_supervisor(void)
{
	pid_t pids[AGENT_LIMIT];

	return agent_pids(pids, AGENT_LIMIT) > 1 ? pids[0] : 0;
}

/* supervisor: is spared; 0: nobody is. */
static void signal_agent(int number, pid_t supervisor)
{
	pid_t pids[AGENT_LIMIT];
	size_t count = agent_pids(pids, AGENT_LIMIT);

	for (size_t i = 0; i < count; i++)
		if (pids[i] != supervisor)
			kill(pids[i], number);
}

static void try_often(int times)
{
	for (int i = 0; i < times && !succeeded(); i++)
		finish(start("./evil", NULL));
}

static void killed_worker(void)
{
	pid_t supervisor = find_supervisor();

	drop("intruder-raw", "evil");
	for (int i = 0; i < 10; i++) {
		signal_agent(SIGKILL, supervisor);
		try_often(5);
	}
}

static void killed_all(void)
{
	drop("intruder-raw", "evil");
	signal_agent(SIGKILL, 0);
	usleep(100000);
	try_often(5);
}

static void stopped(void)
{
	pid_t supervisor = find_supervisor();

	drop("intruder-raw", "evil");
	signal_agent(SIGSTOP, supervisor);
	try_often(3);
	signal_agent(SIGCONT, supervisor);
}

static void stopped_all(void)
{
	pid_t pid;

	drop("intruder-raw", "evil");
	signal_agent(SIGSTOP, 0);
	pid = start("./evil", NULL);
	sleep(3);
	signal_agent(SIGCONT, 0);
	finish(pid);
}

/* All that are not for stopping a process (those have tricks of their own), nor an orderly stop. */
static void every_signal(void)
{
	drop("intruder-raw", "evil");
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (number == SIGKILL || number == SIGSTOP || number == SIGTSTP ||
		    number == SIGTTIN || number == SIGTTOU || number == SIGTERM || number == SIGINT)
			continue;
		signal_agent(number, 0);
		try_often(1);
	}
}

/* --- load */
static void flood(void)
{
	pid_t flooders[8];

	drop("intruder-raw", "evil");
	for (int i = 0; i < 8; i++) {
		flooders[i] = fork();
		if (flooders[i])
			continue;
		for (int j = 0;; j++) {
			char path[32];

			snprintf(path, sizeof(path), "flood%d.%d", i, j % 200);
			close(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
		}
	}
	try_often(tries());
	for (int i = 0; i < 8; i++) {
		kill(flooders[i], SIGKILL);
		finish(flooders[i]);
	}
}

static void few_descriptors(void)
{
	struct rlimit few = {8, 8};
	pid_t pids[AGENT_LIMIT];
	size_t count = agent_pids(pids, AGENT_LIMIT);

	drop("intruder-raw", "evil");
	for (size_t i = 0; i < count; i++)
		prlimit(pids[i], RLIMIT_NOFILE, &few, NULL);
	try_often(20);
}

static void huge_file(void)
{
	pid_t pid;

	drop("intruder-raw", "huge");
	drop("intruder-raw", "evil");
	if (truncate("huge", 10LL << 30))
		err(2, "truncate");
	pid = start("./huge", NULL);
	try_often(5);
	finish(pid);
}

/* --- a FUSE file that is the allowed program one time and the unknown one the other */
struct fuse_server {
	int fd;
	uint8_t *contents[2];
	size_t size;
	unsigned int opened; /* an agent opens it too: three times each, for any number of them */
};

static void reply(const struct fuse_server *server, uint64_t unique, int error, const void *body,
		  size_t size)
{
	struct fuse_out_header header = {(uint32_t)(sizeof(header) + size), error, unique};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)body, size}};

	if (writev(server->fd, parts, 2) < 0 && errno != ENOENT)
		err(2, "fuse");
}

static struct fuse_attr attributes(const struct fuse_server *server, uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1};

	attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0755;
	attr.size = node == FUSE_ROOT_ID ? 0 : server->size;
	return attr;
}

static void answer(struct fuse_server *server, const struct fuse_in_header *in)
{
	const void *arguments = in + 1;

	switch (in->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *asked = arguments;
		struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
					     .minor = FUSE_KERNEL_MINOR_VERSION,
					     .max_readahead = asked->max_readahead,
					     .max_write = 4096};

		reply(server, in->unique, 0, &init, sizeof(init));
		break;
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out entry = {.nodeid = 2, .attr = attributes(server, 2)};
		bool is_it = !strcmp(arguments, "evil");

		reply(server, in->unique, is_it ? 0 : -ENOENT, &entry, is_it ? sizeof(entry) : 0);
		break;
	}
	case FUSE_GETATTR: {
		struct fuse_attr_out attr = {.attr = attributes(server, in->nodeid)};

		reply(server, in->unique, 0, &attr, sizeof(attr));
		break;
	}
	case FUSE_OPEN: {
		struct fuse_open_out opened = {.fh = server->opened++ / 3 & 1};

		reply(server, in->unique, 0, &opened, sizeof(opened));
		break;
	}
	case FUSE_READ: {
		const struct fuse_read_in *asked = arguments;
		size_t left = asked->offset < server->size ? server->size - asked->offset : 0;
		size_t size = asked->size < left ? asked->size : left;

		reply(server, in->unique, 0, server->contents[asked->fh] + asked->offset, size);
		break;
	}
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_ACCESS:
		reply(server, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(server, in->unique, -ENOSYS, NULL, 0);
	}
}

static void serve(struct fuse_server *server)
{
	static uint8_t request[FUSE_MIN_READ_BUFFER + 8192] __attribute__((aligned(8)));

	while (read(server->fd, request, sizeof(request)) > 0 || errno == EINTR || errno == ENOENT)
		answer(server, (const void *)request);
	_exit(0);
}

static void changing_file(void)
{
	struct fuse_server server = {.fd = open("/dev/fuse", O_RDWR | O_CLOEXEC)};
	char options[128];
	size_t size;
	pid_t pid;

	if (server.fd < 0)
		err(2, "/dev/fuse");
	server.contents[0] = loot("victim", &server.size);
	server.contents[1] = loot("intruder", &size);
	server.contents[1] = realloc(server.contents[1], server.size);
	if (!server.contents[1] || size > server.size || mkdir("mounted", 0755))
		err(2, "mounted");
	memset(server.contents[1] + size, 0, server.size - size);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 server.fd);
	if (mount("evasion", "mounted", "fuse", MS_NOSUID | MS_NODEV, options))
		err(2, "mount fuse");
	pid = fork();
	if (!pid)
		serve(&server);
	close(server.fd);
	for (int i = 0; i < 12; i++)
		run("mounted/evil", NULL);
	umount2("mounted", MNT_FORCE | MNT_DETACH);
	kill(pid, SIGKILL);
	finish(pid);
}

const struct trick tricks_agent[] = {
	{"flood", 20, "a flood of opens while unknown programs try", AS_BOTH, DISTURBS, flood},
	{"huge-file", 20, "an unknown program of 10 GiB, and others meanwhile", AS_BOTH, DISTURBS,
	 huge_file},
	{"changing-file", 20, "a FUSE file that differs with each open", AS_ROOT, DISTURBS,
	 changing_file},
	{"every-signal", 19, "every other signal to the agent", AS_ROOT, DISTURBS, every_signal},
	{"stopped-worker", 19, "SIGSTOP to the agent's workers", AS_ROOT, DISTURBS, stopped},
	{"stopped-agent", 19, "SIGSTOP to all of the agent", AS_ROOT, DISTURBS, stopped_all},
	{"killed-worker", 19, "SIGKILL to the agent's workers, again and again", AS_ROOT, DISTURBS,
	 killed_worker},
	{"few-descriptors", 20, "the agent may open no more files", AS_ROOT, DISTURBS,
	 few_descriptors},
	{"killed-agent", 19, "SIGKILL to all of the agent", AS_ROOT, DISTURBS, killed_all,
	 .limit = "root may end any process at once, and the kernel lets pass what then waits",
	 .remedy =
		 "systemd's descriptor store (the agent's unit has it); no capability to kill for "
		 "services (CapabilityBoundingSet=)"},
	{},
};
