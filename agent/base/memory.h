/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/* Gives what the allocator keeps for later back to the system, where it can: after work that took
 * much more than will be needed soon. */
void memory_give_back(void);

#endif
