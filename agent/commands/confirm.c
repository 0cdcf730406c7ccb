/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/asking.h"
#include "commands/commands.h"
#include "control/protocol.h"

#define TIMEOUT_MS 10000

int command_confirm(int argc, char **argv)
{
	return ask_plainly(argc, argv, REQUEST_CONFIRM, TIMEOUT_MS, "Enforcement stays.");
}
