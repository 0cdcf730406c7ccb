/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/capability_table.h"

#define FANOTIFY_OPTIONS                                                                           \
	{                                                                                          \
		OPTION_FANOTIFY, OPTION_FANOTIFY_ACCESS_PERMISSIONS                                \
	}
#define AS_ROOT "run as root of the machine, not of a container or user namespace"

/* docs/doctor.md has the same with more words. */
const struct capability_row capability_table[CAPABILITY_COUNT] = {
	[CAPABILITY_FANOTIFY_PERMISSION] =
		{
			.name = "fanotify-permission",
			.what = "a program waits until its content was compared with the profile",
			.open = "an unknown program runs until it is found, milliseconds later, "
				"and ended",
			.kernel = "CONFIG_FANOTIFY=y and CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y",
			.unset = AS_ROOT,
			.probe = probe_fanotify_permission,
			.needs = FANOTIFY_OPTIONS,
		},
	[CAPABILITY_FANOTIFY_EXEC] =
		{
			.name = "fanotify-exec",
			.what = "executing is told apart from opening (FAN_OPEN_EXEC_PERM)",
			.open = "programs are judged as opened files: who executes a file that it "
				"has open "
				"already is found after the start",
			.kernel = "Linux 5.0 with CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y",
			.unset = AS_ROOT,
			.probe = probe_fanotify_exec,
			.needs = FANOTIFY_OPTIONS,
			.since = {{5, 0}},
		},
	[CAPABILITY_FANOTIFY_FILESYSTEM] =
		{
			.name = "fanotify-filesystem",
			.what = "a mark covers a filesystem however it is mounted "
				"(FAN_MARK_FILESYSTEM)",
			.open = "programs started through mounts of another mount namespace, or "
				"bind "
				"mounts made later, are found after the start",
			.kernel = "Linux 4.20 with CONFIG_FANOTIFY=y",
			.unset = AS_ROOT,
			.probe = probe_fanotify_filesystem,
			.needs = {OPTION_FANOTIFY},
			.since = {{4, 20}},
		},
	[CAPABILITY_FANOTIFY_EVICTABLE] =
		{
			.name = "fanotify-evictable",
			.what = "the kernel's memory of verdicts gives way when memory is short "
				"(FAN_MARK_EVICTABLE)",
			.open = "nothing runs for it; each known file that was opened stays in the "
				"kernel's memory (about 1 KiB)",
			.kernel = "Linux 5.19 with CONFIG_FANOTIFY=y",
			.unset = AS_ROOT,
			.probe = probe_fanotify_evictable,
			.needs = {OPTION_FANOTIFY},
			.since = {{5, 19}},
		},
	[CAPABILITY_PROCESS_CONNECTOR] =
		{
			.name = "process-connector",
			.what = "each new program is looked at right after its start, whatever it "
				"came from",
			.open = "what no mark covers (a program in memory, a mount made this "
				"moment) runs "
				"until the next look at /proc, a fraction of a second",
			.kernel = "CONFIG_CONNECTOR=y and CONFIG_PROC_EVENTS=y",
			.unset =
				"run as root in the machine's first process and network namespaces",
			.probe = probe_process_connector,
			.needs = {OPTION_CONNECTOR, OPTION_PROC_EVENTS},
		},
	[CAPABILITY_PIDFD] =
		{
			.name = "pidfd",
			.what = "who is ended is who was looked at, even if its number is used "
				"again",
			.open = "a process that ends at the right moment can have its successor "
				"ended",
			.kernel = "Linux 5.3",
			.unset = "permit pidfd_open where a system call filter forbids it",
			.probe = probe_pidfd,
			.since = {{5, 3}},
		},
	[CAPABILITY_EXEC_ARGUMENTS] =
		{
			.name = "exec-arguments",
			.what = "an interpreter's arguments are compared before it starts",
			.open = "an interpreter with unknown arguments is ended at the first file "
				"that it "
				"opens, or right after its start",
			.kernel = "Linux 5.11 with CONFIG_CROSS_MEMORY_ATTACH=y, on an "
				  "architecture with "
				  "CONFIG_HAVE_ARCH_TRACEHOOK",
			.unset = "run as root, with kernel.yama.ptrace_scope=2 at most",
			.probe = probe_exec_arguments,
			.needs = {OPTION_CROSS_MEMORY_ATTACH, OPTION_HAVE_ARCH_TRACEHOOK},
			.since = {{5, 11}},
		},
	[CAPABILITY_MEMFD_NOEXEC] =
		{
			.name = "memfd-noexec",
			.what = "nothing runs from memory alone (memfd_create)",
			.open = "a program that was put together in memory starts, and is ended at "
				"its "
				"first open or right after its start",
			.kernel = "Linux 6.3 with CONFIG_SYSCTL=y (or none of CONFIG_MEMFD_CREATE)",
			.unset = "vm.memfd_noexec=2 (rtguard enforce --settings memfd)",
			.probe = probe_setting,
			.setting = "memfd",
			.is_absent = memfd_is_absent,
			.needs = {OPTION_SYSCTL},
			.since = {{6, 3}},
			.pointless_without = OPTION_MEMFD_CREATE,
			.is_decided_later = true,
		},
	[CAPABILITY_PTRACE_SCOPE] =
		{
			.name = "ptrace-scope",
			.what = "no program writes into another one's memory (ptrace, "
				"process_vm_writev)",
			.open = "a permitted program that an intruder steers puts code into others "
				"of its "
				"user",
			.kernel = "CONFIG_SECURITY_YAMA=y, and yama in lsm= of the kernel's "
				  "command line",
			.unset = "kernel.yama.ptrace_scope=2 (rtguard enforce --settings ptrace)",
			.probe = probe_setting,
			.setting = "ptrace",
			.needs = {OPTION_SECURITY_YAMA, OPTION_SYSCTL},
			.is_decided_later = true,
		},
	[CAPABILITY_USER_NAMESPACES] =
		{
			.name = "user-namespaces",
			.what = "users cannot make themselves a root with mounts of its own",
			.open = "a user mounts a filesystem of its own and runs from it before a "
				"mark "
				"covers it: ended right after the start",
			.kernel = "Linux 4.9 with CONFIG_SYSCTL=y (or none of CONFIG_USER_NS)",
			.unset = "kernel.unprivileged_userns_clone=0 where there is one, else "
				 "user.max_user_namespaces=0 (rtguard enforce --settings "
				 "user-namespaces)",
			.probe = probe_setting,
			.setting = "user-namespaces",
			.is_absent = user_namespaces_are_absent,
			.needs = {OPTION_SYSCTL},
			.since = {{4, 9}},
			.pointless_without = OPTION_USER_NS,
			.is_decided_later = true,
		},
	[CAPABILITY_USERFAULTFD] =
		{
			.name = "userfaultfd",
			.what = "users cannot make the kernel wait in the midst of reading their "
				"memory",
			.open = "a race between looking at arguments and using them is easier to "
				"win",
			.kernel = "Linux 5.2 with CONFIG_SYSCTL=y (or none of CONFIG_USERFAULTFD)",
			.unset = "vm.unprivileged_userfaultfd=0 (rtguard enforce --settings "
				 "userfaultfd)",
			.probe = probe_setting,
			.setting = "userfaultfd",
			.is_absent = userfaultfd_is_absent,
			.needs = {OPTION_SYSCTL},
			.since = {{5, 2}},
			.pointless_without = OPTION_USERFAULTFD,
			.closed_since = {{5, 11}},
			.is_decided_later = true,
		},
	[CAPABILITY_IO_URING] =
		{
			.name = "io-uring",
			.what = "files are opened by the program itself, not by a worker of the "
				"kernel",
			.open = "files opened through io_uring are judged too, but before Linux "
				"5.12 as the "
				"kernel's own",
			.kernel = "Linux 6.6 with CONFIG_SYSCTL=y (or none of CONFIG_IO_URING)",
			.unset = "kernel.io_uring_disabled=2 (rtguard enforce --settings io-uring)",
			.probe = probe_setting,
			.setting = "io-uring",
			.is_absent = io_uring_is_absent,
			.needs = {OPTION_SYSCTL},
			.since = {{6, 6}},
			.pointless_without = OPTION_IO_URING,
			.is_decided_later = true,
		},
	[CAPABILITY_MODULE_LOADING] =
		{
			.name = "module-loading",
			.what = "no code gets into the kernel any more",
			.open = "a permitted program of root that an intruder steers (insmod, "
				"modprobe) "
				"loads code into the kernel, which ends all guarding",
			.kernel = "Linux 2.6.31 with CONFIG_SYSCTL=y (or none of CONFIG_MODULES)",
			.unset = "kernel.modules_disabled=1, until the next boot (rtguard enforce "
				 "--settings "
				 "modules), or CONFIG_MODULE_SIG_FORCE=y",
			.probe = probe_module_loading,
			.setting = "modules",
			.is_absent = is_switched_by_sysctl_alone,
			.needs = {OPTION_SYSCTL},
			.pointless_without = OPTION_MODULES,
			.closed_by = OPTION_MODULE_SIG_FORCE,
			.is_decided_later = true,
		},
	[CAPABILITY_KEXEC] =
		{
			.name = "kexec",
			.what = "no other kernel is started from this one",
			.open = "a permitted program of root that an intruder steers (kexec) "
				"starts a "
				"kernel without a guard",
			.kernel = "Linux 3.14 with CONFIG_SYSCTL=y (or none of CONFIG_KEXEC_CORE)",
			.unset = "kernel.kexec_load_disabled=1, until the next boot (rtguard "
				 "enforce "
				 "--settings kexec)",
			.probe = probe_setting,
			.setting = "kexec",
			.is_absent = is_switched_by_sysctl_alone,
			.needs = {OPTION_SYSCTL},
			.since = {{3, 14}},
			.pointless_without = OPTION_KEXEC_CORE,
			.is_decided_later = true,
		},
	[CAPABILITY_BPF] =
		{
			.name = "bpf",
			.what = "users cannot load programs into the kernel (bpf)",
			.open = "a user reaches a large part of the kernel whose faults have ended "
				"in code "
				"running there",
			.kernel = "Linux 4.4 with CONFIG_SYSCTL=y (or none of CONFIG_BPF_SYSCALL)",
			.unset = "kernel.unprivileged_bpf_disabled=2, or 1 before Linux 5.13 "
				 "(rtguard "
				 "enforce --settings bpf), or CONFIG_BPF_UNPRIV_DEFAULT_OFF=y",
			.probe = probe_setting,
			.setting = "bpf",
			.is_absent = bpf_is_absent,
			.needs = {OPTION_SYSCTL},
			.since = {{4, 4}},
			.pointless_without = OPTION_BPF_SYSCALL,
			.closed_by = OPTION_BPF_UNPRIV_DEFAULT_OFF,
			.is_decided_later = true,
		},
	[CAPABILITY_PROCESS_MEMORY] =
		{
			.name = "process-memory",
			.what = "a process does not write over its own code through /proc/self/mem",
			.open = "a permitted shell can be told to put other code into itself",
			.kernel = "Linux 6.12 with CONFIG_PROC_MEM_NO_FORCE=y",
			.unset = "CONFIG_PROC_MEM_NO_FORCE=y, or proc_mem.force_override=never on "
				 "the "
				 "kernel's command line (debuggers then set no breakpoints)",
			.probe = probe_process_memory,
			.since = {{6, 12}},
			.closed_by = OPTION_PROC_MEM_NO_FORCE,
			.is_decided_later = true,
		},
	[CAPABILITY_WRITE_EXECUTE] =
		{
			.name = "write-execute",
			.what = "a program that runs cannot be written to (ETXTBSY)",
			.open = "a program can be changed between being looked at and being run; "
				"it is "
				"looked at again when it is closed, and right after the start",
			.kernel = "a Linux before 6.11 or from 6.12.2 on",
			.probe = probe_write_execute,
			.since = {{6, 11}},
			.until = {{6, 12, 2}},
		},
};
