/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that lies in no file of the tree, and code that gets into a process that is allowed. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evade.h"

typedef long (*raw_trace_fn)(const char *path, const char *target);

static void memfd(const char *name)
{
	int fd = memfd_create("libc.so.6", 0);

	if (fd < 0)
		err(2, "memfd_create");
	drop_fd(name, fd);
	execute_fd(fd);
}

static void memfd_dynamic(void)
{
	memfd("intruder");
}

static void memfd_static(void)
{
	memfd("intruder-static");
}

static void memfd_raw(void)
{
	memfd("intruder-raw");
}

static void memfd_script(void)
{
	int fd = memfd_create("script", 0);

	if (fd < 0)
		err(2, "memfd_create");
	drop_fd("evil.sh", fd);
	execute_fd(fd);
}

/* A file that has never had a name. */
static void nameless_file(void)
{
	char path[64];
	int writer = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);
	int fd;

	if (writer < 0)
		err(2, "O_TMPFILE");
	drop_fd("intruder", writer);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writer);
	fd = open(path, O_PATH);
	if (fd < 0)
		err(2, "%s", path);
	close(writer); /* ETXTBSY else */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run(path, NULL);
}

/* --- this process itself maps what it should not; it is an allowed one that is no longer itself */
static void map_and_call(int fd, size_t offset)
{
	size_t page = offset & ~(size_t)4095;
	uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, (off_t)page);

	if (code == MAP_FAILED)
		err(2, "mmap");
	((raw_trace_fn)(uintptr_t)(code + (offset - page)))(trace(), "unknown code");
}

static size_t library_code(uint8_t **ret_library, size_t *ret_size)
{
	*ret_library = loot("library.so", ret_size);
	return code_offset(*ret_library, *ret_size, "raw_trace");
}

static void map_opened(int (*open_it)(const char *path))
{
	uint8_t *library;
	size_t size;
	size_t offset = library_code(&library, &size);
	int fd;

	drop("library.so", "evil.so");
	fd = open_it("evil.so");
	if (fd < 0)
		err(2, "open");
	map_and_call(fd, offset);
}

