/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc: pages that are free in the middle of the heap go back only when asked. */
#include <malloc.h>

#include "base/memory.h"

void memory_give_back(void)
{
	(void)malloc_trim(0);
}
