/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILES_KEY_FILE_H
#define PROFILES_KEY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "profiles/signature.h"

/*
 * Within profiles/ only: the files that keys are kept in. Two lines: what it is, with the key's id,
 * and 32 bytes in base64 (RFC 4648 section 4): the public key, or the seed of the secret one.
 */
#define KEY_SIZE       32
#define KEY_FILE_SIZE  128 /* more than either kind has, and a NUL */
#define SIGNATURE_SIZE 64

enum key_kind { KEY_PUBLIC, KEY_SECRET };

/* The first 8 bytes of SHA-256 of the public key. */
void key_id_format(const uint8_t public_key[KEY_SIZE], char ret_id[KEY_ID_SIZE]);

void key_file_format(enum key_kind kind, const char *id, const uint8_t key[KEY_SIZE],
		     char ret_text[KEY_FILE_SIZE]);

/* Text of that size, no NUL needed; origin stands in the message. Whether the id is that of the key
 * is for the caller to see. -EBADMSG. */
int key_file_parse(const char *origin, const char *text, size_t size, enum key_kind kind,
		   char ret_id[KEY_ID_SIZE], uint8_t ret_key[KEY_SIZE], struct error *error);

/* The signature of the bytes, and whether it is theirs. */
void signing_key_sign(const struct signing_key *key, const void *bytes, size_t size,
		      uint8_t ret_signature[SIGNATURE_SIZE]);
const char *signing_key_id(const struct signing_key *key);

/* 0, -ENOKEY or -EKEYREJECTED. */
int verifying_keys_check(const struct verifying_keys *keys, const char *id, const void *bytes,
			 size_t size, const uint8_t signature[SIGNATURE_SIZE]);

#endif
