/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_TRACKER_DOUBLE_H
#define TESTS_TRACKER_DOUBLE_H

/*
 * A tracker for tests of what is around it: each TCP or UDP packet is a START at once and, when the
 * tracker finishes, a CONNECTION with the same id; nothing is merged, so that deliveries can be
 * counted. Packets to some UDP ports make it misbehave.
 */
enum {
	DOUBLE_PORT_CRASH = 6660,  /* dies by a signal */
	DOUBLE_PORT_LIE = 6661,	   /* delivers what must not cross the channel */
	DOUBLE_PORT_OPEN = 6662,   /* opens a file */
	DOUBLE_FLOWS_KEPT = 10000, /* CONNECTIONs at the end at most */
};

#endif