static int by_openat(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* One IORING_OP_OPENAT by hand; the kernel opens the file, perhaps in a thread of its own. */
static int by_io_uring(const char *path)
{
	struct io_uring_params params = {0};
	struct io_uring_sqe *submissions;
	struct io_uring_cqe *completion;
	uint8_t *submission_ring;
	uint8_t *completion_ring;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		err(2, "io_uring_setup");
	submission_ring = mmap(NULL, params.sq_off.array + 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			       ring, IORING_OFF_SQ_RING);
	completion_ring = mmap(NULL, params.cq_off.cqes + 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			       ring, IORING_OFF_CQ_RING);
	submissions = mmap(NULL, sizeof(*submissions), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			   IORING_OFF_SQES);
	if (submission_ring == MAP_FAILED || completion_ring == MAP_FAILED ||
	    submissions == MAP_FAILED)
		err(2, "io_uring mmap");
	memset(submissions, 0, sizeof(*submissions));
	submissions->opcode = IORING_OP_OPENAT;
	submissions->flags = IOSQE_ASYNC;
	submissions->fd = AT_FDCWD;
	submissions->addr = (uintptr_t)path;
	submissions->open_flags = O_RDONLY;
	*(uint32_t *)(void *)(submission_ring + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(submission_ring + params.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		err(2, "io_uring_enter");
	completion = (void *)(completion_ring + params.cq_off.cqes);
	if (completion->res < 0)
		errno = -completion->res;
	return completion->res < 0 ? -1 : completion->res;
}

static int by_handle(const char *path)
{
	struct {
		struct file_handle handle;
		unsigned char room[128];
	} file = {.handle.handle_bytes = 128};
	int mount_id;
	int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0 || name_to_handle_at(AT_FDCWD, path, &file.handle, &mount_id, 0))
		err(2, "name_to_handle_at");
	return open_by_handle_at(directory, &file.handle, O_RDONLY);
}

static void map_library(void)
{
	map_opened(by_openat);
}

static void io_uring_open(void)
{
	map_opened(by_io_uring);
}

static void io_uring_run(void)
{
	int fd;

	drop("intruder", "evil");
	fd = by_io_uring("evil");
	if (fd < 0)
		err(2, "open");
	execute_fd(fd);
}

static void handle_open(void)
{
	map_opened(by_handle);
}

static void handle_run(void)
{
	int fd;

	drop("intruder", "evil");
	fd = by_handle("evil");
	if (fd < 0)
		err(2, "open_by_handle_at");
	execute_fd(fd);
}

static void map_written(void)
{
	uint8_t *library;
	size_t size;
	size_t offset = library_code(&library, &size);
	int fd = open("evil.so", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (fd < 0)
		err(2, "evil.so");
	drop_fd("library.so", fd);
	map_and_call(fd, offset);
}

/* The code alone, without ELF around it: to the kernel, and to a guard, a file of data. */
static void map_data(void)
{
	uint8_t *library;
	size_t size;
	size_t offset = library_code(&library, &size);
	int fd = open("notes.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, library + offset, 256) != 256)
		err(2, "notes.txt");
	close(fd);
	fd = by_openat("notes.txt");
	if (fd < 0)
		err(2, "notes.txt");
	map_and_call(fd, 0);
}

static void anonymous_memory(void)
{
	uint8_t *library;
	size_t size;
	size_t offset = library_code(&library, &size);
	uint8_t *code =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (code == MAP_FAILED)
		err(2, "mmap");
	memcpy(code, library + offset, 256);
	if (mprotect(code, 4096, PROT_READ | PROT_EXEC))
		err(2, "mprotect");
	((raw_trace_fn)(uintptr_t)code)(trace(), "unknown code");
}

/* --- another process, which is an allowed one and itself */
struct victim {
	pid_t pid;
	unsigned long desk; /* hook, target, path, text[] */
	unsigned long symlink;
	unsigned long serve;
};

static struct victim start_victim(void)
{
	struct victim victim;
	char line[128] = "";
	int ends[2];

	if (pipe(ends))
		err(2, "pipe");
	victim.pid = fork();
	if (!victim.pid) {
		char path[] = "./victim";
		char what[] = "serve";
		char *argv[] = {path, what, NULL};

		dup2(ends[1], STDOUT_FILENO);
		execv(path, argv);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], line, sizeof(line) - 1) <= 0 ||
	    sscanf(line, "%lx %lx %lx", &victim.desk, &victim.symlink, &victim.serve) != 3)
		errx(2, "the victim does not serve");
	return victim;
}

/* What the victim's desk is to hold so that it makes the link itself. */
struct desk {
	unsigned long hook;
	unsigned long target;
	unsigned long path;
	char text[256];
};

static struct desk order(const struct victim *victim)
{
	struct desk desk = {.hook = victim->symlink};

	desk.target = victim->desk + offsetof(struct desk, text);
	desk.path = desk.target;
	snprintf(desk.text, sizeof(desk.text), "%s", trace());
	return desk;
}

static void wait_for_trace(const struct victim *victim)
{
	for (int i = 0; i < 50 && !succeeded(); i++)
		usleep(20000);
	kill(victim->pid, SIGKILL);
	finish(victim->pid);
}

static void remote_write(void)
{
	struct victim victim = start_victim();
	struct desk desk = order(&victim);
	struct iovec local = {&desk, sizeof(desk)};
	struct iovec remote = {(void *)victim.desk, sizeof(desk)};

	if (process_vm_writev(victim.pid, &local, 1, &remote, 1, 0) < 0)
		warn("process_vm_writev");
	wait_for_trace(&victim);
}

/* Code over code: /proc/PID/mem does not mind that the pages are read-only. */
static void write_code(const char *memory, unsigned long place)
{
	uint8_t *library;
	size_t size;
	size_t offset = library_code(&library, &size);
	int fd = open(memory, O_RDWR | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, library + offset, 256, (off_t)place) != 256)
		warn("%s", memory);
}

static void process_memory(void)
{
	struct victim victim = start_victim();
	struct desk desk = order(&victim);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", victim.pid);
	write_code(path, victim.symlink); /* libc's code, in the victim only */
	desk.hook = victim.symlink;
	fd = open(path, O_RDWR | O_CLOEXEC);
	desk.target = desk.path; /* raw_trace(path, target) */
	if (fd < 0 || pwrite(fd, &desk, sizeof(desk), (off_t)victim.desk) < 0)
		warn("%s", path);
	wait_for_trace(&victim);
}

__attribute__((noinline, aligned(4096))) static long own_code(const char *path, const char *target)
{
	__asm__ volatile(".fill 512, 1, 0x90"); /* room */
	return path == target;
}

static void own_memory(void)
{
	write_code("/proc/self/mem", (unsigned long)(uintptr_t)own_code);
	((raw_trace_fn)(uintptr_t)own_code)(trace(), "unknown code");
}

static void trace_process(void)
{
	struct victim victim = start_victim();
	struct desk desk = order(&victim);
	struct user_regs_struct registers;
	int status;

	if (ptrace(PTRACE_ATTACH, victim.pid, NULL, NULL)) {
		warn("ptrace");
		wait_for_trace(&victim);
		return;
	}
	waitpid(victim.pid, &status, 0);
	for (size_t i = 0; i < sizeof(desk); i += sizeof(long)) {
		long word;

		memcpy(&word, (const char *)&desk + i, sizeof(word));
		ptrace(PTRACE_POKEDATA, victim.pid, victim.desk + i, word);
	}
	ptrace(PTRACE_GETREGS, victim.pid, NULL, &registers);
	ptrace(PTRACE_DETACH, victim.pid, NULL, NULL);
	wait_for_trace(&victim);
}

#define MEMFD_LIMIT                                                                                \
	"nothing is opened when a static program in a memfd starts, and it may be done before it " \
	"can be ended"
#define MEMFD_REMEDY  "memfds are never executable (Linux 6.3)"
#define MEMFD_SETTING "vm.memfd_noexec=2"
#define OWN_LIMIT                                                                                  \
	"what an allowed process does in its own memory: fanotify tells of opens, not of mappings"
#define OWN_REMEDY                                                                                 \
	"MemoryDenyWriteExecute= in the service's unit, or an LSM (execmem, BPF) for the machine"
#define OTHER_LIMIT   "one allowed process writes another's memory: no file is opened"
#define OTHER_REMEDY  "no process may be traced"
#define OTHER_SETTING "kernel.yama.ptrace_scope=3"

const struct trick tricks_memory[] = {
	{"memfd-dynamic", 5, "a memfd, a dynamic program", AS_BOTH, NEEDS_MACHINE, memfd_dynamic},
	{"memfd-static", 5, "a memfd, a static program", AS_BOTH, NEEDS_MACHINE, memfd_static,
	 .limit = MEMFD_LIMIT, .remedy = MEMFD_REMEDY, .setting = MEMFD_SETTING},
	{"memfd-raw", 5, "a memfd, done after one system call", AS_BOTH, NEEDS_MACHINE, memfd_raw,
	 .limit = MEMFD_LIMIT, .remedy = MEMFD_REMEDY, .setting = MEMFD_SETTING},
	{"memfd-script", 5, "a memfd, a script", AS_BOTH, 0, memfd_script},
	{"nameless-file", 5, "O_TMPFILE, by way of /proc/self/fd", AS_BOTH, 0, nameless_file},
	{"map-library", 22, "an unknown library opened and mapped by hand", AS_BOTH, 0,
	 map_library},
	{"io-uring-map", 21, "the same, opened through io_uring", AS_BOTH, 0, io_uring_open},
	{"io-uring-run", 21, "an unknown program, opened through io_uring", AS_BOTH, 0,
	 io_uring_run},
	{"handle-map", 21, "an unknown library, opened by handle", AS_ROOT, 0, handle_open},
	{"handle-run", 21, "an unknown program, opened by handle", AS_ROOT, 0, handle_run},
	{"map-written", 22, "code mapped through the descriptor that wrote it", AS_BOTH, 0,
	 map_written, .limit = OWN_LIMIT, .remedy = OWN_REMEDY},
	{"map-data", 22, "code in a file of data, mapped executable", AS_BOTH, 0, map_data,
	 .limit = OWN_LIMIT, .remedy = OWN_REMEDY},
	{"anonymous-memory", 22, "code read into memory that then becomes executable", AS_BOTH, 0,
	 anonymous_memory, .limit = OWN_LIMIT, .remedy = OWN_REMEDY},
	{"own-memory", 23, "/proc/self/mem of an allowed process", AS_BOTH, 0, own_memory,
	 .limit = OWN_LIMIT, .remedy = OWN_REMEDY},
	{"ptrace", 23, "ptrace of an allowed process", AS_BOTH, 0, trace_process,
	 .limit = OTHER_LIMIT, .remedy = OTHER_REMEDY, .setting = OTHER_SETTING},
	{"remote-write", 23, "process_vm_writev into an allowed process", AS_BOTH, 0, remote_write,
	 .limit = OTHER_LIMIT, .remedy = OTHER_REMEDY, .setting = OTHER_SETTING},
	{"process-memory", 23, "/proc/PID/mem of an allowed process", AS_BOTH, 0, process_memory,
	 .limit = OTHER_LIMIT, .remedy = OTHER_REMEDY, .setting = OTHER_SETTING},
	{},
};
