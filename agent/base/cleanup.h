/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Released when the scope is left: _cleanup_(closep) int fd = -1; */
#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void fclosep(FILE **stream)
{
	if (*stream)
		(void)fclose(*stream);
}

/* Hands a descriptor or pointer to the caller and disarms the cleanup. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_pointer(pointer)                                                                      \
	({                                                                                         \
		__typeof__(pointer) *place_ = &(pointer);                                          \
		__typeof__(pointer) taken_ = *place_;                                              \
		*place_ = NULL;                                                                    \
		taken_;                                                                            \
	})

#define array_length(array) (sizeof(array) / sizeof((array)[0]))

#endif
