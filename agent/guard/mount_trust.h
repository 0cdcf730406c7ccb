/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUARD_MOUNT_TRUST_H
#define GUARD_MOUNT_TRUST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop/loop.h"

/* Whether a file may be read here, by the filesystem it is on; nothing asks the filesystem. */
struct mount_trust;

enum file_source {
	SOURCE_LOCAL,	/* a filesystem of this mount namespace that the kernel keeps, or a memfd */
	SOURCE_FOREIGN, /* of another mount namespace: reading may have no end */
	SOURCE_NETWORK, /* reading may have no end, and the content may change unseen */
	SOURCE_PROCESS, /* FUSE: what is read proves nothing */
};

int mount_trust_new(struct loop *loop, struct mount_trust **ret_trust);
void mount_trust_free(struct mount_trust *trust);

/* pid: a process that reaches the file. */
enum file_source mount_trust_source(struct mount_trust *trust, pid_t pid, uint64_t device);

#endif
