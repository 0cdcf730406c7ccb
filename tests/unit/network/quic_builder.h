/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_QUIC_BUILDER_H
#define TESTS_QUIC_BUILDER_H

#include "hello_builder.h"
#include "observe/network/quic_keys.h"

/* Puts a client's Initial with four bytes of packet number behind what is in the datagram. The
 * token is of zeros. */
void put_initial(struct frame *datagram, const struct quic_version *version,
		 const struct frame *connection_id, size_t token_size, uint32_t number,
		 const struct frame *payload);

#endif
