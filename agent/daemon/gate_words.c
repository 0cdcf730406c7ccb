/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/gate_words.h"

#include <string.h>

#define ERRNO_MOST 4095 /* MAX_ERRNO of the kernel (linux/err.h) */

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

bool gate_word_is_valid(const struct gate_word *word)
{
	if (word->result > 0 || word->result < -ERRNO_MOST)
		return false;
	switch (word->kind) {
	case GATE_APPLIED:
	case GATE_SAID:
	case GATE_CLEARED:
		return is_ended(word->text, sizeof(word->text));
	case GATE_FOUND:
		return finding_is_valid(&word->finding);
	case GATE_COUNTED:
		return is_ended(word->counts.backend, sizeof(word->counts.backend));
	default:
		return false;
	}
}
