/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/setting_table.h"

#include <string.h>

#include "base/cleanup.h"

/* docs/doctor.md says what each costs. The kernel's Documentation/admin-guide/sysctl and LSM/Yama
 * say what the numbers mean. */
const struct setting setting_table[] = {
	{"memfd", .ways = {{"vm.memfd_noexec", .enough = 2, .values = 1, .value = {2}}}},
	/* not 3: it would keep the guard too from reading the arguments of a program that starts */
	{"ptrace", .ways = {{"kernel.yama.ptrace_scope", .enough = 2, .values = 1, .value = {2}}}},
	/* Debian's own switch leaves them to root; where there is none, nobody has them */
	{"user-namespaces",
	 .ways = {{"kernel.unprivileged_userns_clone", .at_most = true, .values = 1, .value = {0}},
		  {"user.max_user_namespaces", .at_most = true, .values = 1, .value = {0}}}},
	{"userfaultfd",
	 .ways = {{"vm.unprivileged_userfaultfd", .at_most = true, .values = 1, .value = {0}}}},
	{"io-uring",
	 .ways = {{"kernel.io_uring_disabled", .enough = 2, .values = 1, .value = {2}}}},
	{"modules", .one_way = true,
	 .ways = {{"kernel.modules_disabled", .enough = 1, .values = 1, .value = {1}}}},
	{"kexec", .one_way = true,
	 .ways = {{"kernel.kexec_load_disabled", .enough = 1, .values = 1, .value = {1}}}},
	/* 2 (Linux 5.13) can be put back, 1 cannot */
	{"bpf",
	 .ways = {{"kernel.unprivileged_bpf_disabled", .enough = 1, .values = 2, .value = {2, 1}}}},
};
const size_t setting_count = array_length(setting_table);

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < setting_count; i++)
		if (strcmp(setting_table[i].name, name) == 0)
			return &setting_table[i];
	return NULL;
}

const struct setting_way *setting_way_find(const char *sysctl)
{
	for (size_t i = 0; i < setting_count; i++)
		for (size_t j = 0; j < SETTING_WAYS_MAX; j++)
			if (setting_table[i].ways[j].sysctl &&
			    strcmp(setting_table[i].ways[j].sysctl, sysctl) == 0)
				return &setting_table[i].ways[j];
	return NULL;
}

bool setting_is_enough(const struct setting_way *way, long value)
{
	return way->at_most ? value <= way->enough : value >= way->enough;
}
