/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OBSERVE_NETWORK_QUIC_KEYS_H
#define OBSERVE_NETWORK_QUIC_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define QUIC_SALT_SIZE 20
#define QUIC_TAG_SIZE  16
/* The header protection's sample and where it starts behind the packet number, RFC 9001 section
 * 5.4.2. */
#define QUIC_SAMPLE_SIZE   16
#define QUIC_SAMPLE_OFFSET 4

/* What differs between versions. */
struct quic_version {
	uint32_t first;
	uint32_t last;
	uint8_t initial_type; /* bits 4 and 5 of the first byte */
	uint8_t salt[QUIC_SALT_SIZE];
	const char *label_prefix; /* "quic", RFC 9001; "quicv2", RFC 9369 */
};

/* Keys of the client's Initials. AES-128-GCM with its IV, AES-128 for the header. */
struct quic_keys {
	uint8_t key[16];
	uint8_t iv[12];
	uint8_t header_key[16];
};

/* From the destination connection id of the client's first packet, RFC 9001 section 5.2. */
void quic_keys_derive(const struct quic_version *version, const uint8_t *connection_id, size_t size,
		      struct quic_keys *ret_keys);

/*
 * Takes the protection off a packet in place: packet holds size bytes, the packet number begins at
 * number_offset, and there are QUIC_SAMPLE_OFFSET + QUIC_SAMPLE_SIZE bytes behind that at least.
 * Returns 0 with where the plain payload lies, or -EBADMSG when the tag does not fit: another key,
 * or bytes changed on the way. packet is then of no use.
 */
int quic_packet_open(const struct quic_keys *keys, uint8_t *packet, size_t size,
		     size_t number_offset, size_t *ret_payload_offset, size_t *ret_payload_size);

#endif
