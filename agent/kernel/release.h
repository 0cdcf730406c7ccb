/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_RELEASE_H
#define KERNEL_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

/* A kernel's version, "6.1.90" of "6.1.90-cloud-amd64". All 0: none. */
struct kernel_release {
	unsigned int number[3];
};

/* Two or three numbers with dots; whatever follows them is passed over. 0 or -EINVAL. */
int kernel_release_parse(const char *text, struct kernel_release *ret_release);

/* The running kernel's. */
int kernel_release_running(struct kernel_release *ret_release);

bool kernel_release_before(struct kernel_release release, struct kernel_release other);
bool kernel_release_is_none(struct kernel_release release);

/* "6.1.90", or "6.1" where the third number is 0. out holds 32 bytes. */
void kernel_release_format(struct kernel_release release, char *out, size_t out_size);

#endif
