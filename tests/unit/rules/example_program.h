/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_EXAMPLE_PROGRAM_H
#define TESTS_EXAMPLE_PROGRAM_H

#include "rules/program.h"

/* A program with one of everything that rules and sets can say. hold: with the hold stage, which
 * takes kernels with NFQUEUE. */
struct rule_program *example_program(bool hold);

/* "192.0.2.1", "10.0.0.0/8"; protocol and port where the set's kind has them. */
struct rule_member example_member(const char *prefix, uint8_t protocol, uint16_t port);

#endif
