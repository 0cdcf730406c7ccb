/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_GATE_ORDERS_H
#define GATE_GATE_ORDERS_H

struct gate;

/* Takes one order of the supervisor's and carries it out, with the word that answers it. A
 * supervisor that is gone, or that has the rules taken away, ends the gate's loop. */
void gate_take_order(struct gate *gate);

#endif
