/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/asking.h"
#include "commands/commands.h"
#include "control/protocol.h"

#define TIMEOUT_MS 60000

int command_stop(int argc, char **argv)
{
	return ask_plainly(argc, argv, REQUEST_STOP, TIMEOUT_MS, "Nothing is enforced any more.");
}
