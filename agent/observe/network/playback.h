/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_PLAYBACK_H
#define OBSERVE_NETWORK_PLAYBACK_H

#include "observe/network/tracker.h"

/* The inspector's own process, recorded: what recording.c starts as a worker. See struct
 * worker_config; context is a struct tracker_config, of which deliver and context are not used. */
int playback_run(void *context, int channel);

#endif
