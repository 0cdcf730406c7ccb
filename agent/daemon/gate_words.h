/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DAEMON_GATE_WORDS_H
#define DAEMON_GATE_WORDS_H

#include <stdbool.h>

#include "gate/gate.h"

/* Whether bytes from the gate are a word: of a known kind, with a result that is 0 or a negative
 * errno, and with what belongs to the kind in range and ended. */
bool gate_word_is_valid(const struct gate_word *word);

#endif
