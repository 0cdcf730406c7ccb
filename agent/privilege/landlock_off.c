/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege/landlock.h"

void landlock_close_files(void)
{
}
