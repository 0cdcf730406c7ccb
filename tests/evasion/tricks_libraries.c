/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unknown libraries, loaders and interpreters for programs. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evade.h"

#define LOADER "/lib64/ld-linux-x86-64.so.2"

static void loader_runs(void)
{
	drop("intruder", "evil");
	run(LOADER, "./evil", NULL);
}

static void loader_runs_data(void)
{
	drop("intruder", "evil");
	chmod("evil", 0644);
	run(LOADER, "./evil", NULL);
}

static void loader_preloads(void)
{
	drop("library.so", "evil.so");
	run(LOADER, "--preload", "./evil.so", "./victim", NULL);
}

static void preload(void)
{
	drop("library.so", "evil.so");
	setenv("LD_PRELOAD", "./evil.so", 1);
	run("./victim", NULL);
}

static void library_path(void)
{
	if (mkdir("lib", 0755))
		err(2, "mkdir");
	drop("library.so", "lib/libvictim.so");
	setenv("LD_LIBRARY_PATH", "lib", 1);
	run("./victim", NULL);
}

static void audit(void)
{
	drop("library.so", "evil.so");
	setenv("LD_AUDIT", "./evil.so", 1);
	run("./victim", NULL);
}

static void plugin(void)
{
	drop("library.so", "evil.so");
	run("./victim", "plugin", "./evil.so", NULL);
}

static void plugin_other_name(void)
{
	drop("library.so", "photo.jpeg");
	chmod("photo.jpeg", 0644);
	run("./victim", "plugin", "./photo.jpeg", NULL);
}

static void library_replaced(void)
{
	run("./victim", NULL);
	drop("library.so", "evil.so");
	if (rename("evil.so", "libvictim.so"))
		err(2, "rename");
	run("./victim", NULL);
}

static void library_overwritten(void)
{
	run("./victim", NULL);
	drop("library.so", "libvictim.so");
	run("./victim", NULL);
}

/* The code of a function in a library that a running process has mapped, changed in the file. */
static void library_in_use(void)
{
	size_t unknown_size;
	uint8_t *unknown = loot("library.so", &unknown_size);
	size_t source = code_offset(unknown, unknown_size, "raw_trace");
	size_t size;
	uint8_t *library = loot("libvictim.so", &size);
	size_t target = code_offset(library, size, "victim_value");
	/* raw_trace(path, target) with both from here: lea path(%rip),%rdi; mov %rdi,%rsi */
	uint8_t code[512] = {0x48, 0x8d, 0x3d, 249, 0, 0, 0, 0x48, 0x89, 0xfe};
	pid_t pid = start("./victim", "library", NULL);
	int fd;

	usleep(400000);
	memcpy(code + 10, unknown + source, 200);
	snprintf((char *)code + 256, 256, "%s", trace());
	fd = open("libvictim.so", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, code, sizeof(code), (off_t)target) != sizeof(code))
		warn("libvictim.so");
	if (fd >= 0)
		close(fd);
	finish(pid);
}

static void preload_for_all(void)
{
	char path[4096];

	if (!getcwd(path, sizeof(path) - 16))
		err(2, "getcwd");
	strcat(path, "/evil.so");
	drop("library.so", "evil.so");
	write_text("/etc/ld.so.preload", path, 0644);
	run("./victim", NULL);
	unlink("/etc/ld.so.preload");
}

/* The program's PT_INTERP says ./loader, which is as unknown. */
static void odd_interpreter(void)
{
	drop("intruder-library", "loader");
	drop("intruder-odd", "evil");
	run("./evil", NULL);
}

/* To the kernel a program, by all its marks a library: no PT_INTERP, ET_DYN, an entry point. */
static void missing_interpreter(void)
{
	drop("intruder-library", "evil.so");
	run("./evil.so", NULL);
}

static void binary_format(void)
{
	char rule[4300];
	char path[4096];

	if (!getcwd(path, sizeof(path)))
		err(2, "getcwd");
	if (access("/proc/sys/fs/binfmt_misc/register", F_OK) &&
	    mount("binfmt_misc", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL))
		err(2, "binfmt_misc");
	drop("intruder-static", "loader");
	snprintf(rule, sizeof(rule), ":evasion:M::EVASION::%s/loader:", path);
	set_value("/proc/sys/fs/binfmt_misc/register", rule);
	write_text("document", "EVASION: nothing but text\n", 0755);
	run("./document", NULL);
	set_value("/proc/sys/fs/binfmt_misc/evasion", "-1");
}

const struct trick tricks_libraries[] = {
	{"loader-runs", 4, "ld.so ./evil", AS_BOTH, 0, loader_runs},
	{"loader-runs-data", 4, "ld.so of a file that is not executable", AS_BOTH, 0,
	 loader_runs_data},
	{"loader-preloads", 4, "ld.so --preload", AS_BOTH, 0, loader_preloads},
	{"preload", 13, "LD_PRELOAD", AS_BOTH, 0, preload},
	{"library-path", 13, "LD_LIBRARY_PATH", AS_BOTH, 0, library_path},
	{"audit", 13, "LD_AUDIT", AS_BOTH, 0, audit},
	{"preload-for-all", 13, "/etc/ld.so.preload", AS_ROOT, 0, preload_for_all},
	{"plugin", 13, "dlopen of an unknown plug-in", AS_BOTH, 0, plugin},
	{"plugin-other-name", 13, "dlopen of photo.jpeg", AS_BOTH, 0, plugin_other_name},
	{"library-replaced", 13, "an allowed library replaced", AS_BOTH, 0, library_replaced},
	{"library-overwritten", 13, "an allowed library overwritten", AS_BOTH, 0,
	 library_overwritten},
	{"library-in-use", 13, "a library overwritten while a process has it mapped", AS_BOTH, 0,
	 library_in_use, .limit = "writing to a file that is mapped raises no event before its end",
	 .remedy = "programs and libraries on a read-only filesystem (dm-verity), or immutable"},
	{"odd-interpreter", 14, "an unknown program with an unknown loader", AS_BOTH, 0,
	 odd_interpreter},
	{"missing-interpreter", 14, "a library with an entry point and no loader, started", AS_BOTH,
	 0, missing_interpreter},
	{"binary-format", 14, "an unknown interpreter by binfmt_misc", AS_ROOT, 0, binary_format},
	{},
};
