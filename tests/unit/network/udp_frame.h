/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UDP_FRAME_H
#define TESTS_UDP_FRAME_H

#include "frame_builder.h"

/* An Ethernet frame with an empty UDP datagram from 192.0.2.1 to 192.0.2.2, 42 bytes. */
static inline void put_udp_frame(struct frame *frame, unsigned int source_port,
				 unsigned int destination_port)
{
	put_bytes(frame, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	put_be16(frame, 0x0800);
	put_be16(frame, 0x4500);
	put_be16(frame, 28);
	put_be32(frame, 0);
	put_be16(frame, 0x4011);
	put_be16(frame, 0);
	put_be32(frame, 0xc0000201);
	put_be32(frame, 0xc0000202);
	put_be16(frame, source_port);
	put_be16(frame, destination_port);
	put_be16(frame, 8);
	put_be16(frame, 0);
}

#endif
