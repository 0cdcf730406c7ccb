/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_QUESTIONS_H
#define GATE_QUESTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/held.h"

/* The questions that were let out and are not answered yet: an answer to none of them is forged.
 * Bounded: the oldest makes room. */
struct questions;

#define QUESTIONS_LIMIT	 1024
#define QUESTION_LIFE_NS (30 * UINT64_C(1000000000)) /* resolvers ask again sooner */

int questions_new(struct questions **ret_questions);
void questions_free(struct questions *questions);

/* 0 or -ENOMEM. The same question again counts once more. */
int questions_note(struct questions *questions, const struct held *question, uint64_t now_ns);

/* Whether the answer is to a question that was let out: same protocol, both addresses, both ports,
 * id, name and type. It can be answered again until its life is over (resolvers repeat), but
 * only with the same transaction. */
bool questions_answered(struct questions *questions, const struct held *answer, uint64_t now_ns);

#endif
