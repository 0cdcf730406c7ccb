/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_REFUSAL_H
#define GATE_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "gate/held.h"

#define REFUSAL_SIZE_MAX 400 /* IPv6 and UDP headers, DNS header, a longest question, OPT */

/*
 * The answer that a resolver would have given with this rcode and nothing in it, as a whole UDP
 * packet from the resolver to the asker: for a question (HELD_QUESTION, turned round) or in the
 * place of an answer (HELD_ANSWER). Built from the checked record, not from the packet. Returns its
 * size; 0 for what came over TCP.
 */
size_t refusal_build(const struct held *held, uint8_t rcode, uint8_t packet[REFUSAL_SIZE_MAX]);

#endif
