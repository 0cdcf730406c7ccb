/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_CAPABILITY_TABLE_H
#define KERNEL_CAPABILITY_TABLE_H

#include "kernel/capabilities.h"
#include "kernel/config.h"
#include "kernel/release.h"

#define NEEDS_MAX 2

/*
 * One capability: what it is for, what stays open without it, and how it is found out: by trying,
 * and from a configuration. All fields but the first five may be missing.
 */
struct capability_row {
	const char *name;
	const char *what;
	const char *open;
	const char *kernel; /* remedy where this kernel has it not */
	const char *unset;  /* remedy where it has it and it is not in use */

	/* Fills state and detail of a finding; root: "", or a directory with a proc/sys in it. */
	void (*probe)(const struct capability_row *row, const char *root,
		      struct capability_finding *finding);

	const char *setting;	 /* name in the table of settings */
	bool (*is_absent)(void); /* what the setting would switch off is not in this kernel */

	/* of a configuration */
	enum kernel_option needs[NEEDS_MAX];
	struct kernel_release since;
	struct kernel_release until; /* the fault lies in [since, until): for a kernel's fault */
	enum kernel_option pointless_without; /* without this option there is no gap */
	enum kernel_option closed_by;	      /* with this option there is none */
	struct kernel_release closed_since;   /* nor from this kernel on, unless somebody sets it */
	bool is_decided_later;		      /* by a setting or how the kernel is started */
};

extern const struct capability_row capability_table[CAPABILITY_COUNT];

/* The rows' ways to try. */
void probe_fanotify_permission(const struct capability_row *row, const char *root,
			       struct capability_finding *finding);
void probe_fanotify_exec(const struct capability_row *row, const char *root,
			 struct capability_finding *finding);
void probe_fanotify_filesystem(const struct capability_row *row, const char *root,
			       struct capability_finding *finding);
void probe_fanotify_evictable(const struct capability_row *row, const char *root,
			      struct capability_finding *finding);
void probe_process_connector(const struct capability_row *row, const char *root,
			     struct capability_finding *finding);
void probe_pidfd(const struct capability_row *row, const char *root,
		 struct capability_finding *finding);
void probe_exec_arguments(const struct capability_row *row, const char *root,
			  struct capability_finding *finding);
void probe_setting(const struct capability_row *row, const char *root,
		   struct capability_finding *finding);
void probe_module_loading(const struct capability_row *row, const char *root,
			  struct capability_finding *finding);
void probe_process_memory(const struct capability_row *row, const char *root,
			  struct capability_finding *finding);
void probe_write_execute(const struct capability_row *row, const char *root,
			 struct capability_finding *finding);

bool memfd_is_absent(void);
bool user_namespaces_are_absent(void);
bool userfaultfd_is_absent(void);
bool io_uring_is_absent(void);
bool bpf_is_absent(void);
bool is_switched_by_sysctl_alone(void); /* no sysctl: no such thing */

/* State and printf-like detail. */
void finding_set(struct capability_finding *finding, enum capability_state state,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As capabilities_probe(), with the settings read below root. */
void capabilities_probe_below(const char *root,
			      struct capability_finding ret_findings[CAPABILITY_COUNT]);

/* What a configuration says. */
void capabilities_judge(const struct kernel_config *config,
			struct capability_finding ret_findings[CAPABILITY_COUNT]);

#endif
