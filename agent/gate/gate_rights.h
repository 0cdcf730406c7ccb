/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_GATE_RIGHTS_H
#define GATE_GATE_RIGHTS_H

#include "base/error.h"

/* Keeps what the gate needs of root's rights and gives the others up for good. */
int gate_rights_reduce(struct error *error);

#endif
