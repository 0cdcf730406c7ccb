/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_KEY_H
#define LEARN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Keys of the learner's tables: fields one after the other, each by its shape. A key that came from
 * disk is first held against its table's shape; then reading cannot fail.
 *
 *   '1' '2' '8'  number of so many bytes, big-endian
 *   'm'          MAC address
 *   'a'          IP address: family (0, 4, 6) and 16 bytes
 *   'h'          SHA-256: 1 and 32 bytes, or 0: not known
 *   's'          string: 2 bytes length, bytes without NUL
 *   'n'          string, or length 0xffff: not known
 *   '*'          strings up to the end of the key (last in a shape only)
 */
#define KEY_SIZE_LIMIT 16384u

struct key {
	size_t size;
	bool overflow; /* something did not fit: the key must not be used */
	unsigned char bytes[KEY_SIZE_LIMIT];
};

/* An empty key. The bytes are left as they are: a key is large. */
void key_start(struct key *key);
void key_number(struct key *key, uint64_t number, unsigned int bytes);
void key_mac(struct key *key, const struct mac_address *mac);
void key_address(struct key *key, const struct ip_address *address);
void key_sha256(struct key *key, const uint8_t *sha256); /* NULL: not known */
void key_string(struct key *key, const char *string);	 /* NULL: not known */
void key_bytes(struct key *key, const void *bytes, size_t size);

/* Whether the bytes have the shape. */
bool key_fits(const char *shape, const void *key, size_t size);

/* Reads the fields of a key that fits its shape, from the first. */
struct key_reader {
	const unsigned char *at;
	size_t left;
};

struct key_text {
	const char *bytes; /* not NUL-terminated; NULL: not known */
	size_t size;
};

struct key_reader key_read(const void *key, size_t size);
uint64_t key_read_number(struct key_reader *reader, unsigned int bytes);
struct mac_address key_read_mac(struct key_reader *reader);
struct ip_address key_read_address(struct key_reader *reader);
const uint8_t *key_read_sha256(struct key_reader *reader); /* NULL: not known */
struct key_text key_read_text(struct key_reader *reader);

/* A NUL-terminated copy to be freed, or NULL: not known. *broken is set when memory is out. */
char *key_read_string(struct key_reader *reader, bool *broken);

#endif
