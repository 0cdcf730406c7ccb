/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/quic_keys.h"

#include <errno.h>
#include <string.h>

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>

static void mac_update(void *context, size_t size, const uint8_t *bytes)
{
	hmac_sha256_update(context, size, bytes);
}

static void mac_digest(void *context, size_t size, uint8_t *digest)
{
	hmac_sha256_digest(context, size, digest);
}

/* HKDF-Expand-Label with an empty context, RFC 8446 section 7.1. */
static void expand_label(const uint8_t secret[SHA256_DIGEST_SIZE], const char *prefix,
			 const char *name, size_t size, uint8_t *ret_bytes)
{
	static const char tls[] = "tls13 ";
	struct hmac_sha256_ctx hmac;
	uint8_t info[64];
	size_t at = 3;

	for (const char *c = tls; *c; c++)
		info[at++] = (uint8_t)*c;
	for (const char *c = prefix; *c; c++)
		info[at++] = (uint8_t)*c;
	for (const char *c = name; *c; c++)
		info[at++] = (uint8_t)*c;
	info[0] = 0;
	info[1] = (uint8_t)size;
	info[2] = (uint8_t)(at - 3);
	info[at++] = 0;
	hmac_sha256_set_key(&hmac, SHA256_DIGEST_SIZE, secret);
	hkdf_expand(&hmac, mac_update, mac_digest, SHA256_DIGEST_SIZE, at, info, size, ret_bytes);
}

void quic_keys_derive(const struct quic_version *version, const uint8_t *connection_id, size_t size,
		      struct quic_keys *ret_keys)
{
	uint8_t initial[SHA256_DIGEST_SIZE], client[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, sizeof(version->salt), version->salt);
	hkdf_extract(&hmac, mac_update, mac_digest, sizeof(initial), size, connection_id, initial);
	/* this label is the same in all versions */
	expand_label(initial, "client", " in", sizeof(client), client);
	expand_label(client, version->label_prefix, " key", sizeof(ret_keys->key), ret_keys->key);
	expand_label(client, version->label_prefix, " iv", sizeof(ret_keys->iv), ret_keys->iv);
	expand_label(client, version->label_prefix, " hp", sizeof(ret_keys->header_key),
		     ret_keys->header_key);
}

/* RFC 9001 section 5.4. Returns the size of the packet number. */
static size_t unprotect_header(const struct quic_keys *keys, uint8_t *packet, size_t number_offset)
{
	uint8_t mask[AES_BLOCK_SIZE];
	struct aes128_ctx aes;
	size_t number_size;

	aes128_set_encrypt_key(&aes, keys->header_key);
	aes128_encrypt(&aes, sizeof(mask), mask, packet + number_offset + QUIC_SAMPLE_OFFSET);
	packet[0] ^= mask[0] & 0x0f;
	number_size = (packet[0] & 0x03) + 1U;
	for (size_t i = 0; i < number_size; i++)
		packet[number_offset + i] ^= mask[1 + i];
	return number_size;
}

int quic_packet_open(const struct quic_keys *keys, uint8_t *packet, size_t size,
		     size_t number_offset, size_t *ret_payload_offset, size_t *ret_payload_size)
{
	size_t number_size = unprotect_header(keys, packet, number_offset);
	size_t header_size = number_offset + number_size;
	size_t payload_size = size - header_size - QUIC_TAG_SIZE;
	uint8_t nonce[sizeof(keys->iv)], tag[QUIC_TAG_SIZE];
	struct gcm_aes128_ctx gcm;

	/* RFC 9001 section 5.3; a first flight's numbers are small enough to be whole */
	memcpy(nonce, keys->iv, sizeof(nonce));
	for (size_t i = 0; i < number_size; i++)
		nonce[sizeof(nonce) - number_size + i] ^= packet[number_offset + i];

	gcm_aes128_set_key(&gcm, keys->key);
	gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
	gcm_aes128_update(&gcm, header_size, packet);
	gcm_aes128_decrypt(&gcm, payload_size, packet + header_size, packet + header_size);
	gcm_aes128_digest(&gcm, sizeof(tag), tag);
	if (!memeql_sec(tag, packet + header_size + payload_size, sizeof(tag)))
		return -EBADMSG;
	*ret_payload_offset = header_size;
	*ret_payload_size = payload_size;
	return 0;
}
