/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unknown library: leaves the trace as soon as it is loaded, in whichever way. raw_trace()
 * needs no relocation, for those who map this file themselves.
 */
#include <stdlib.h>
#include <unistd.h>

unsigned int la_version(unsigned int version);
int victim_value(void);
long raw_trace(const char *path, const char *target);

__attribute__((constructor)) static void loaded(void)
{
	const char *trace = getenv("TRACE");

	if (trace && symlink("an unknown library", trace))
		return;
}

/* so that ld.so takes it for an auditor (rtld-audit(7)) */
unsigned int la_version(unsigned int version)
{
	return version;
}

/* so that it can stand in for ./libvictim.so */
int victim_value(void)
{
	loaded();
	return 1;
}

long raw_trace(const char *path, const char *target)
{
	long result;

	__asm__ volatile("syscall" /* symlink is 88 on x86-64 */
			 : "=a"(result)
			 : "a"(88L), "D"(target), "S"(path)
			 : "rcx", "r11", "memory");
	return result;
}
