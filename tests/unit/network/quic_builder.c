/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quic_builder.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>

void put_initial(struct frame *datagram, const struct quic_version *version,
		 const struct frame *connection_id, size_t token_size, uint32_t number,
		 const struct frame *payload)
{
	uint8_t *packet = datagram->bytes + datagram->size;
	uint8_t mask[16], nonce[12], *plain;
	size_t start = datagram->size, number_offset;
	struct gcm_aes128_ctx gcm;
	struct aes128_ctx aes;
	struct quic_keys keys;

	put_u8(datagram, 0xc3 | version->initial_type << 4);
	put_be32(datagram, version->first);
	put_u8(datagram, (unsigned int)connection_id->size);
	put_bytes(datagram, connection_id->bytes, connection_id->size);
	put_u8(datagram, 0);
	if (token_size < 64)
		put_u8(datagram, (unsigned int)token_size);
	else
		put_be16(datagram, 0x4000 | (unsigned int)token_size);
	put_zeros(datagram, token_size);
	put_be16(datagram, 0x4000 | (unsigned int)(4 + payload->size + QUIC_TAG_SIZE));
	number_offset = datagram->size - start;
	put_be32(datagram, number);
	plain = datagram->bytes + datagram->size;
	put_bytes(datagram, payload->bytes, payload->size);

	quic_keys_derive(version, connection_id->bytes, connection_id->size, &keys);
	memcpy(nonce, keys.iv, sizeof(nonce));
	for (size_t i = 0; i < 4; i++)
		nonce[8 + i] ^= packet[number_offset + i];
	gcm_aes128_set_key(&gcm, keys.key);
	gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
	gcm_aes128_update(&gcm, number_offset + 4, packet);
	gcm_aes128_encrypt(&gcm, payload->size, plain, plain);
	gcm_aes128_digest(&gcm, QUIC_TAG_SIZE, plain + payload->size);
	datagram->size += QUIC_TAG_SIZE;

	aes128_set_encrypt_key(&aes, keys.header_key);
	aes128_encrypt(&aes, sizeof(mask), mask, packet + number_offset + QUIC_SAMPLE_OFFSET);
	packet[0] ^= mask[0] & 0x0f;
	for (size_t i = 0; i < 4; i++)
		packet[number_offset + i] ^= mask[1 + i];
}
