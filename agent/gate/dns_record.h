/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_DNS_RECORD_H
#define GATE_DNS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/held.h"

/*
 * Fills in what one DNS message says: HELD_QUESTION for way HELD_OUT, HELD_ANSWER for HELD_IN.
 * Returns false, with nothing changed, for anything else: what is no question on the way out, or
 * carries more than one (records beside OPT), and what is no answer
 * on the way in.
 */
bool dns_record_read(const uint8_t *message, size_t size, struct held *held);

/* The record of a packet without a readable message. */
void dns_record_clear(struct held *held, enum held_kind kind);

#endif
