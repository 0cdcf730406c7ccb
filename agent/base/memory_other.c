/* SPDX-License-Identifier: GPL-2.0-or-later */
/* C libraries whose allocators return free pages by themselves. */
#include "base/memory.h"

void memory_give_back(void)
{
}
