/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_RULE_OPTIONS_H
#define COMMANDS_RULE_OPTIONS_H

#include "commands/options.h"
#include "rules/compile.h"

/* The options that say how a profile becomes rules: the same for whoever compiles, holds recordings
 * against the result, or enforces it. */
#define RULE_OPTION_COUNT 7

/* Fills the first RULE_OPTION_COUNT lines of a table of options. */
void rule_options_fill(struct command_option *lines, struct rules_options *options);

/* For the commands' help. */
#define RULE_OPTIONS_HELP                                                                          \
	"      --bind lookup|user|none  who may open a connection that the profile has for a\n"    \
	"                           program: only that program, found by its socket\n"             \
	"                           (default); found by its user, where it has one of its\n"       \
	"                           own; or any\n"                                                 \
	"      --reject             refuse with an error instead of silence\n"                     \
	"      --unknown-names refuse|permit  what becomes of questions for names that are\n"      \
	"                           not in the profile (default: answered NXDOMAIN)\n"             \
	"      --answer-ping        let others ping this host\n"                                   \
	"      --inbound lan|any    whom listeners answer (default any)\n"                         \
	"      --inbound-rate N     new connections a second from one address (default 200;\n"     \
	"                           0: no limit)\n"                                                \
	"      --forwarded refuse|leave  what passes through this host (default: refused)\n"

#endif
